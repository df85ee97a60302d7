"""Stands where LabJack's package would, for the simulated device."""
