from hypothesis import settings

# The same examples in every run, and no verdict from a busy machine's clock.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
