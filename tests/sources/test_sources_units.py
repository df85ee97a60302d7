import numpy as np
import pytest

from controller.errors import ChannelError
from controller.sources.units import microvolts_per_unit, stream_scale_uv


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("microvolts", 1.0),
        ("Microvolts", 1.0),
        ("microvolt", 1.0),
        ("uV", 1.0),
        ("\N{MICRO SIGN}V", 1.0),
        ("\N{GREEK SMALL LETTER MU}V", 1.0),
        (" uV ", 1.0),
        ("millivolts", 1e3),
        ("mV", 1e3),
        ("volts", 1e6),
        ("V", 1e6),
        ("-6", 1.0),
        ("-3", 1e3),
        ("0", 1e6),
    ],
)
def test_known_units(unit: str, factor: float) -> None:
    assert microvolts_per_unit(unit) == factor


@pytest.mark.parametrize("unit", ["", "MV", "UV", "v", "kV", "nV", "ohm", "degrees"])
def test_unknown_units(unit: str) -> None:
    assert microvolts_per_unit(unit) is None


def scale(unit: str | None, configured: str | None, kind: str = "EEG") -> np.ndarray:
    return stream_scale_uv(
        units=(unit,), labels=("Cz",), types=(kind,), configured=configured, stream="s"
    )


@pytest.mark.parametrize("silent", [None, "", "unknown", "N/A", "none"])
def test_configured_unit_speaks_where_the_stream_is_silent(silent: str | None) -> None:
    assert scale(silent, "mV")[0] == 1e3


def test_configured_unit_may_repeat_what_the_stream_says() -> None:
    assert scale("microvolts", "uV")[0] == 1.0


def test_contradiction_is_refused() -> None:
    with pytest.raises(ChannelError, match=r"'volts', but source.unit says 'uV'"):
        scale("volts", "uV")


@pytest.mark.parametrize("configured", [None, "uV"])
def test_unknown_unit_is_refused_whatever_is_configured(configured: str | None) -> None:
    with pytest.raises(ChannelError, match="'furlongs'"):
        scale("furlongs", configured)


def test_channel_that_is_no_eeg_needs_no_unit() -> None:
    assert np.isnan(scale("ohm", None, kind="AUX")[0])


def test_volt_of_mne_realtime_is_what_it_looks_up() -> None:
    constants = pytest.importorskip("mne").io.constants.FIFF
    names, numbers = zip(*constants.items(), strict=True)
    written = names[numbers.index(constants.FIFF_UNIT_V)]
    assert microvolts_per_unit(written) == 1e6
