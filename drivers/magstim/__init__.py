"""Magstim 200², BiStim² and Rapid²: bytes, rules and sessions."""
