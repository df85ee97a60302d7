import dataclasses
import math

import numpy as np
import pytest
from made_session import FREQUENCY_HZ, T_START, rhythm_phase

from controller.core.reasons import Outcome
from controller.kernels.circular import circular_mean, circular_sd
from controller.report.achieved import virtual_of
from controller.report.landings import cells_of, landings_of
from controller.report.page import report_of
from controller.report.shadows import shadows
from controller.report.study import Study
from controller.session.load import load_session
from controller.session.pulses import fired

N_SHADOWS = 15


@pytest.fixture
def shadowed(made):
    """The session, where some held moments were shadows that landed 7 degrees late."""
    session = load_session(made.folder)
    decisions = session.decisions.copy()
    held = np.flatnonzero(decisions["outcome"] == Outcome.HELD)
    t = decisions["t_sample"] - T_START
    picked = held[(t[held] > 3) & (t[held] < 50)][::25][:N_SHADOWS]
    rng = np.random.default_rng(1)
    errors = np.radians(rng.normal(7, 12, len(picked)))
    t_due = decisions["t_sample"][picked] + 0.02
    wait = (errors - rhythm_phase(t_due)) % (2 * math.pi)
    decisions["t_due"][picked] = t_due + wait / (2 * math.pi * FREQUENCY_HZ)
    decisions["outcome"][picked] = Outcome.AS_IF
    decisions["holds"][picked] = 0
    return dataclasses.replace(session, decisions=decisions), errors


def test_shadows_are_scored_where_they_would_have_landed(shadowed):
    session, errors = shadowed
    left = fired(session.pulses)
    found = landings_of(session, left, virtual_of(session))
    assert found.is_shadow.tolist() == [False] * len(left) + [True] * len(errors)
    (cell,) = cells_of(found, Study(protocol=None))
    assert (cell.n_fired, cell.n_shadows) == (len(left), N_SHADOWS)
    assert cell.best.source == "shadows"
    assert cell.best.mean_rad == pytest.approx(circular_mean(errors), abs=0.05)
    assert cell.best.sd_rad == pytest.approx(circular_sd(errors), abs=0.05)


def test_the_page_believes_them(shadowed):
    session, errors = shadowed
    page = report_of(session)
    assert page.believed.source == "shadows"
    believed_deg = math.degrees(page.believed.mean_rad)
    assert believed_deg == pytest.approx(math.degrees(circular_mean(errors)), abs=3)
    assert f"landing {believed_deg:.1f}° after it" in page.headline
    assert "From shadows, never fired" in page.statistics
    assert "decided and not fired" in page.methods.paragraph


def test_what_waited_for_no_phase_is_no_shadow(shadowed):
    session, errors = shadowed
    decisions = session.decisions.copy()
    places = np.flatnonzero(decisions["outcome"] == Outcome.AS_IF)
    decisions["target_phase_rad"][places[:4]] = np.nan
    assert len(shadows(decisions)) == len(errors) - 4
    assert len(shadows(decisions[:0])) == 0
