"""A session opened for analysis: MNE objects and tables from one folder."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from controller.export.columns import Table
from controller.export.grid import SampleGrid, grid_of
from controller.export.tables import session_table
from controller.session.load import Session, load_session
from controller.session.pulses import fired

if TYPE_CHECKING:
    import mne


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSession:
    """One session, ready for MNE or for tables.

    Parameters
    ----------
    session : Session
        The records as the loop wrote them.
    grid : SampleGrid
        The even grid that `raw` stands on; `grid.seconds` turns instants of the host
        clock into seconds of `raw`.
    """

    session: Session
    grid: SampleGrid

    def raw(self) -> "mne.io.BaseRaw":
        """Return the recording with pulses, refusals, markers and gaps annotated.

        Raises
        ------
        MissingExtra
            The extra `io` is not installed.
        ChannelError
            A channel that must be a voltage has no known unit.
        """
        from controller.export.mne_objects import build_raw

        return build_raw(self.session, self.grid)

    def epochs(self, tmin_s: float = -1.0, tmax_s: float = 1.0) -> "mne.Epochs":
        """Return epochs around the fired pulses, with one row of metadata each.

        Epochs that reach into a gap or beyond an end are dropped.

        Parameters
        ----------
        tmin_s, tmax_s : float
            From and to, relative to the sample nearest to the pulse.

        Raises
        ------
        MissingExtra
            The extra `io` is not installed.
        ChannelError
            A channel that must be a voltage has no known unit.
        FileError
            If no pulse was fired.
        """
        from controller.export.mne_objects import build_epochs

        return build_epochs(self.session, self.grid, tmin_s, tmax_s)

    @property
    def has_pulses(self) -> bool:
        """Whether any pulse was fired."""
        return bool(len(fired(self.session.pulses)))

    def table(self, name: str) -> Table:
        """Return the table `decisions`, `pulses`, `edges` or `events`.

        Raises
        ------
        FileError
            If there is no such table.
        """
        return session_table(self.session, name)


def open_session(folder: Path | str) -> OpenedSession:
    """Open a session folder for analysis.

    Parameters
    ----------
    folder : path
        As `phasegate run` wrote it, also where the session ended abruptly.

    Raises
    ------
    FileError
        If the folder is no session, or is damaged.

    Examples
    --------
    >>> raw = open_session("sessions/20310506T070809Z_p01").raw()  # doctest: +SKIP
    """
    session = load_session(Path(folder))
    return OpenedSession(session=session, grid=grid_of(session))


def mne_raw(folder: Path | str) -> "mne.io.BaseRaw":
    """Return a session's recording as an MNE object, annotated; see `open_session`."""
    return open_session(folder).raw()
