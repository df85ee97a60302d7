"""From configuration, stream and rest to the programs that the loop runs on.

A session plans with it, and a replay that asks what another configuration would have
done, so that the two cannot differ.
"""

import dataclasses
from typing import Protocol

import numpy as np

from controller.calibration.profile import Profile
from controller.config import Config
from controller.core.structures import Program
from controller.engine.telemetry import Batch
from controller.estimators.base import Designer
from controller.kernels.jit import Float64Array
from controller.protocol.core_rows import Rows
from controller.rig.calibrate.design import Calibration, calibrate
from controller.rig.calibrate.profile import rest_of_profile
from controller.rig.calibrate.rest import Rest, rest_of
from controller.rig.dose import trigger_limits
from controller.rig.programs.gate_arrays import gate_arrays
from controller.rig.programs.gate_rules import gate_rules, with_second_site
from controller.rig.programs.program import (
    Rules,
    build_program,
    is_lowered,
    make_trials,
)
from controller.rig.programs.translate import artifact_rules, horizon_s, rules_of
from controller.sources.description import StreamDescription
from controller.sources.timing import StreamTiming, judge_timing
from drivers.base import TriggerEdges


class TrialSource(Protocol):
    """Whose trials the loop is given, each once it is offered."""

    def rows(self, *, pulse_s: float, falls: bool, rhythm_hz: float) -> Rows:
        """Return what the core is told about the trials."""
        ...


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """What a session's programs are made of.

    Parameters
    ----------
    config : Config
        With what a profile has found, where there is one.
    stream : StreamDescription
    mixing : array, shape (n_virtual, n_channels)
        Microvolts of the virtual channels per unit of the stream: the followed one
        first, then those that the designer may read beside it.
    designer : Designer
    profile : Profile, optional
        What a calibration found, instead of this session's own rest.
    part : TrialSource, optional
        A protocol's trials, or a hunt's, instead of those of the configuration.
    """

    config: Config
    stream: StreamDescription
    mixing: Float64Array
    designer: Designer
    profile: Profile | None = None
    part: TrialSource | None = None

    def rest_program(self) -> Program:
        """Return the program that records without estimating."""
        return self._program(None, artifact_rules(self.config), None)

    def rules(self, timing: StreamTiming) -> Rules:
        """Return every gate and rule of the closed loop."""
        return dataclasses.replace(
            rules_of(self.config, timing), gates=gate_rules(self.config, self.stream)
        )

    def calibration(self, rest: Batch, timing: StreamTiming) -> Calibration:
        """Find the rhythm in what the rest has brought and design the estimator.

        Raises
        ------
        RhythmTooWeak
            No usable rhythm, or too little rest.
        """
        return calibrate(
            self.config,
            self.designer,
            self._rest_to_design_from(rest),
            sfreq_hz=self.stream.sfreq_hz,
            horizon_s=horizon_s(self.config, timing),
            profile=self.profile,
        )

    def check_gates(self, calibration: Calibration, rules: Rules) -> None:
        """Refuse a gate that this design cannot serve, before anybody arms.

        Raises
        ------
        ConfigError
        """
        gate_arrays(
            rules.gates,
            calibration.design,
            sfreq_hz=self.stream.sfreq_hz,
            n_virtual=len(with_second_site(calibration.mixing, rules.gates)),
        )

    def loop_program(
        self, calibration: Calibration, rules: Rules, edges: TriggerEdges | None
    ) -> Program:
        """Return the program of the closed loop.

        Raises
        ------
        ConfigError
            As `build_program`.
        """
        return self._program(calibration, rules, edges)

    def rows(self, calibration: Calibration, edges: TriggerEdges | None) -> Rows | None:
        """Return what the loop is told about a protocol's trials; None without one."""
        if self.part is None:
            return None
        return self.part.rows(
            pulse_s=self.config.output.pulse_ms / 1e3,
            falls=is_lowered(edges),
            rhythm_hz=calibration.design.brief.frequency_hz,
        )

    def _program(
        self, calibration: Calibration | None, rules: Rules, edges: TriggerEdges | None
    ) -> Program:
        config, limits = self.config, trigger_limits(self.config)
        design, mixing = None, self.mixing[:1]
        if calibration is not None:
            design, mixing = calibration.design, calibration.mixing
        return build_program(
            sfreq_hz=self.stream.sfreq_hz,
            mixing=mixing,
            scale_uv=self.stream.scale_uv,
            design=design,
            rules=rules,
            limits=limits,
            trials=make_trials(
                limits.max_pulses,
                target_phase_rad=float(np.radians(config.target.phase_deg)),
                iti_s=config.timing.iti_s,
                iti_jitter_s=config.timing.iti_jitter_s,
                seed=config.timing.seed,
            ),
            edges=edges,
            pulse_s=config.output.pulse_ms / 1e3,
            rows=None if calibration is None else self.rows(calibration, edges),
        )

    def _rest_to_design_from(self, rest: Batch) -> Rest:
        if self.profile is not None:
            return rest_of_profile(self.profile, self.stream)
        return rest_of(
            rest.samples["t_sample"], rest.raw, self.mixing, self.stream.sfreq_hz
        )


def timing_of(settled: Batch, sfreq_hz: float) -> StreamTiming:
    """Return rate, regularity and data age of the samples that came while settling."""
    samples = settled.samples
    return judge_timing(
        np.ascontiguousarray(samples["t_sample"]),
        np.ascontiguousarray(samples["t_arrival"]),
        sfreq_hz,
    )
