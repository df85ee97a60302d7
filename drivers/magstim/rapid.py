"""What is particular to a Rapid²: trains, their energy, enhanced power, software."""

import dataclasses
from typing import Final

from drivers.grids import in_steps
from drivers.magstim import codec
from drivers.magstim.limits import (
    CONTINUOUS_S,
    RAPID_ENHANCED_S,
    RAPID_SINGLE_S,
    Mains,
    Variant,
    longest_train_s,
    max_frequency_hz,
    train_wait_s,
)
from drivers.magstim.models import capabilities_of
from drivers.magstim.replies import (
    RapidParameters,
    parse_charge_delay,
    parse_rapid_parameters,
    parse_version,
)
from drivers.magstim.session import MagstimSession
from drivers.magstim.status import RapidStatus
from drivers.stimulator import StimulatorRefused, Train

_SERIAL_RAPID_S: Final = 5.2e-3
_ENHANCED_MAX: Final = 110
_KNOWN_MAJOR: Final = range(7, 12)
_LOCKED_FROM: Final = 9
_CHARGE_DELAY_MAX_MS: Final = {9: 2000}
_CHARGE_DELAY_MAX_LATER_MS: Final = 10000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RapidSettings:
    """Which Rapid² it is.

    Parameters
    ----------
    variant : {"rapid", "super", "super-plus"}
        Decides, with the mains voltage, how fast trains may be.
    mains : {115, 240}
        Volts.
    enhanced : bool
        Allow single pulses up to 110 %; excludes trains.
    ignore_coil_switch : bool
        Let the device arm without a press on the coil's switch.
    """

    variant: Variant = "rapid"
    mains: Mains = 240
    enhanced: bool = False
    ignore_coil_switch: bool = True


