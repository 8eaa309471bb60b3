"""Policy ``paper`` against the published levels and their recomputation from published per-task scores."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.catalogue.level_tasks import level_tasks
from genlevel_orchestrator.levels import LevelCalculator, Levels, ModalityLevels
from genlevel_orchestrator.results_io.published import published_models

REFERENCE = json.loads(Path(__file__).with_name("recomputed_levels.json").read_text(encoding="utf-8"))
NAMES = {"GPT4V": "GPT-4V", "InternVL2.5-8B": "InternVL-2.5-8B"}
MODALITIES = {"3d": "three_d"}

# Their motion FID of 0.51 and 0.60 is worse than the SoTA of 0.228, but the mapping gives 100 to all three. A mask on mapped
# values (the recomputation) calls that a win and level 3 is 2.27; raw values give 0, which is what the paper prints.
DECIDED_ON_RAW_VALUES = ("MotionGPT-T5", "MotionGPT-LLaMA")


def computed(name: str, sota: str = "workbook") -> Levels:
    catalogue = Catalogue.load()
    model = published_models()[NAMES.get(name, name)]
    return LevelCalculator(level_tasks(catalogue, sota)).levels(model.results(catalogue))


def modality_of(row: dict[str, Any]) -> ModalityLevels:
    return computed(row["model"]).modalities[MODALITIES.get(row["modality"], row["modality"])]


def identity(row: dict[str, Any]) -> str:
    return f"{row['model']}-{row['modality']}"


def test_reference_is_complete() -> None:
    assert len(REFERENCE["levels"]) == 35
    assert sum(row["model"] in DECIDED_ON_RAW_VALUES for row in REFERENCE["levels"]) == 2


@pytest.mark.parametrize("row", REFERENCE["levels"], ids=identity)
def test_levels_equal_the_recomputation(row: dict[str, Any]) -> None:
    ours, theirs = modality_of(row), row["computed"]
    assert ours.level_2 == pytest.approx(theirs["level2"], abs=0.005)
    assert ours.level_4 == pytest.approx(theirs["level4"], abs=0.005)
    if row["model"] in DECIDED_ON_RAW_VALUES:
        assert ours.level_3 == 0.0 == row["published"]["level3"]
        assert theirs["level3"] == pytest.approx(2.2727, abs=0.005)
    else:
        assert ours.level_3 == pytest.approx(theirs["level3"], abs=0.005)


@pytest.mark.parametrize("row", REFERENCE["levels"], ids=identity)
def test_group_means_equal_the_recomputation(row: dict[str, Any]) -> None:
    ours, theirs = modality_of(row), row["computed"]
    assert ours.comprehension.mean == pytest.approx(theirs["comp_mean"], abs=0.001)
    assert ours.generation.mean == pytest.approx(theirs["gen_mean"], abs=0.001)
    assert ours.comprehension.winning_mean == pytest.approx(theirs["comp_masked"], abs=0.001)
    if row["model"] not in DECIDED_ON_RAW_VALUES:
        assert ours.generation.winning_mean == pytest.approx(theirs["gen_masked"], abs=0.001)


@pytest.mark.parametrize(
    ("row", "level"),
    [(row, level) for row in REFERENCE["levels"] for level in ("2", "3", "4") if row["match"][f"level{level}"]],
    ids=lambda value: value if isinstance(value, str) else identity(value),
)
def test_published_levels_where_the_paper_agrees(row: dict[str, Any], level: str) -> None:
    ours = modality_of(row)
    value = {"2": ours.level_2, "3": ours.level_3, "4": ours.level_4}[level]
    assert value == pytest.approx(row["published"][f"level{level}"], abs=0.015)


@pytest.mark.parametrize("sota", ["paper", "workbook"])
def test_winning_language_means(sota: str) -> None:
    catalogue = Catalogue.load()
    checked = 0
    for row in REFERENCE["level5"]:
        model = published_models().get(NAMES.get(row["model"], row["model"]))
        if model is None or "language" not in model.groups:
            continue
        levels = computed(row["model"], sota)
        wins = {catalogue.tasks[o.task_id].name for o in levels.outcomes if o.won and o.modality == "language"}
        assert 100.0 * levels.language_weight == pytest.approx(row[f"S_L_with_{sota}_sota"], abs=0.001), row["model"]
        assert len(wins) == row[f"wins_with_{sota}_sota"], row["model"]
        if sota == "paper":
            assert wins == set(row["won_tasks_paper_sota"]), row["model"]
        checked += 1
    assert checked == 9


def test_level_5_of_vitron() -> None:
    """With the paper's language SoTA it wins no language task, as published; with the workbook's it wins six."""
    assert computed("Vitron-V1", "paper").level_5 == 0.0
    vitron = computed("Vitron-V1", "workbook")
    assert vitron.level_5 == pytest.approx(0.0237, abs=0.0005)
    assert vitron.highest == 5
