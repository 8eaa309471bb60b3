"""Folders become tasks of the catalogue, by any of the spellings that public bundles use."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from genlevel_orchestrator.bundle.layout import TaskSource, discover, select
from genlevel_orchestrator.bundle.violations import Violations
from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.errors import UserError

CATALOGUE = Catalogue.load()


def _found(root: Path, references: Path | None = None, tasks: tuple[str, ...] = ()) -> tuple[list[TaskSource], Violations]:
    violations = Violations(root)
    return discover(root, references, CATALOGUE, violations, tasks), violations


@pytest.mark.parametrize(
    ("folder", "name", "task_id"),
    [
        ("nlp", "Commonsense Reasoning", "language.commonsense-reasoning"),
        ("NLP", "commonsense_reasoning", "language.commonsense-reasoning"),
        ("language", "CommonsenseReasoning", "language.commonsense-reasoning"),
        ("3d/comprehension", "3D Furniture Classification", None),
        ("Audio/Comprehension", "AccentClassification", None),
    ],
)
def test_folders_are_matched_by_letters_and_digits(
    tmp_path: Path, bundles: ModuleType, folder: str, name: str, task_id: str | None
) -> None:
    place = tmp_path / folder / name
    place.mkdir(parents=True)
    (place / "annotation.json").write_text("[]")
    (place / "prediction.json").write_text("[]")
    sources, violations = _found(tmp_path)
    assert len(sources) == 1, list(violations)
    assert task_id is None or sources[0].task.task_id == task_id


def test_the_annotations_own_name_goes_first_and_a_mismatch_is_told(tmp_path: Path, bundles: ModuleType) -> None:
    place = bundles.write_task(tmp_path, bundles.ACCURACY, *bundles.questions(1, 1))
    place.rename(place.with_name("Causal Reasoning"))
    sources, violations = _found(tmp_path)
    assert [source.task.name for source in sources] == [bundles.ACCURACY]
    assert violations.counts == {"TASK_NAME_MISMATCH": 1}
    assert not violations.errors


def test_a_name_nobody_knows_falls_back_to_the_folder(tmp_path: Path, bundles: ModuleType) -> None:
    place = bundles.write_task(tmp_path, bundles.ACCURACY, *bundles.questions(1, 1))
    document = json.loads((place / "annotation.json").read_text())
    (place / "annotation.json").write_text(json.dumps({**document, "task": "comprehension_7"}))
    sources, violations = _found(tmp_path)
    assert [source.task.name for source in sources] == [bundles.ACCURACY]
    assert not violations.counts


def test_an_unknown_task_is_offered_the_nearest_names(tmp_path: Path, bundles: ModuleType) -> None:
    bundles.write_task(tmp_path, "Comonsense Reasonin", *bundles.questions(1, 1))
    sources, violations = _found(tmp_path)
    assert not sources
    (violation,) = violations
    assert violation.code == "UNKNOWN_TASK"
    assert "Commonsense Reasoning" in violation.remedy


def test_two_folders_of_one_task_are_a_violation(tmp_path: Path, bundles: ModuleType) -> None:
    place = bundles.write_task(tmp_path, bundles.ACCURACY, *bundles.questions(1, 1))
    twin = place.with_name("commonsense_reasoning_2")
    twin.mkdir()
    (twin / "annotation.json").write_bytes((place / "annotation.json").read_bytes())
    (twin / "prediction.json").write_text("[]")
    sources, violations = _found(tmp_path)
    assert len(sources) == 1
    assert violations.counts["DUPLICATE_TASK"] == 1


def test_references_may_lie_elsewhere(tmp_path: Path, bundles: ModuleType) -> None:
    data, predictions = bundles.questions(2, 1)
    bundles.write_task(tmp_path / "predictions", bundles.ACCURACY, None, predictions)
    bundles.write_task(tmp_path / "references", bundles.ACCURACY, data, None)
    (source,), _ = _found(tmp_path / "predictions", tmp_path / "references")
    assert source.annotation is not None
    assert source.annotation.is_relative_to(tmp_path / "references")
    assert source.reference_base.root == tmp_path / "references"


def test_the_folder_an_archive_wraps_around_is_passed_over(tmp_path: Path, bundles: ModuleType) -> None:
    bundles.text_bundle(tmp_path / "General-Bench-Openset")
    (tmp_path / "__MACOSX").mkdir()
    sources, _ = _found(tmp_path)
    assert len(sources) == 2


def test_annotations_under_other_names(tmp_path: Path, bundles: ModuleType) -> None:
    place = bundles.write_task(tmp_path, bundles.ACCURACY, *bundles.questions(1, 1))
    (place / "json").mkdir()
    (place / "annotation.json").rename(place / "json" / "annotation_v2.json")
    (source,), _ = _found(tmp_path)
    assert source.annotation == place / "json" / "annotation_v2.json"


def test_odd_folders_are_told(tmp_path: Path, bundles: ModuleType) -> None:
    bundles.text_bundle(tmp_path)
    (tmp_path / "smell").mkdir()
    (tmp_path / "image" / "understanding").mkdir(parents=True)
    (tmp_path / "nlp" / "Causal Reasoning").mkdir()
    (tmp_path / "nlp" / "link").symlink_to(tmp_path / "nlp" / "Causal Reasoning")
    _, violations = _found(tmp_path)
    assert violations.counts == {"UNKNOWN_MODALITY": 1, "UNKNOWN_PARADIGM": 1, "EMPTY_TASK": 1, "SYMLINK": 1}


def test_a_folder_without_tasks_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no task folder"):
        _found(tmp_path)


def test_tasks_are_chosen_by_id_name_or_glob(tmp_path: Path, bundles: ModuleType) -> None:
    bundles.text_bundle(tmp_path)
    assert len(_found(tmp_path, tasks=("language.*",))[0]) == 2
    assert len(_found(tmp_path, tasks=(bundles.F1,))[0]) == 1
    assert len(_found(tmp_path, tasks=("image.*",))[0]) == 0
    with pytest.raises(UserError, match="fits no task"):
        select(CATALOGUE, ("smell.*",))
    with pytest.raises(UserError) as caught:
        select(CATALOGUE, ("language.comonsense-reasoning",))
    assert "language.commonsense-reasoning" in str(caught.value.remedy)
