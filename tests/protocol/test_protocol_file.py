from pathlib import Path

import pytest

from controller.errors import ConfigError
from controller.protocol.protocol_file import is_protocol, load_protocol, parse_protocol
from tests.protocol.conftest import READY

STAGE = 'kind = "run"\nname = "pulses"\nn_trials = 40'
PHASE_0 = '{ kind = "phase", phase_deg = 0 }'
ADD = "[dose]"
BLIND = """[blinding]
arms = ["a", "b"]
sham = "b"
sham_by = "random-phase"
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("n_trials", "n_trails", "unknown key stages 1.n_trails; did you mean n_tri"),
        ("n_trials = 40", "", "stages 1: give one of n_trials and duration_s"),
        ("n_trials = 40", "n_trials = 0", "stages 1.n_trials must be greater than"),
        ('kind = "run"', 'kind = "walk"', "stages 1.kind is 'walk'"),
        ("phase_deg = 0", "phase_deg = []", "conditions 1.when.phase_deg must list 1"),
        ("phase_deg = 0", "phase_deg = [0, 360]", "names one phase twice"),
        ("phase_deg = 0", "phase_deg = nan", "must be a finite number"),
        ("iti_s = 3.0", 'iti_s = "3"', "intervals.iti_s must be a number"),
        ("iti_s = 3.0", "iti_s = 3.0\niti_jitter_s = 3", "iti_jitter_s is 3 s"),
        ("pct_rmt = 110", "pct_rmt = 201", "intensity.pct_rmt"),
        ("pct_rmt = 110", "pct_mso = 60\nfirst_pct_rmt = 3", "scale of the other"),
        ("[intensity]\npct_rmt = 110", "", "conditions 1.intensity is missing"),
        ('name = "peak"', 'name = "trough"', "'trough' stands there twice"),
        (STAGE, STAGE + '\nconditions = ["peak"]', "no stage uses 'trough'"),
        (STAGE, STAGE + '\nconditions = ["pek", "trough"]', "names pek, which is no"),
        (
            STAGE,
            STAGE + '\nconditions = ["peak", "peak", "trough"]',
            "names one condition twice",
        ),
        (STAGE, 'kind = "rest"\nname = "r"\nduration_s = 3', "nothing is stimulated"),
        (
            STAGE,
            STAGE + '\nenter = { marker = "go" }',
            "marker_streams.listen_to names no stream",
        ),
        (STAGE, STAGE + "\nenter = { timeout_s = 3 }", "give operator = true, marker"),
        (
            STAGE,
            STAGE + "\nenter = { operator = true, timeout_s = 3 }",
            "timeout_s goes with marker",
        ),
        (
            PHASE_0,
            PHASE_0 + "\nintensity = { pct_rmt = 110, first_pct_rmt = 80 }",
            "go with a paired pattern",
        ),
        (
            PHASE_0,
            '{ kind = "control" }\npattern = { kind = "single" }',
            "a control gives no pulse",
        ),
        (
            PHASE_0,
            '{ kind = "open-loop" }\npattern = { kind = "itbs", lock = "each" }',
            'lock = "each" meets a phase',
        ),
        (
            PHASE_0,
            '{ kind = "yoked", session = "x" }',
            "a yoked condition follows another session's times",
        ),
        (ADD, "[shadow]\nshare = 0.0005\n[dose]", "share must be 0, or at least"),
        (ADD, "[shadow]\nshare = 1\n[dose]", "shadow.share"),
        (
            ADD,
            BLIND.replace('sham = "b"', 'sham = "c"') + "[dose]",
            "blinding.sham is 'c', which is no arm",
        ),
        (
            ADD,
            BLIND.replace("random-phase", "intensity") + "[dose]",
            "blinding.sham_intensity goes with",
        ),
        (
            ADD,
            BLIND.replace("random-phase", "coil-code") + "[dose]",
            "blinding.coil_codes must list 2 codes",
        ),
        (
            ADD,
            BLIND.replace('"a", "b"', '"b", "b"') + "[dose]",
            "blinding.arms names one arm twice",
        ),
        (
            ADD,
            BLIND + 'coil_codes = ["A", "B"]\n[dose]',
            'coil_codes goes with sham_by = "coil-code"',
        ),
        (
            ADD,
            BLIND.replace("random-phase", "coil-code")
            + 'coil_codes = ["A", "A", "B"]\n[dose]',
            "blinding.coil_codes must list 2 codes",
        ),
        (
            ADD,
            BLIND.replace("random-phase", "intensity")
            + "sham_intensity = { pct_rmt = 30, first_pct_rmt = 20 }\n[dose]",
            "go with paired patterns in every condition",
        ),
        (
            PHASE_0,
            PHASE_0 + '\npattern = { kind = "custom", offsets_ms = [1] }',
            "conditions 1: pattern.offsets_ms begins with 1",
        ),
        ("max_pulses_total = 1000", "", "dose.max_pulses_total is missing"),
        ("title", "titel", "unknown key titel; did you mean title?"),
        ("title = ", "title = = ", "is not valid TOML"),
    ],
)
def test_every_mistake_is_a_sentence_with_its_key(small, old, new, words) -> None:
    with pytest.raises(ConfigError) as caught:
        small((old, new))
    assert words in str(caught.value)
    assert "small.toml" in str(caught.value)


def test_a_wrong_entry_is_not_also_told_as_a_list_too_short(small) -> None:
    with pytest.raises(ConfigError) as caught:
        small((PHASE_0, PHASE_0.replace("= 0", "= 700")))
    assert str(caught.value).endswith("must be less than or equal to 360, not 700.")


def test_a_sham_by_random_phase_needs_a_phase(small) -> None:
    clock = '{ kind = "open-loop" }'
    with pytest.raises(ConfigError, match="changes nothing"):
        small(
            (PHASE_0, clock),
            ('{ kind = "phase", phase_deg = 180 }', clock),
            (ADD, BLIND + "[dose]"),
        )


TASK = """kind = "task"
name = "memory"
n_trials = 40
window = { marker = "delay", from_s = 0.5, to_s = 2.5 }"""
LISTEN = ("[dose]", '[marker_streams]\nlisten_to = "PsychoPy"\n[dose]')


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("from_s = 0.5", "from_s = -0.5", "no one knows a marker beforehand"),
        ("to_s = 2.5", "to_s = 0.5", "below to_s"),
        ("to_s = 2.5", "to_s = 9", "longer than the interval of trials"),
        ("kind", 'condition_markers = { go = "x" }\nkind', "leads to x, which is no"),
    ],
)
def test_mistakes_in_a_task(small, old, new, words) -> None:
    with pytest.raises(ConfigError, match=words):
        small(LISTEN, (STAGE, TASK.replace(old, new, 1)))


def test_a_task_may_stand(small) -> None:
    assert small(LISTEN, (STAGE, TASK)).stages[0].kind == "task"


def test_a_missing_file_says_where_to_begin(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="phasegate new"):
        load_protocol(tmp_path / "none.toml")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read as text"):
        load_protocol(path)


def test_protocols_and_configurations_are_told_apart() -> None:
    for path in READY.glob("*.toml"):
        assert is_protocol(path.read_text())
    for path in READY.parent.glob("*.toml"):
        assert not is_protocol(path.read_text())
    assert not is_protocol("= nonsense")


def test_everything_at_once_is_told(small_text) -> None:
    wrong = small_text.replace("iti_s", "iti").replace("title", "titel")
    with pytest.raises(ConfigError) as caught:
        parse_protocol(wrong, where="x")
    for key in ("titel", "title is missing", "intervals.iti_s", "intervals.iti;"):
        assert key in str(caught.value)
