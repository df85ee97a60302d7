"""From a rest recording to a participant's profile: filter, quality, promise."""
