"""MagVenture MagPro: bytes, rules and session."""