class ModelRapid:
    """A Rapid²: single pulses and trains.

    Parameters
    ----------
    session : MagstimSession
    settings : RapidSettings
    has_unlock_code : bool
    """

    def __init__(
        self,
        session: MagstimSession,
        settings: RapidSettings,
        *,
        has_unlock_code: bool,
    ) -> None:
        self._session = session
        self._settings = settings
        self._has_unlock_code = has_unlock_code
        self._train: Train | None = None
        self.capabilities = capabilities_of(
            highest=_ENHANCED_MAX if settings.enhanced else 100,
            trains=not settings.enhanced,
            paired=False,
            fire_latency_s=_SERIAL_RAPID_S,
        )

    def begin(self) -> None:
        """Ask for the software's version.

        Raises
        ------
        StimulatorRefused
            If it is not one of 7 to 11, or needs an unlock code that was not given.
        """
        software = self._session.query(codec.GET_VERSION, parse_version)
        major = software[0]
        if major not in _KNOWN_MAJOR:
            raise StimulatorRefused(
                f"{self._session.name} has software {_dotted(software)}, but its bytes "
                "are known for 7 to 11 only; use it as a TTL stimulator."
            )
        if major >= _LOCKED_FROM and not self._has_unlock_code:
            raise StimulatorRefused(
                f"{self._session.name} has software {_dotted(software)}, which needs "
                "an unlock code; ask Magstim for that of your unit."
            )
        if major < _LOCKED_FROM and self._has_unlock_code:
            raise StimulatorRefused(
                f"{self._session.name} has software {_dotted(software)}, which has no "
                "unlock code; remove it from the configuration."
            )
        self._session.software = software

    def prepare(self) -> None:
        """Choose enhanced power or not, and single pulses."""
        if self._settings.ignore_coil_switch:
            self._session.ask(codec.IGNORE_COIL_SWITCH)
        self.set_train(None, 0)
        enhanced = self._settings.enhanced
        self._session.ask(codec.ENHANCED_ON if enhanced else codec.ENHANCED_OFF)
        rapid = self._parameters().rapid
        if not rapid.single_pulse:
            raise StimulatorRefused(
                f"{self._session.name} does not leave its train mode, in which a "
                "trigger makes several pulses; choose single pulses on its display."
            )
        if rapid.enhanced_power != enhanced:
            raise StimulatorRefused(
                f"{self._session.name} does not change its enhanced power mode; look "
                "at its display."
            )

    def power(self) -> int:
        """Ask for the power, percent."""
        return self._parameters().power

    def check_power(self, percent: int) -> None:
        """Return if the train, if any, is allowed at this power.

        Raises
        ------
        StimulatorRefused
        """
        if self._train is not None:
            self._check_energy(self._train, percent)

    def busy(self) -> str | None:
        """Say whether a train runs or its rest has not passed."""
        if self._train is None:
            return None
        rapid: RapidStatus = self._parameters().rapid
        if rapid.train_running:
            return "a train is running"
        return "it rests after a train" if rapid.waiting else None

    def min_interval_s(self, percent: int) -> float:
        """Return the rest between pulses, or a train and the rest after it."""
        if self._train is None:
            return RAPID_ENHANCED_S if percent >= 100 else RAPID_SINGLE_S
        lasts_s = self._train.n_pulses / self._train.frequency_hz
        return lasts_s + train_wait_s(
            percent, self._train.frequency_hz, self._train.n_pulses
        )

    def set_train(self, train: Train | None, percent: int) -> None:
        """Set the train that a trigger starts, and read it back.

        Raises
        ------
        StimulatorRefused
            If the device's fields, or its energy at this power, do not allow it.
        """
        software = self._session.software
        if train is None:
            self._session.ask(codec.train_mode(software, on=False))
            self._train = None
            return
        frequency, n_pulses, duration = self._fields(train)
        self._check_energy(train, percent)
        # Until it is read back, the rests that count are those of this train.
        self._train = train
        self._session.ask(codec.train_mode(software, on=True))
        try:
            self._write_train(frequency, n_pulses, duration)
        except StimulatorRefused:
            self.set_train(None, percent)
            raise

    def _write_train(self, frequency: int, n_pulses: int, duration: int) -> None:
        software = self._session.software
        self._session.ask(codec.frequency(frequency))
        self._session.ask(codec.n_pulses(n_pulses, software))
        self._session.ask(codec.duration(duration, software))
        now = self._parameters()
        if (now.frequency, now.n_pulses, now.duration) != (
            frequency,
            n_pulses,
            duration,
        ):
            raise StimulatorRefused(
                f"{self._session.name} took a train of {now.n_pulses} pulses at "
                f"{now.frequency / 10:g} Hz for {now.duration / 10:g} s instead; look "
                "at its display."
            )

    def set_pair(self, interval_s: float | None) -> None:
        """Refuse pairs."""
        if interval_s is not None:
            raise StimulatorRefused(
                f"{self._session.name} has no pairs; trigger each pulse."
            )

    def set_charge_delay(self, delay_ms: int) -> None:
        """Set the pause between a pulse and the recharge, and read it back.

        Raises
        ------
        StimulatorRefused
            With software before 9, or out of range.
        """
        major = self._session.software[0]
        highest = _CHARGE_DELAY_MAX_MS.get(major, _CHARGE_DELAY_MAX_LATER_MS)
        if major < _LOCKED_FROM:
            raise StimulatorRefused(
                f"{self._session.name} has no charge delay before software 9; leave it."
            )
        if not 0 <= delay_ms <= highest:
            raise StimulatorRefused(
                f"{self._session.name} takes charge delays from 0 to {highest} ms, not "
                f"{delay_ms!r}; choose another."
            )
        self._session.ask(codec.charge_delay(delay_ms, self._session.software))
        now = self._session.query(codec.GET_CHARGE_DELAY, parse_charge_delay)
        if now != delay_ms:
            raise StimulatorRefused(
                f"{self._session.name} took a charge delay of {now} ms instead of "
                f"{delay_ms}; look at its display."
            )

    def _parameters(self) -> RapidParameters:
        software = self._session.software
        return self._session.query(
            codec.GET_RAPID_PARAMETERS,
            lambda data: parse_rapid_parameters(data, software),
        )

    def _fields(self, train: Train) -> tuple[int, int, int]:
        name = self._session.name
        later = self._session.software[0] >= codec.LONG_FIELDS
        most, longest = (6000, 1000) if later else (1000, 100)
        if train.n_trains != 1:
            raise StimulatorRefused(
                f"{name} makes one train for each trigger, not {train.n_trains}; "
                "trigger each train."
            )
        frequency = in_steps(train.frequency_hz, 0.1, "The frequency of a train (Hz)")
        if not (frequency >= 1 and 1 <= train.n_pulses <= most):
            raise StimulatorRefused(
                f"{name} takes 1 to {most} pulses at 0.1 Hz or more, not "
                f"{train.n_pulses} at {train.frequency_hz:g} Hz; choose another train."
            )
        duration = in_steps(
            train.n_pulses / train.frequency_hz, 0.1, "The duration of a train (s)"
        )
        if not 1 <= duration <= longest:
            raise StimulatorRefused(
                f"{name} takes trains from 0.1 to {longest / 10:g} s, not "
                f"{duration / 10:g} s; choose another train."
            )
        return frequency, train.n_pulses, duration

    def _check_energy(self, train: Train, percent: int) -> None:
        name = self._session.name
        if self._settings.enhanced:
            raise StimulatorRefused(
                f"{name} has no trains with enhanced power; configure it without."
            )
        settings = self._settings
        highest = max_frequency_hz(percent, settings.variant, settings.mains)
        if not train.frequency_hz <= highest:
            raise StimulatorRefused(
                f"{name} allows trains of up to {highest:g} Hz at {percent} %, not "
                f"{train.frequency_hz:g} Hz; lower the power or the frequency."
            )
        longest = longest_train_s(percent, train.frequency_hz)
        lasts_s = train.n_pulses / train.frequency_hz
        if not (lasts_s <= longest or longest > CONTINUOUS_S):
            raise StimulatorRefused(
                f"{name} allows trains of up to {longest:.1f} s at {percent} % and "
                f"{train.frequency_hz:g} Hz, not {lasts_s:.1f} s; shorten the train."
            )


def _dotted(software: codec.Software) -> str:
    return ".".join(str(number) for number in software)
