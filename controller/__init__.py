"""Phase-locked stimulation: EEG in, triggers out, every decision recorded."""

__version__ = "0.1.0"
