"""A simulated participant: rhythms of known phase in EEG-like noise."""
