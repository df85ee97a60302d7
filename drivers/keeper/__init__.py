"""A process that keeps contact with a stimulator, and disarms it when its host ends.

A MagPro or a DuoMAG does not notice that the program which armed it is gone. The keeper
does, in whatever way that happened, and leaves the device disarmed and the trigger line
low.
"""
