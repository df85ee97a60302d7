import numpy as np
import pytest


@pytest.fixture(autouse=True)
def quiet_infinities():
    """Let the uncompiled review, which counts with numpy's scalars, see infinities."""
    with np.errstate(invalid="ignore"):
        yield
