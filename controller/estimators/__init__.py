"""Designers: a rest recording in, weights for one of the compiled kernels out."""
