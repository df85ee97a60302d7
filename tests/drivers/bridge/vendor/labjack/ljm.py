"""One T7 whose lines are a file: a JSON line for each level that is written."""

import json
import os
import time
from pathlib import Path


class LJMError(Exception):
    """As the vendor's."""


def openS(device, connection, identifier):
    return 1


def close(handle):
    pass


def eReadName(handle, name):
    _reach()
    return 470012345.0


def eWriteName(handle, name, value):
    _reach()
    with Path(os.environ["FAKE_LJM_LOG"]).open("a") as log:
        log.write(json.dumps([time.monotonic(), name, value]) + "\n")


def _reach():
    if Path(os.environ["FAKE_LJM_LOG"] + ".gone").exists():
        raise LJMError("LJM library error code 1239 LJME_RECONNECT_FAILED")
