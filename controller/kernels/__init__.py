"""Compiled functions over plain arrays: no clock, no I/O, no allocation."""
