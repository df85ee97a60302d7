"""The trigger output of a session: its driver or twin, its cables, its latency."""
