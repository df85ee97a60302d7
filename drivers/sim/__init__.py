"""Simulated devices: each speaks its device's bytes, in a process of its own."""
