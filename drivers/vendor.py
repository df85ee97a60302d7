"""Vendors' packages, imported only when their device is opened."""

import importlib
from types import ModuleType

from drivers.base import MissingExtra


def import_vendor(module: str, *, device: str, extra: str, library: str) -> ModuleType:
    """Return a vendor's module.

    Parameters
    ----------
    module : str
        To import.
    device : str
        What needs it, for the sentence.
    extra : str
        Our optional extra that brings it.
    library : str
        What the vendor must have installed besides.

    Raises
    ------
    MissingExtra
        If the package is not installed, or does not find the vendor's library.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"{device} needs the package {module.partition('.')[0]} ({error}); install "
            f"it with `pip install 'phasegate[{extra}]'`, and {library}."
        ) from error
    except Exception as error:
        # The vendor's own error class is not to be had before the import succeeds.
        raise MissingExtra(
            f"{device} cannot use {module}, which fails as it loads ({error}); install "
            f"{library}."
        ) from error
