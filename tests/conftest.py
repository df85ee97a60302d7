import os
import tempfile

from hypothesis import settings

# Nobody's dose book may learn of tests.
os.environ["PHASEGATE_DOSE_BOOKS"] = tempfile.mkdtemp(prefix="phasegate-doses-")

# The same examples in every run, and no verdict from a busy machine's clock.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
