"""The gates of a configuration, in plain words."""

from collections.abc import Iterator

from controller.config_gate import Coupling, Gate, Marker, SecondBand, Veto


def gate_rows(gate: Gate) -> list[tuple[str, str]]:
    """Return every gate that a pulse has to pass, as topics and sentences."""
    rows = [_amplitude(gate), *_spectral(gate), *_frequency(gate)]
    if gate.min_probability is not None:
        rows.append(
            f"probability of at least {100 * gate.min_probability:g} % that the phase "
            f"is met within {gate.tolerance_deg:g} deg"
        )
    rows.extend(_veto(veto) for veto in gate.veto)
    if gate.coupling is not None:
        rows.extend(_coupling(gate.coupling))
    if gate.second_band is not None:
        rows.extend(_second_band(gate.second_band))
    if gate.marker is not None:
        rows.append(_marker(gate.marker))
    return [("gate" if n == 0 else "and", words) for n, words in enumerate(rows)]


def _amplitude(gate: Gate) -> str:
    match gate.amplitude:
        case "open":
            return "none on amplitude: pulses also come while the rhythm is weak"
        case "absolute":
            return f"amplitude of at least {gate.threshold_uv:g} uV"
    return (
        f"amplitude above percentile {gate.percentile:g} of the last "
        f"{gate.window_s:g} s"
    )


def _spectral(gate: Gate) -> Iterator[str]:
    window = "ten cycles" if gate.spectrum_s is None else f"{gate.spectrum_s:g} s"
    if gate.min_snr_db is not None:
        yield f"at least {gate.min_snr_db:g} dB over the flanks, in the last {window}"
    if gate.min_peak_ratio is not None:
        yield (
            f"a spectral peak {gate.min_peak_ratio:g} times the highest outside the "
            f"band, in the last {window}"
        )


def _frequency(gate: Gate) -> Iterator[str]:
    if gate.max_frequency_sd_hz is not None:
        yield f"frequency steady within {gate.max_frequency_sd_hz:g} Hz (SD)"
    if gate.max_frequency_offset_hz is not None:
        yield (
            f"frequency at most {gate.max_frequency_offset_hz:g} Hz away from the "
            "individual one"
        )


def _veto(veto: Veto) -> str:
    what = []
    if veto.amplitude_uv is not None:
        what.append(f"more than {veto.amplitude_uv:g} uV from its baseline")
    if veto.rms_uv is not None:
        what.append(f"above {veto.rms_uv:g} uV RMS beyond 20 Hz")
    return f"not while {veto.channel} is {' or '.join(what)}, nor {veto.hold_s:g} s on"


def _coupling(coupling: Coupling) -> Iterator[str]:
    site = " + ".join(
        f"{weight:.3g} {label}" for label, weight in coupling.weights.items()
    ).replace("+ -", "- ")
    if coupling.coherence is not None:
        low, high = coupling.coherence
        yield f"coherence with {site} from {low:g} to {high:g}"
    if coupling.phase_lag_deg is not None:
        yield f"{_arc(coupling.phase_lag_deg)} ahead of {site}"


def _second_band(band: SecondBand) -> Iterator[str]:
    if band.phase_deg is not None:
        yield f"{band.frequency_hz:g} Hz at a phase {_arc(band.phase_deg)}"
    if band.min_amplitude_uv is not None:
        yield f"{band.frequency_hz:g} Hz of at least {band.min_amplitude_uv:g} uV"


def _marker(marker: Marker) -> str:
    marks = {"": marker.stream, "of type ": marker.type}
    stream = " ".join(f"{mark}{value!r}" for mark, value in marks.items() if value)
    words = f"from a marker {' or '.join(map(repr, marker.open))} in stream {stream}"
    until = [repr(text) for text in marker.close]
    if marker.timeout_s is not None:
        until.append(f"{marker.timeout_s:g} s have passed")
    return f"{words} until {' or '.join(until)}"


def _arc(range_deg: tuple[float, float]) -> str:
    return f"from {range_deg[0]:g} to {range_deg[1]:g} deg"
