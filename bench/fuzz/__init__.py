"""Fuzz every codec of the drivers and every simulated device: nothing but clean errors.

`python -m bench.fuzz` throws random, damaged and half frames at both ends of each
protocol. A codec may understand a frame, pass it over, or raise an error of the
drivers, which is one sentence for a person. Anything else is a defect, and so is a
frame with one wrong bit that is understood where the protocol has a checksum.
"""
