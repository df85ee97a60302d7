"""The place where concrete sources, estimators and drivers are put together."""
