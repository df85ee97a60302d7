"""What differs between the models: how each is asked, and how often it may pulse."""

from typing import Final, Literal, Protocol

from drivers.grids import in_steps, whole_percent
from drivers.magstim import codec
from drivers.magstim.limits import (
    BISTIM_RECHARGE_S,
    recharge_200_s,
)
from drivers.magstim.replies import parse_mode, parse_parameters
from drivers.magstim.session import MagstimSession
from drivers.magstim.status import MODES
from drivers.stimulator import (
    StimulatorCapabilities,
    StimulatorRefused,
    Train,
)

_SOURCE: Final = "gathered from published manuals and open drivers; not measured by us"
_SERIAL_200_S: Final = 8e-3
_LOW_RES_MAX: Final = 999
_HIGH_RES_MAX: Final = 999


class MagstimModel(Protocol):
    """The part of a driver that knows one model."""

    capabilities: StimulatorCapabilities

    def begin(self) -> None:
        """Find out about the device, before remote control is taken."""
        ...

    def prepare(self) -> None:
        """Find out the rest, under remote control."""
        ...

    def power(self) -> int:
        """Ask for the power, percent."""
        ...

    def check_power(self, percent: int) -> None:
        """Return if this power goes with the other settings.

        Raises
        ------
        StimulatorRefused
        """
        ...

    def busy(self) -> str | None:
        """Say what stands against a pulse beside the instrument status, if anything."""
        ...

    def min_interval_s(self, percent: int) -> float:
        """Return the shortest time from trigger to trigger at this power."""
        ...

    def set_train(self, train: Train | None, percent: int) -> None:
        """Set the train that a trigger starts, or single pulses."""
        ...

    def set_pair(self, interval_s: float | None) -> None:
        """Set the interval of paired pulses, or single pulses."""
        ...


def capabilities_of(
    *, highest: int, trains: bool, paired: bool, fire_latency_s: float
) -> StimulatorCapabilities:
    """Return the capabilities of a Magstim."""
    return StimulatorCapabilities(
        arms_remotely=True,
        reads_back=True,
        confirms_pulses=False,
        trains=trains,
        paired=paired,
        intensity_pct_mso=(0.0, float(highest)),
        fire_latency_s=fire_latency_s,
        source=_SOURCE,
    )


class Model200:
    """A Magstim 200²: single pulses."""

    def __init__(self, session: MagstimSession) -> None:
        self._session = session
        self.capabilities = capabilities_of(
            highest=100, trains=False, paired=False, fire_latency_s=_SERIAL_200_S
        )

    def begin(self) -> None:
        """Do nothing."""

    def prepare(self) -> None:
        """Do nothing."""

    def power(self) -> int:
        """Ask for the power, percent."""
        return self._session.query(codec.GET_PARAMETERS, parse_parameters).power_a

    def check_power(self, percent: int) -> None:
        """Return; any power that the device can take will do."""

    def busy(self) -> str | None:
        """Return None: the status byte says it all."""
        return None

    def min_interval_s(self, percent: int) -> float:
        """Return the time to recharge."""
        return recharge_200_s(percent)

    def set_train(self, train: Train | None, percent: int) -> None:
        """Refuse trains."""
        if train is not None:
            raise StimulatorRefused(
                f"{self._session.name} has no trains; trigger each pulse."
            )

    def set_pair(self, interval_s: float | None) -> None:
        """Refuse pairs."""
        if interval_s is not None:
            raise StimulatorRefused(
                f"{self._session.name} has no pairs; use a BiStim, or a second unit."
            )


