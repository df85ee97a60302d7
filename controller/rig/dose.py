"""Which dose book a session is entered in, what it may give, and what it gave."""

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np

from controller.config import Config, parse_config
from controller.config_stimulator import BistimPair
from controller.core.records import EDGE
from controller.core.structures import Program
from controller.errors import ConfigError, DoseExceeded, FileError
from controller.protocol.form import Protocol
from controller.protocol.schedule_rules import schedule_complaints
from controller.safety.dose import (
    FULL_OUTPUT_PCT_MSO,
    Dose,
    DoseLimits,
    at_most,
    dose_of_edges,
    planned_dose,
)
from controller.safety.limits import Limits
from controller.session.books.dose_book import DoseBook, book_path, books_folder
from controller.session.books.visits import book_name, visits_of
from controller.session.folder import CONFIG
from controller.session.load import load_session
from controller.session.salvage import RECOVERED

UNNAMED = "unnamed"
_BOOK = "dose.jsonl"


def require_accountable(config: Config) -> None:
    """Refuse a real output whose pulses nobody could add up.

    Raises
    ------
    ConfigError
        The participant has no name, or `[limits.dose]` is missing.
    """
    if config.output.simulated:
        return
    participant = config.run.participant
    if participant != participant.strip():
        raise ConfigError(
            f"run.participant is {participant!r}, but blanks around it would open "
            "another dose book; leave them out."
        )
    if participant in ("", UNNAMED):
        raise ConfigError(
            "run.participant is missing, but a real output needs the participant's "
            "pseudonym for the dose book; add it, or pass --participant."
        )
    if config.limits.dose is None:
        raise ConfigError(
            "limits.dose is missing, so a real output may give nothing; add what the "
            "study's approval allows per day and in all."
        )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionDose:
    """One session in its participant's dose book.

    Parameters
    ----------
    book : DoseBook
    session : str
        Its name in the book: its folder.
    config : Config
    protocol : Protocol, optional
        Whose next session begins with this one; a resumed part begins none.
    """

    book: DoseBook
    session: str
    config: Config
    protocol: Protocol | None = None

    @classmethod
    def of(
        cls,
        config: Config,
        folder: Path,
        *,
        fires: bool = True,
        protocol: Protocol | None = None,
    ) -> "SessionDose":
        """Return it; what reaches nobody keeps a book in the session's own folder.

        Parameters
        ----------
        config : Config
        folder : Path
        fires : bool
            Whether triggers leave at all: not on a virtual clock.
        protocol : Protocol, optional
            Whose next session begins with this one.
        """
        path = folder / _BOOK
        if fires and not config.output.simulated:
            path = book_path(books_folder(), config.run.participant)
        return cls(
            book=DoseBook(path), session=str(folder), config=config, protocol=protocol
        )

    def reserve(self, program: Program) -> Dose:
        """Enter the most that a program may give, and return it.

        Raises
        ------
        DoseExceeded
            It would pass a limit, or come too soon by the protocol's schedule.
        """
        t_now = dt.datetime.now().astimezone()
        section = self.config.limits.dose
        limits: DoseLimits | None = None if section is None else section.to_limits()
        triggers = most_of(
            program, self.config.limits.max_pulses, intensity_of(self.config)
        )
        planned = with_pairs(triggers, self.config)
        if self.protocol is not None:
            visits = visits_of(self.book.sessions(), self.protocol)
            complaints = schedule_complaints(
                self.protocol, visits, t_now, planned.pulses
            )
            if complaints:
                raise DoseExceeded(" ".join(complaints))
        self.book.reserve(
            self.session,
            modality=self.config.limits.modality,
            planned=planned,
            limits=limits,
            t_now=t_now.astimezone(dt.UTC),
            protocol="" if self.protocol is None else book_name(self.protocol),
        )
        return planned

    def settle(self, edges: list[Any]) -> Dose:
        """Enter what was given, from the records of every edge, and return it.

        Raises
        ------
        FileError, RecordingError
            The plan then stays in the book.
        """
        triggers = dose_of_edges(
            np.concatenate([np.zeros(0, EDGE), *edges]),
            intensity_pct_mso=intensity_of(self.config),
        )
        dose = with_pairs(triggers, self.config)
        self.book.settle(self.session, dose, dt.datetime.now(dt.UTC))
        return dose


def intensity_of(config: Config) -> float | None:
    """Return the intensity of a session's pulses, None if only a person knows.

    What a person declares is no more than that: it counts as full output.
    """
    stimulator = config.stimulator
    if stimulator is None or stimulator.driver_name == "ttl":
        return None
    return stimulator.intensity_pct_mso


