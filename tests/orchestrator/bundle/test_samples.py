"""Samples are matched by id, and nothing odd about ids goes unsaid."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from genlevel_orchestrator.bundle.layout import discover
from genlevel_orchestrator.bundle.samples import FileFault, TaskSamples
from genlevel_orchestrator.bundle.violations import Violations
from genlevel_orchestrator.catalogue import Catalogue


def _load(root: Path) -> tuple[TaskSamples, Violations]:
    violations = Violations(root)
    (source,) = discover(root, None, Catalogue.load(), violations)
    return TaskSamples(source).load(violations), violations


def _samples(tmp_path: Path, bundles: ModuleType, ids: list[Any], predictions: Any) -> tuple[TaskSamples, Violations]:
    data = [{"id": value, "output": {"answer": str(value)}} for value in ids]
    bundles.write_task(tmp_path, bundles.ACCURACY, data, predictions)
    return _load(tmp_path)


@pytest.mark.parametrize("form", ["list", "object"])
def test_predictions_as_list_and_as_object(tmp_path: Path, bundles: ModuleType, form: str) -> None:
    entries = [{"id": 2, "prediction": "b"}, {"id": 1, "prediction": "a"}]
    samples, violations = _samples(tmp_path, bundles, [1, 2], entries if form == "list" else {"task": "x", "data": entries})
    assert not violations.counts
    raws = list(samples.read(0, 2))
    assert [raw.key for raw in raws] == ["1", "2"]
    assert [raw.prediction["prediction"] for raw in raws if raw.prediction] == ["a", "b"]
    place = "/data/1" if form == "object" else "/1"
    assert raws[0].prediction_pointer == place


def test_order_is_by_value_when_all_ids_are_whole_numbers_else_by_code_point(tmp_path: Path, bundles: ModuleType) -> None:
    samples, _ = _samples(tmp_path / "a", bundles, ["10", 9, 100], [])
    assert samples.keys == ["9", "10", "100"]
    samples, _ = _samples(tmp_path / "b", bundles, ["10", "9", "x"], [])
    assert samples.keys == ["10", "9", "x"]


def test_numbers_and_text_are_one_id_and_it_is_told(tmp_path: Path, bundles: ModuleType) -> None:
    samples, violations = _samples(tmp_path, bundles, [1, 2], [{"id": "1", "prediction": "a"}, {"id": 2.0, "prediction": "b"}])
    assert samples.missing == 0
    assert violations.counts == {"ID_TYPE": 2}
    assert not violations.errors


def test_a_leading_zero_is_another_id(tmp_path: Path, bundles: ModuleType) -> None:
    samples, violations = _samples(tmp_path, bundles, [1], [{"id": "01", "prediction": "a"}])
    assert samples.missing == 1
    assert violations.counts == {"SURPLUS_ID": 1, "MISSING_PREDICTION": 1}


def test_every_fault_of_ids_at_once(tmp_path: Path, bundles: ModuleType) -> None:
    entries = [
        {"id": 1, "prediction": "a"},
        {"id": 1, "prediction": "another"},
        {"id": 2, "prediction": "b"},
        {"id": 2, "prediction": "b"},
        {"id": 99, "prediction": "x"},
        {"prediction": "x"},
        {"id": None, "prediction": "x"},
        {"id": True, "prediction": "x"},
        {"id": "", "prediction": "x"},
        {"id": [1], "prediction": "x"},
        {"id": 1.5, "prediction": "x"},
        "text",
    ]
    samples, violations = _samples(tmp_path, bundles, [1, 2, 3], entries)
    assert violations.counts == {
        "DUPLICATE_ID": 2, "SURPLUS_ID": 1, "MISSING_ID": 1, "BAD_ID": 5, "WRONG_FORM": 1, "MISSING_PREDICTION": 1,
    }  # fmt: skip
    places = {violation.pointer for violation in violations}
    assert {"/1", "/3", "/4", "/5", "/6/id", "/11"} <= places
    assert all(violation.file.endswith("prediction.json") and violation.remedy for violation in violations)
    by_key = {raw.key: raw for raw in samples.read(0, 3)}
    assert by_key["1"].prediction is None, "two different predictions: neither counts"
    assert by_key["2"].prediction == {"id": 2, "prediction": "b"}


def test_a_sample_annotated_twice_cannot_be_scored(tmp_path: Path, bundles: ModuleType) -> None:
    data = [{"id": 1, "output": {"answer": "a"}}, {"id": 1, "output": {"answer": "b"}}, {"id": 2, "output": {"answer": "c"}}]
    bundles.write_task(tmp_path, bundles.ACCURACY, data, [])
    samples, violations = _load(tmp_path)
    assert samples.excluded == {"1"}
    assert violations.counts["DUPLICATE_ID"] == 1


@pytest.mark.parametrize("side", ["annotation", "predictions"])
def test_a_broken_file_names_its_side(tmp_path: Path, bundles: ModuleType, side: str) -> None:
    data, predictions = bundles.questions(2, 1)
    broken = b'[{"id": 1'
    bundles.write_task(tmp_path, bundles.ACCURACY, broken if side == "annotation" else data, broken if side == "predictions" else predictions)
    with pytest.raises(FileFault) as caught:
        _load(tmp_path)
    assert (caught.value.side, caught.value.fault.code) == (side, "TRUNCATED")


def test_a_file_that_changes_under_the_run_is_noticed(tmp_path: Path, bundles: ModuleType) -> None:
    samples, _ = _samples(tmp_path, bundles, [1, 2], [{"id": 1, "prediction": "a"}, {"id": 2, "prediction": "b"}])
    path = samples.source.predictions
    assert path is not None
    path.write_text('[{"id": 2, "prediction": "b"}, {"id": 1, "prediction": "a"}]')
    with pytest.raises(FileFault) as caught:
        list(samples.read(0, 2))
    assert caught.value.fault.code == "FILE_CHANGED"
