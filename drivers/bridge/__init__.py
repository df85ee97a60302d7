"""A process between the controller's loop and a library that only Python can call."""