def with_pairs(dose: Dose, config: Config) -> Dose:
    """Return what triggers give if the stimulator makes two pulses of each."""
    pair = config.stimulator
    if not isinstance(pair, BistimPair) or not pair.makes_pairs:
        return dose
    first, second = pair.intensity_pct_mso, pair.second_intensity_pct_mso
    return dataclasses.replace(
        dose,
        pulses=2 * dose.pulses,
        trains=dose.pulses,
        stimulated_s=dose.stimulated_s + dose.pulses * pair.pair_interval_ms / 1e3,
        full_pulses=dose.pulses * (first + second) / FULL_OUTPUT_PCT_MSO,
        highest_pct_mso=max(first, second) if dose.pulses else 0.0,
    )


def trigger_limits(config: Config) -> Limits:
    """Return the limits by which triggers are judged.

    Where the stimulator makes a pair of each, half as many triggers are as many pulses.

    Raises
    ------
    ConfigError
        They do not leave room for one trigger.
    """
    limits = config.limits.to_limits()
    pair = config.stimulator
    if not isinstance(pair, BistimPair) or not pair.makes_pairs:
        return limits
    return dataclasses.replace(
        limits,
        max_pulses=limits.max_pulses // 2,
        max_per_minute=limits.max_per_minute // 2,
    )


def most_of(
    program: Program, max_pulses: int, intensity_pct_mso: float | None = None
) -> Dose:
    """Return the most that a program may give."""
    pulses, lasts_s = [], []
    for pattern in program.patterns:
        first = int(pattern.first_edge)
        edges = program.pattern_edges[first : first + int(pattern.n_edges)]
        rises_s = edges.offset_s[edges.rises == 1]
        pulses.append(len(rises_s))
        lasts_s.append(float(np.ptp(rises_s)) if len(rises_s) else 0.0)
    which = program.trials.pattern.tolist()
    return planned_dose(
        [pulses[k] for k in which],
        max_pulses=max_pulses,
        intensity_pct_mso=intensity_pct_mso,
        lasts_s=sum(lasts_s[k] for k in which),
    )


def is_counted(participant: str, folder: Path) -> bool:
    """Return whether nothing of a session waits in a dose book to be counted.

    Raises
    ------
    FileError
    """
    return all(
        booked.is_counted
        for booked in _book_of(participant, folder.resolve()).sessions()
        if booked.session == str(folder.resolve())
    )


def _book_of(participant: str, folder: Path) -> DoseBook:
    beside = folder / _BOOK
    return DoseBook(
        beside if beside.exists() else book_path(books_folder(), participant)
    )


def count_session(participant: str, folder: Path) -> Dose:
    """Count a session that ended without being counted, from its records.

    Never less than it gave: one trigger may have been on its way when it ended, and
    where memory was lost too, its last seconds may have had as many as the limits
    allow. Never more than its plan.

    Raises
    ------
    FileError, ConfigError
        Its records cannot be read or are not whole, or the book does not wait for it.
    """
    folder = folder.resolve()
    session = load_session(folder)
    if session.edges is None:
        raise FileError(
            f"The session {folder} was recorded without its edges, so its pulses "
            "cannot be counted."
        )
    if session.notes:
        raise FileError(
            f"The session {folder} is not whole, so its pulses cannot be counted; run "
            f"`phasegate recover {folder}`, then count again."
        )
    book = _book_of(participant, folder)
    config = parse_config(session.config_text, where=str(folder / CONFIG))
    recorded = dose_of_edges(session.edges, intensity_pct_mso=intensity_of(config))
    lost = trigger_limits(config).max_per_minute if _lost_its_end(session.events) else 1
    unrecorded = planned_dose(
        [1] * lost, max_pulses=lost, intensity_pct_mso=intensity_of(config)
    )
    # Each may have been a train of its own, where there are any: the plan says.
    unrecorded = dataclasses.replace(unrecorded, trains=lost)
    dose = with_pairs(recorded + unrecorded, config)
    plans = [one.dose for one in book.sessions() if one.session == str(folder)]
    for plan in plans:
        dose = at_most(plan, dose)
    book.settle(str(folder), dose, dt.datetime.now(dt.UTC))
    return dose


def _lost_its_end(events: list[dict[str, Any]]) -> bool:
    """Return whether a session was recovered from the disk alone.

    The disk keeps what is older than ten seconds, or the session is disarmed: a minute
    is more than can have been lost.
    """
    return any(
        event["event"] == RECOVERED and event.get("without_memory", True)
        for event in events
    )
