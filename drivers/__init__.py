"""Drivers and their simulated twins; nothing here imports the controller."""
