"""Where EEG comes from: streams on the network, recordings, a simulated participant."""
