"""Deymed DuoMAG: bytes and session."""
