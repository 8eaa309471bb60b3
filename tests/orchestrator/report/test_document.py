"""The report document: complete, JSON without NaN, equal to the run's own numbers."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.report import FORMATS, build_report, render, write_reports
from genlevel_orchestrator.report.numbers import from_json, json_number, shown
from genlevel_orchestrator.results_io import read_results
from genlevel_orchestrator.runs.results import RunResult, TaskStatus

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def report(result: RunResult, catalogue: Catalogue) -> dict[str, Any]:
    """The document as a reader gets it: through JSON, which must be strict."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    content = render(result, catalogue, "json").content
    document: dict[str, Any] = json.loads(content, parse_constant=refuse)
    return document


def by_id(report: dict[str, Any], task_id: str) -> dict[str, Any]:
    return next(task for task in report["tasks"] if task["task_id"] == task_id)


def test_document_follows_the_schema_of_the_docs(report: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "report.md").read_text()
    match = re.search(r"```json\n(\{.*?\n\})\n```", page, re.DOTALL)
    assert match is not None
    schema = json.loads(match.group(1))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(report, schema)
    broken = {**report, "levels": {"paper": {}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)


def test_every_task_of_the_catalogue_is_there_in_order(report: dict[str, Any], catalogue: Catalogue) -> None:
    assert [task["task_id"] for task in report["tasks"]] == list(catalogue.tasks)


def test_values_are_those_of_the_run(report: dict[str, Any], result: RunResult) -> None:
    for outcome in result.tasks:
        task = by_id(report, outcome.task_id)
        expected = outcome.value.value if outcome.value else None
        assert from_json(task["value"]) == expected
        assert task["normalised"] == outcome.normalised
        assert task["win"] == outcome.win
        assert (task["signature"] is None) == (outcome.value is None)


def test_infinity_is_a_word_and_undefined_is_null_with_a_reason(report: dict[str, Any], synthetic: Any, catalogue: Catalogue) -> None:
    special = synthetic.special_cases(catalogue)
    perfect = by_id(report, special["infinite"])
    assert (perfect["value"], perfect["normalised"], perfect["companions"]["perfect"]) == ("Infinity", 100.0, "Infinity")
    undefined = by_id(report, special["undefined"])
    assert (undefined["value"], undefined["status"]) == (None, "undefined")
    assert undefined["reason"]


def test_coverage_counts_add_up(report: dict[str, Any], result: RunResult) -> None:
    counts = report["coverage"]
    assert counts["tasks"] == 699
    assert sum(counts[str(status)] for status in TaskStatus) == 699
    assert counts["scored"] == result.count(TaskStatus.SCORED)
    assert counts["submitted"] == 699 - counts["not_submitted"]
    assert counts["not_comparable"] == 1
    assert len(report["groups"]) == 9
    assert sum(group["scored"] for group in report["groups"]) == counts["scored"]
    assert len(report["skills"]) == 145
    assert sum(skill["tasks"] for skill in report["skills"]) == 699


def test_group_means_by_hand(report: dict[str, Any]) -> None:
    group = next(g for g in report["groups"] if (g["modality"], g["paradigm"]) == ("audio", "generation"))
    members = [t for t in report["tasks"] if (t["modality"], t["paradigm"]) == ("audio", "generation")]
    scores = [t["normalised"] for t in members if t["normalised"] is not None]
    sota = [t["sota_normalised"] for t in members if t["normalised"] is not None]
    assert len(scores) == 3
    assert group["score_mean_scored"] == pytest.approx(sum(scores) / 3, abs=1e-12)
    assert group["sota_mean_scored"] == pytest.approx(sum(sota) / 3, abs=1e-12)
    assert group["score_mean_all"] == pytest.approx(sum(scores) / 20, abs=1e-12)


def test_means_agree_with_level_2(report: dict[str, Any]) -> None:
    """Level 2 is the mean of the group means: two ways to the same number."""
    groups = {(g["modality"], g["paradigm"]): g["score_mean_all"] for g in report["groups"]}
    modalities = ("image", "video", "audio", "three_d")
    level = sum(groups[m, "comprehension"] + groups[m, "generation"] for m in modalities) / 8
    assert report["levels"]["paper"]["levels"]["2"] == pytest.approx(level, abs=1e-9)


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        json_number(math.nan)


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [(0.0, "percent", "0.000 %"), (12345.6, "", "1.23e+04"), (-1.5, "dB", "−1.500 dB"), ("-Infinity", "", "−∞"), (None, "dB", "–")],
)
def test_numbers_for_a_person(value: Any, unit: str, words: str) -> None:
    assert shown(value, unit) == words


def test_workbook_is_read_back_and_keeps_stand_ins_apart(result: RunResult, catalogue: Catalogue, synthetic: Any, tmp_path: Path) -> None:
    paths = write_reports(result, catalogue, tmp_path)
    read = read_results(paths["xlsx"], catalogue, result.model)
    stand_in = synthetic.special_cases(catalogue)["stand_in"]
    expected = {t.task_id: t.value.value for t in result.tasks if t.value and t.value.value is not None and t.task_id != stand_in}
    assert {task_id: r.value for task_id, r in read.items() if r.value is not None} == pytest.approx(expected)
    apart = read_results(paths["xlsx"], catalogue, f"{result.model} [not comparable]")
    assert {task_id: r.value for task_id, r in apart.items() if r.value is not None} == {stand_in: 20.0}


def test_files_are_whole_and_readable(result: RunResult, catalogue: Catalogue, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    paths = write_reports(result, catalogue, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.json", "report.xlsx", "samples.json.gz"]
    assert set(paths) == set(FORMATS)
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in paths.values())
    assert json.loads(paths["json"].read_text()) == json.loads(json.dumps(build_report(result, catalogue)))


def test_unknown_format(result: RunResult, catalogue: Catalogue) -> None:
    with pytest.raises(UserError, match="pdf"):
        render(result, catalogue, "pdf")
