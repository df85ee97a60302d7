"""The host clock, for everything that is not the loop."""


def host_clock() -> float:
    """Return seconds on the LSL clock, which on Linux is `CLOCK_MONOTONIC`."""
    import pylsl  # loads liblsl, which only live sessions need

    return float(pylsl.local_clock())
