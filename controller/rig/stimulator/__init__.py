"""The stimulator of a session: set, armed, watched, disarmed."""
