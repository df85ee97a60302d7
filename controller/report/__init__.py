"""How well a session did: offline truth, circular statistics, one static page."""
