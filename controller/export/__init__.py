"""Sessions for other programs: MNE objects, BIDS folders, tables, live averages.

>>> from controller.export import open_session
>>> raw = open_session("sessions/...").raw()  # doctest: +SKIP
"""

from controller.export.opened import OpenedSession, mne_raw, open_session

__all__ = ["OpenedSession", "mne_raw", "open_session"]
