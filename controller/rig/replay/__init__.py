"""A session once more, on a virtual clock: the same, or with other settings."""