class ModelBistim:
    """A BiStim²: two pulses of different power through one coil.

    One pulse of a pair has about 90 % of the output of a 200² at the same power, both
    together, simultaneous, 113 %; the intensity here is what the display shows.

    The recharge time is 4 s in every mode. In simultaneous mode the device may be
    faster at low power; as this is not certain, no use is made of it.

    Parameters
    ----------
    session : MagstimSession
    resolution : {"low", "high"}
        Intervals in 1 ms up to 999 ms, or in 0.1 ms up to 99.9 ms.
    """

    def __init__(
        self, session: MagstimSession, resolution: Literal["low", "high"] = "low"
    ) -> None:
        if resolution not in ("low", "high"):
            raise StimulatorRefused(
                f"A BiStim has no resolution {resolution!r}; choose 'low' or 'high'."
            )
        self._session = session
        self._high = resolution == "high"
        self.capabilities = capabilities_of(
            highest=100, trains=False, paired=True, fire_latency_s=_SERIAL_200_S
        )

    def begin(self) -> None:
        """Do nothing."""

    def prepare(self) -> None:
        """Choose the resolution, and read the mode back.

        Raises
        ------
        StimulatorRefused
            If the unit then still makes no pairs at an interval that is set from here.
        """
        wanted = "4" if self._high else "2"
        if self.mode() == wanted:
            return
        command = codec.HIGH_RESOLUTION_ON if self._high else codec.HIGH_RESOLUTION_OFF
        self._session.ask(command)
        found = self.mode_in_words()
        if found != MODES[wanted]:
            raise StimulatorRefused(
                f"{self._session.name} stays in its mode '{found}', in which the "
                "pulses of a trigger are not those that are set here; choose "
                f"'{MODES[wanted]}' at its panel."
            )

    def mode(self) -> str:
        """Ask for the mode character, see `drivers.magstim.status.MODES`."""
        return self._session.query(codec.GET_MODE, parse_mode)

    def mode_in_words(self) -> str:
        """Ask for the mode, in words."""
        mode = self.mode()
        return MODES.get(mode, f"unknown mode {mode!r}")

    def power(self) -> int:
        """Ask for the power of the first stimulator, percent."""
        return self._session.query(codec.GET_PARAMETERS, parse_parameters).power_a

    def set_power_b(self, percent: float) -> None:
        """Set the power of the second stimulator, and read it back.

        Raises
        ------
        StimulatorRefused
        """
        whole = whole_percent(percent, 0, 100, self._session.name)
        self._session.ask(codec.power_b(whole))
        now = self._session.query(codec.GET_PARAMETERS, parse_parameters).power_b
        self._compare("power of the second stimulator", whole, now)

    def check_power(self, percent: int) -> None:
        """Return; any power that the device can take will do."""

    def busy(self) -> str | None:
        """Return None: the status byte says it all."""
        return None

    def min_interval_s(self, percent: int) -> float:
        """Return the time to recharge."""
        return BISTIM_RECHARGE_S

    def set_train(self, train: Train | None, percent: int) -> None:
        """Refuse trains."""
        if train is not None:
            raise StimulatorRefused(
                f"{self._session.name} has no trains; trigger each pair."
            )

    def set_pair(self, interval_s: float | None) -> None:
        """Set the interval, and read it back; 0 makes both pulses simultaneous.

        Raises
        ------
        StimulatorRefused
            Off the grid of the resolution, or None: with a BiStim, single pulses are
            pairs whose second stimulator has a power of 0.
        """
        if interval_s is None:
            raise StimulatorRefused(
                f"{self._session.name} always makes pairs; set the power of the second "
                "stimulator to 0 for single pulses."
            )
        step_s = 1e-4 if self._high else 1e-3
        units = in_steps(interval_s, step_s, "The pulse interval (s)")
        longest = _HIGH_RES_MAX if self._high else _LOW_RES_MAX
        if not 0 <= units <= longest:
            raise StimulatorRefused(
                f"{self._session.name} takes intervals from 0 to {longest * step_s:g} "
                f"s in this resolution, not {interval_s:g} s; choose another."
            )
        self._session.ask(codec.interval(units))
        now = self._session.query(codec.GET_PARAMETERS, parse_parameters).interval
        self._compare("interval", units, now)

    def _compare(self, what: str, wanted: int, found: int) -> None:
        if wanted != found:
            raise StimulatorRefused(
                f"{self._session.name} took {found} for its {what} instead of "
                f"{wanted}; look at its display."
            )
