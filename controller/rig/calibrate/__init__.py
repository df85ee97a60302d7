"""From rest to a calibration, and from there to what a session may expect."""
