"""The operator's console: its heartbeat, its lights, what is typed."""
