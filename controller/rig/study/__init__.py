"""A protocol in a session: trials offered, stages waited for, taken up again."""
