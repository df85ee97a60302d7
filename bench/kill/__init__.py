"""Kill recorder and controller at random moments, and see what the files hold."""
