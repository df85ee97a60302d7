"""The documents name what is there, and nothing that is not."""

import re
from pathlib import Path
from typing import get_args

import pytest

from controller.config import (
    ArtifactRules,
    Config,
    Console,
    Estimator,
    FileSource,
    Gate,
    LslSource,
    Montage,
    Rhythm,
    Run,
    SyntheticSource,
    Target,
    Timing,
)
from controller.config_limits import (
    DoseSection,
    LimitsSection,
    StimulatorLimitsSection,
    TrainSection,
)
from controller.config_output import Output
from controller.config_stimulator import Stimulator
from controller.protocol.canonical import json_schema

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = (
    LimitsSection,
    ArtifactRules,
    Console,
    DoseSection,
    StimulatorLimitsSection,
    TrainSection,
    Estimator,
    FileSource,
    Gate,
    LslSource,
    Montage,
    Rhythm,
    Run,
    SyntheticSource,
    Target,
    Timing,
    *get_args(get_args(Output)[0]),
    *get_args(get_args(Stimulator)[0]),
)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_key_of_the_configuration_is_documented(section: type) -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    missing = [
        name for name in section.model_fields if not re.search(rf"\b{name}\b", text)
    ]
    assert missing == []


def test_every_section_of_the_configuration_has_a_heading() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    tables = set(Config.model_fields) - {"title"}
    assert {name for name in tables if f"## `[{name}]`" not in text} == set()


def test_every_key_of_a_protocol_is_documented() -> None:
    text = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")
    schema = json_schema()
    tables = [schema, *schema["$defs"].values()]
    keys = {key for table in tables for key in table.get("properties", {})}
    assert {key for key in keys if not re.search(rf"\b{key}\b", text)} == set()


def test_every_ready_protocol_is_documented() -> None:
    text = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")
    names = {path.stem for path in (ROOT / "configs" / "protocols").glob("*.toml")}
    assert {
        name for name in names - {"starter"} if f"| `{name}` |" not in text
    } == set()


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=str
)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if not (page.parent / link).exists()]
    assert broken == []


def test_paths_in_the_safety_table_exist() -> None:
    text = (ROOT / "SAFETY.md").read_text(encoding="utf-8")
    named = set(
        re.findall(
            r"`((?:safety|engine|core|rig|kernels|session|estimators)/\w+\.py)`", text
        )
    )
    assert named
    assert {
        path for path in named if not (ROOT / "controller" / path).exists()
    } == set()


def test_tests_in_the_safety_table_exist() -> None:
    text = (ROOT / "SAFETY.md").read_text(encoding="utf-8")
    table = text[text.index("| hazard |") : text.index("## Who tests the tests")]
    rows = [row.split("|") for row in table.splitlines()[2:] if row.startswith("|")]
    assert len(rows) > 30
    for row in rows:
        told = row[4].strip().strip("`")
        if told == "-":
            continue
        path, _, name = told.partition("::")
        source = (ROOT / path).read_text(encoding="utf-8")
        assert not name or re.search(rf"(?m)^ *(def |){name}\b", source), told
