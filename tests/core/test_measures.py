"""Every measure beside a slow twin: plain numpy over the whole recording at once."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenario import (
    SFREQ_HZ,
    brief_of,
    limits_of,
    memory_of,
    program_of,
    vector_program,
)
from scipy.signal import lfilter

from controller.core.step import on_sample, publish
from controller.core.veto import vetoing_channel
from controller.engine.telemetry import new_telemetry
from controller.errors import ConfigError
from controller.rig.calibrate.spectrum_rows import spectrum_rows
from controller.rig.programs.gate_rules import (
    CouplingRule,
    GateRules,
    SecondBandRule,
    VetoRule,
)
from controller.rig.programs.program import Rules

MEASURES = (
    "snr_db",
    "peak_ratio",
    "frequency_sd_hz",
    "frequency_offset_hz",
    "coherence",
    "phase_lag_rad",
    "second_amplitude_uv",
    "second_re_uv",
    "second_im_uv",
    "n_warm",
    "phase_rad",
)


def program_with(gates, *, refractory_s=0.0, **more):
    rules = Rules(gates=gates, refractory_s=refractory_s)
    return vector_program(rules=rules, limits=limits_of(max_artifact_s=60.0), **more)


def walk(program, raw, *, t_sample=None, at_sample=lambda k, memory: None):
    """Take samples through the core one by one; return what was measured after each."""
    memory = memory_of(program)
    telemetry = new_telemetry(raw.shape[1], n_samples=16, with_raw=False)
    if t_sample is None:
        t_sample = 1.0 + np.arange(len(raw)) / SFREQ_HZ
    found = {name: [] for name in MEASURES}
    for k, t in enumerate(t_sample):
        memory.raw[:] = raw[k]
        at_sample(k, memory)
        on_sample(program, memory, telemetry, float(t), float(t) + 2e-4, 0)
        publish(memory, telemetry)
        telemetry.tails[:] = [
            memory.now[f][0] for f in ("n_samples", "n_decisions", "n_edges")
        ]
        for name, values in found.items():
            values.append(memory.now[name][0])
    return {name: np.array(values) for name, values in found.items()}, memory


def two_channels(seconds, seed=0, *, sfreq_hz=SFREQ_HZ):
    """Return two noisy rhythms that begin at 0, as the vector program wants them."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * sfreq_hz)) / sfreq_hz
    turn = 2.0 * np.pi * 10.3 * t + 0.4 * np.sin(2.0 * t) + rng.uniform(0.0, 6.0)
    raw = 12.0 * np.stack([np.cos(turn), np.sin(turn - 0.6)], axis=1)
    raw += rng.normal(0.0, 2.0, raw.shape) + 20.0 * rng.uniform(-1.0, 1.0)
    raw[0] = 0.0
    return raw.astype(np.float32)


# Spectrum: the window laid over the decimated samples, a sum for each frequency.


def slow_spectrum(values, program, brief, window_s=None):
    spectrum = spectrum_rows(brief, window_s)
    n_window = spectrum.rows.shape[1]
    rate_hz = brief.sfreq_hz / spectrum.decimation
    snr_db = np.full(len(values), math.nan)
    ratio = snr_db.copy()
    decimated, newest = [], (math.nan, math.nan)
    for k in range(len(values)):
        since = k + 1 - spectrum.taps.size
        if since >= 0 and since % spectrum.decimation == 0:
            window = values[since : k + 1]
            decimated.append(float(np.dot(spectrum.taps, window)))
            beyond = len(decimated) - n_window
            if beyond >= 0 and beyond % spectrum.stride == 0:
                newest = slow_judgement(
                    np.array(decimated[-n_window:]), brief, spectrum, rate_hz, window_s
                )
        snr_db[k], ratio[k] = newest
    return snr_db, ratio


def slow_judgement(window, brief, spectrum, rate_hz, window_s):
    shape = np.hanning(len(window) + 2)[1:-1]
    shape /= shape.sum()
    window = window - np.sum(shape * window)
    powers = {}
    for hz in spectrum.frequencies_hz:
        turn = np.exp(-2j * np.pi * hz / rate_hz * np.arange(len(window)))
        powers[hz] = abs(np.sum(shape * window * turn)) ** 2
    low, high = brief.band_hz
    guard = 1.0 / (window_s or 10.0 / brief.frequency_hz)
    half = (high - low) / 2.0

    def between(a, b):
        return [p for hz, p in powers.items() if a - 1e-9 <= hz <= b + 1e-9]

    flanks = [
        np.mean(between(low - guard - half, low - guard)),
        np.mean(between(high + guard, high + guard + half)),
    ]
    inside = between(low, high)
    outside = between(0.0, low - guard) + between(high + guard, 1e9)
    snr_db = 10.0 * math.log10(np.mean(inside) / math.sqrt(np.prod(flanks)))
    return snr_db, max(inside) / max(outside)


