"""Benchmarks: what the engine takes, beside plain Python doing the same work."""