class TestSpectrum:
    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("window_s", [None, 0.7])
    def test_is_that_of_its_twin(self, seed, window_s):
        program = program_with(
            GateRules(min_snr_db=0.0, min_peak_ratio=1.0, spectrum_s=window_s)
        )
        raw = two_channels(2.2, seed)
        found, _ = walk(program, raw)
        brief = self.brief()
        snr_db, ratio = slow_spectrum(raw[:, 0].astype(float), program, brief, window_s)
        assert np.isfinite(snr_db).sum() > 800
        np.testing.assert_allclose(found["snr_db"], snr_db, atol=1e-6)
        np.testing.assert_allclose(found["peak_ratio"], ratio, rtol=1e-6)

    def brief(self, **changed):
        return brief_of(**{"horizon_s": 0.0, **changed})

    @pytest.mark.parametrize("sfreq_hz", [128.0, 250.0, 500.0, 1000.0, 5000.0])
    @pytest.mark.parametrize("frequency_hz", [4.5, 6.0, 10.0, 13.0, 22.0])
    def test_rows_pass_one_frequency_and_no_constant(self, sfreq_hz, frequency_hz):
        brief = self.brief(sfreq_hz=sfreq_hz, frequency_hz=frequency_hz)
        spectrum = spectrum_rows(brief)
        assert np.abs(spectrum.rows.sum(axis=1)).max() < 1e-12
        first, end = spectrum.inside
        centre = np.argmin(np.abs(spectrum.frequencies_hz - frequency_hz))
        assert first <= centre < end
        rate_hz = sfreq_hz / spectrum.decimation
        n = spectrum.rows.shape[1]
        tone = np.cos(
            2 * np.pi * spectrum.frequencies_hz[centre] / rate_hz * np.arange(n)
        )
        powers = np.abs(spectrum.rows @ tone) ** 2
        assert np.argmax(powers) == centre
        assert powers[centre] == pytest.approx(0.25, rel=0.05)

    @pytest.mark.parametrize("sfreq_hz", [250.0, 1000.0, 5000.0])
    def test_nothing_folds_into_the_range(self, sfreq_hz):
        spectrum = spectrum_rows(self.brief(sfreq_hz=sfreq_hz))
        rate_hz = sfreq_hz / spectrum.decimation
        last_hz = spectrum.frequencies_hz[-1]
        fold_hz = np.arange(rate_hz - last_hz, sfreq_hz / 2.0)
        k = np.arange(spectrum.taps.size)
        gain = np.abs(
            np.exp(-2j * np.pi * np.outer(fold_hz, k) / sfreq_hz) @ spectrum.taps
        )
        assert spectrum.decimation == 1 or gain.max() < 0.01
        passed = np.exp(-2j * np.pi * np.outer([2.0, last_hz], k) / sfreq_hz)
        assert np.abs(passed @ spectrum.taps) == pytest.approx([1.0, 1.0], abs=0.02)

    def test_stronger_rhythm_stands_out_more_and_pink_noise_not_at_all(self):
        rng = np.random.default_rng(3)
        n = 20_000
        noise = np.fft.irfft(
            np.fft.rfft(rng.normal(size=n)) / np.sqrt(np.arange(n // 2 + 1) + 1.0), n
        )
        noise *= 10.0 / noise.std()
        means = []
        for amplitude_uv in (0.0, 10.0, 40.0):
            t = np.arange(n) / SFREQ_HZ
            raw = np.zeros((n, 2), np.float32)
            raw[:, 0] = noise + amplitude_uv * np.sin(2 * np.pi * 10.0 * t)
            program = program_with(GateRules(min_snr_db=0.0))
            means.append(np.nanmean(walk(program, raw)[0]["snr_db"]))
        assert abs(means[0]) < 1.5
        assert means[0] + 3.0 < means[1] < means[2] - 5.0

    def test_window_too_short_for_the_flanks_is_refused(self):
        with pytest.raises(ConfigError, match="cannot tell the band 8-12 Hz"):
            spectrum_rows(self.brief(), 0.15)


# Frequency: every look weighs what all later ones have left of it.


def slow_frequency(phase_rad, program):
    gates = program.gates[0]
    sd_hz = np.full(len(phase_rad), math.nan)
    offset_hz = sd_hz.copy()
    looks, before, last = [], None, -(10**9)
    for k, phase in enumerate(phase_rad):
        if math.isnan(phase):
            looks, before, last = [], None, -(10**9)
            continue
        if k - last >= gates.frequency_stride:
            last = k
            if before is not None:
                turned = (phase - before + math.pi) % (2 * math.pi) - math.pi
                looks.append(turned / (2 * math.pi) * SFREQ_HZ / gates.frequency_stride)
            before = phase
        if len(looks) >= gates.frequency_minimum:
            follow = np.maximum(
                gates.frequency_follow, 1.0 / np.arange(1, len(looks) + 1)
            )
            left = np.append(np.cumprod((1.0 - follow)[::-1])[::-1][1:], 1.0)
            weights = follow * left
            mean = np.sum(weights * looks)
            sd_hz[k] = math.sqrt(np.sum(weights * (np.array(looks) - mean) ** 2))
            offset_hz[k] = abs(mean - program.settings.frequency_hz[0])
    return sd_hz, offset_hz


class TestFrequency:
    @pytest.mark.parametrize("seed", range(3))
    def test_is_that_of_its_twin(self, seed):
        program = program_with(
            GateRules(max_frequency_sd_hz=1.0, max_frequency_offset_hz=1.0),
            warm_up_samples=30,
        )
        found, _ = walk(program, two_channels(1.3, seed))
        sd_hz, offset_hz = slow_frequency(found["phase_rad"], program)
        assert np.isfinite(sd_hz).sum() > 500
        np.testing.assert_allclose(found["frequency_sd_hz"], sd_hz, atol=1e-9)
        np.testing.assert_allclose(found["frequency_offset_hz"], offset_hz, atol=1e-9)

    @pytest.mark.parametrize("frequency_hz", [8.5, 10.0, 12.0])
    def test_steady_rhythm_has_its_frequency_and_no_spread(self, frequency_hz):
        t = np.arange(2000) / SFREQ_HZ
        turn = 2 * np.pi * frequency_hz * t
        raw = 10.0 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
        raw[0] = 0.0
        program = program_with(GateRules(max_frequency_sd_hz=1.0))
        found, _ = walk(program, raw.astype(np.float32))
        assert found["frequency_sd_hz"][-1] < 1e-3
        assert found["frequency_offset_hz"][-1] == pytest.approx(
            abs(frequency_hz - 10.0), abs=1e-3
        )


# Two sites and the second band: the filters by their transfer function.


def resonated(values, pole):
    return lfilter([1.0, -1.0], np.poly([pole, pole]), values.astype(complex))


def slow_coupling(raw, gates):
    pole = complex(gates.coupling_re, gates.coupling_im)
    a, b = (resonated(column, pole) for column in raw.T.astype(float))
    a, b = a[gates.coupling_settle :], b[gates.coupling_settle :]

    def smoothed(values):
        follow = gates.coupling_follow
        return lfilter([follow], [1.0, follow - 1.0], values)

    cross = smoothed(a * np.conj(b))
    coherence = np.abs(cross) / np.sqrt(smoothed(abs(a) ** 2) * smoothed(abs(b) ** 2))
    lag = np.angle(cross)
    unknown = gates.coupling_minimum - gates.coupling_settle - 1
    coherence[:unknown] = lag[:unknown] = math.nan
    before = np.full(gates.coupling_settle, math.nan)
    return np.append(before, coherence), np.append(before, lag)


class TestCoupling:
    RULES = GateRules(
        coupling=CouplingRule(
            weights=(0.0, 1.0),
            coherence=(0.5, 1.0),
            phase_lag=(0.0, 1.0),
            smoothing_s=0.4,
        )
    )

    @pytest.mark.parametrize("seed", range(3))
    def test_is_that_of_its_twin(self, seed):
        program = program_with(self.RULES)
        raw = two_channels(2.0, seed)
        found, _ = walk(program, raw)
        coherence, lag = slow_coupling(raw, program.gates[0])
        assert np.isfinite(coherence).sum() > 700
        np.testing.assert_allclose(found["coherence"], coherence, atol=1e-9)
        np.testing.assert_allclose(found["phase_lag_rad"], lag, atol=1e-9)

    @pytest.mark.parametrize("ahead_deg", [-170.0, -90.0, 0.0, 35.0, 180.0])
    def test_site_that_is_ahead_has_a_positive_lag(self, ahead_deg):
        turn = 2 * np.pi * 10.0 * np.arange(3000) / SFREQ_HZ
        raw = np.stack([np.cos(turn + np.radians(ahead_deg)), np.cos(turn)], axis=1)
        raw[0] = 0.0
        found, _ = walk(program_with(self.RULES), (10.0 * raw).astype(np.float32))
        away = np.exp(1j * (found["phase_lag_rad"][-1] - np.radians(ahead_deg)))
        assert abs(np.angle(away)) < 0.03
        assert found["coherence"][-1] > 0.99

    def test_two_noises_have_little_coherence(self):
        raw = np.random.default_rng(1).normal(0, 10, (9000, 2)).astype(np.float32)
        raw[0] = 0.0
        rules = GateRules(
            coupling=CouplingRule(
                weights=(0.0, 1.0), coherence=(0.5, 1.0), smoothing_s=3.0
            )
        )
        found, _ = walk(program_with(rules), raw)
        assert np.nanmedian(found["coherence"]) < 0.6


class TestSecondBand:
    RULES = GateRules(
        second_band=SecondBandRule(
            frequency_hz=5.0, bandwidth_hz=3.0, phase=(0.0, 1.0), min_amplitude_uv=1.0
        )
    )

    def test_is_that_of_its_twin(self):
        program = program_with(self.RULES)
        raw = two_channels(1.5)
        found, _ = walk(program, raw)
        gates = program.gates[0]
        pole = complex(gates.second_re, gates.second_im)
        gain = complex(gates.second_gain_re, gates.second_gain_im)
        twin = gain * resonated(raw[:, 0].astype(float), pole)
        twin[: gates.second_minimum - 1] = complex(math.nan, math.nan)
        np.testing.assert_allclose(found["second_re_uv"], twin.real, atol=1e-9)
        np.testing.assert_allclose(found["second_im_uv"], twin.imag, atol=1e-9)
        np.testing.assert_allclose(found["second_amplitude_uv"], abs(twin), atol=1e-9)

    @pytest.mark.parametrize("phase_deg", [-120.0, 0.0, 75.0])
    def test_cosine_at_its_frequency_has_its_amplitude_and_phase(self, phase_deg):
        t = np.arange(4000) / SFREQ_HZ
        wave = 8.0 * np.cos(2 * np.pi * 5.0 * t + np.radians(phase_deg))
        raw = np.stack([wave, wave], axis=1).astype(np.float32)
        found, _ = walk(program_with(self.RULES), raw - raw[0])
        z = found["second_re_uv"][-1] + 1j * found["second_im_uv"][-1]
        truth = 2 * np.pi * 5.0 * t[-1] + np.radians(phase_deg)
        # What turns backwards is not quite gone.
        assert abs(z) == pytest.approx(8.0, rel=0.06)
        assert abs(np.angle(z * np.exp(-1j * truth))) < 0.06


# Vetoes.


def slow_veto(values, rule, sfreq_hz=SFREQ_HZ):
    """Return after each sample whether the channel forbids a pulse."""

    def follow(tau_s):
        return 1.0 - math.exp(-1.0 / (tau_s * sfreq_hz))

    baseline = slow = None
    mean_square, n, t_veto, forbids = 0.0, 0, -math.inf, []
    for k, value in enumerate(values):
        t = 1.0 + k / sfreq_hz
        bad = not math.isfinite(value)
        if not bad:
            baseline = value if baseline is None else baseline
            bad = abs(value - baseline) > rule.amplitude_uv
            baseline += follow(1.0) * (value - baseline)
            slow = value if slow is None else slow
            slow += follow(1.0 / (2.0 * math.pi * 20.0)) * (value - slow)
            mean_square += follow(0.1) * ((value - slow) ** 2 - mean_square)
            n += 1
            if math.isfinite(rule.rms_uv):
                bad |= math.sqrt(mean_square) > rule.rms_uv or n < 0.3 * sfreq_hz
        if bad:
            t_veto = t
        forbids.append(not t - t_veto > rule.hold_s)
    return np.array(forbids)


class TestVeto:
    @settings(max_examples=12)
    @given(
        seed=st.integers(0, 2**32 - 1),
        amplitude_uv=st.sampled_from([20.0, 60.0, math.inf]),
        rms_uv=st.sampled_from([8.0, 14.0, math.inf]),
        hold_s=st.sampled_from([0.0, 0.05, 0.3]),
    )
    def test_is_that_of_its_twin(self, seed, amplitude_uv, rms_uv, hold_s):
        rng = np.random.default_rng(seed)
        raw = np.zeros((900, 2), np.float32)
        raw[:, 0] = np.cumsum(rng.normal(0.0, 3.0, 900))
        raw[rng.integers(900), 1] = 1.0
        raw[300:340, 0] += rng.normal(0.0, 40.0, 40)
        raw[rng.integers(400, 800), 0] = rng.choice([np.nan, np.inf, 0.0])
        rule = VetoRule(
            channel=0, amplitude_uv=amplitude_uv, rms_uv=rms_uv, hold_s=hold_s
        )
        # The vetoing channel is no part of the montage.
        program = program_of(
            n_channels=2,
            mixing=np.array([[0.0, 1.0]]),
            rules=Rules(gates=GateRules(vetoes=(rule,))),
            limits=limits_of(max_artifact_s=60.0),
        )
        forbids = []

        def note(k, memory):
            if k > 0:
                forbids.append(vetoing_channel(program, memory) == 0)

        _, memory = walk(program, raw, at_sample=note)
        forbids.append(vetoing_channel(program, memory) == 0)
        twin = slow_veto(raw[:, 0].astype(float), rule)
        assert np.array_equal(forbids, twin)

    def test_first_channel_that_forbids_is_named(self):
        raw = np.zeros((700, 3), np.float32)
        raw[1::2, 0] = 1.0
        raw[500:, 2] = 300.0
        raw[600:, 1] = 300.0
        rules = GateRules(
            vetoes=(
                VetoRule(channel=1, amplitude_uv=100.0),
                VetoRule(channel=2, amplitude_uv=100.0),
            )
        )
        program = program_of(
            n_channels=3,
            mixing=np.array([[1.0, 0.0, 0.0]]),
            rules=Rules(gates=rules),
            limits=limits_of(max_artifact_s=60.0),
        )
        named = []
        walk(
            program,
            raw,
            at_sample=lambda k, memory: named.append(vetoing_channel(program, memory)),
        )
        assert (named[500], named[501], named[600], named[601]) == (-1, 2, 2, 1)


ALL_RULES = GateRules(
    min_snr_db=0.0,
    spectrum_s=0.5,
    max_frequency_sd_hz=1.0,
    coupling=CouplingRule(weights=(0.0, 1.0), coherence=(0.1, 1.0), smoothing_s=0.1),
    second_band=SecondBandRule(
        frequency_hz=6.0, bandwidth_hz=6.0, min_amplitude_uv=1.0
    ),
)


@pytest.mark.parametrize("trouble", ["gap", "blind"])
def test_every_measure_begins_anew_with_the_estimator(trouble):
    """After a gap or a blind period all is as on the first sample of a recording."""
    n = 1800
    raw = two_channels(n / SFREQ_HZ, seed=4)
    raw[n // 2 :] = two_channels((n - n // 2) / SFREQ_HZ, seed=5)
    t_sample = 1.0 + np.arange(n) / SFREQ_HZ
    program = program_with(ALL_RULES)

    def go_blind(k, memory):
        if k == n // 2 - 100:
            memory.now.t_blind_from = t_sample[n // 2 - 100]
            memory.now.t_blind_until = t_sample[n // 2]

    if trouble == "gap":
        t_sample[n // 2 :] += 0.05
        found, _ = walk(program, raw, t_sample=t_sample)
    else:
        found, _ = walk(program, raw, at_sample=go_blind)
        assert (found["n_warm"][n // 2 - 100 : n // 2] == 0).all()
        for name in ("snr_db", "frequency_sd_hz", "coherence", "second_amplitude_uv"):
            assert np.isnan(found[name][n // 2 - 100 : n // 2]).all(), name
    fresh, _ = walk(program, raw[n // 2 :])
    for name in MEASURES:
        again, new = found[name][n // 2 :], fresh[name]
        assert again.tobytes() == new.tobytes(), name
        if name in ("snr_db", "frequency_sd_hz", "coherence", "second_amplitude_uv"):
            assert np.isnan(new[0]), name
            assert np.isfinite(new[-1]), name


def test_nothing_is_measured_that_no_gate_asks_for():
    found, memory = walk(program_with(GateRules(marker=True)), two_channels(1.5))
    for name in ("snr_db", "peak_ratio", "frequency_sd_hz", "coherence"):
        assert np.isnan(found[name]).all(), name
    assert not memory.resonators.any()
