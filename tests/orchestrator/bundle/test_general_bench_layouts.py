"""Single spellings of public bundles that need a rule of their own, and what is said where the rule does not settle it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_general_bench import score

from genlevel_orchestrator.bundle.adapters import intents
from genlevel_orchestrator.bundle.attributes import attributes
from genlevel_orchestrator.bundle.fields import form_of, referenced
from genlevel_orchestrator.bundle.layout import TaskSource, discover
from genlevel_orchestrator.bundle.samples import TaskSamples
from genlevel_orchestrator.bundle.violations import Fault, Violations
from genlevel_orchestrator.catalogue import Catalogue

MATCH = "video/comprehension/ColorMatch"
ONE = [{"id": 1, "output": {"answer": "B"}}]


def _put(folder: Path, **files: Any) -> Path:
    (folder / "json").mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / f"{name.replace('__', '/')}.json").write_text(json.dumps(value))
    return folder


def _found(root: Path) -> tuple[list[TaskSource], Violations]:
    violations = Violations(root)
    return discover(root, None, Catalogue.load(), violations), violations


@pytest.mark.parametrize("place", ["nlp", "nlp/comprehension", "NLP/Generation"])
def test_language_with_and_without_paradigm(tmp_path: Path, place: str) -> None:
    _put(tmp_path / place / "TriviaQA", annotation={"data": ONE}, prediction=[{"id": 1, "prediction": "B"}])
    sources, violations = _found(tmp_path)
    assert [source.task.task_id for source in sources] == ["language.trivia-qa"]
    assert not violations.counts


@pytest.mark.parametrize(
    ("files", "chosen", "codes"),
    [
        (["annotation", "other"], "annotation", {}),
        (["json__annotation_v2", "other"], "json/annotation_v2", {}),
        (["color_match", "other"], "color_match", {}),
        (["other"], "other", {}),
        (["zz", "other"], "other", {"SEVERAL_ANNOTATIONS": 1}),
    ],
)
def test_the_file_that_is_the_annotation(tmp_path: Path, files: list[str], chosen: str, codes: dict[str, int]) -> None:
    folder = _put(tmp_path / MATCH, prediction=[{"id": 1, "prediction": "B"}], **{name: {"data": ONE} for name in files})
    (source,), violations = _found(tmp_path)
    assert source.annotation == folder / f"{chosen}.json"
    assert violations.counts == codes
    assert not violations.errors


def test_a_file_without_samples_is_no_annotation(tmp_path: Path) -> None:
    folder = _put(tmp_path / MATCH, prediction=[], config={"a": 1}, labels=["x"], truth={"data": ONE})
    (source,), violations = _found(tmp_path)
    assert (source.annotation, violations.counts) == (folder / "truth.json", {})


def test_an_id_behind_the_name_is_passed_over(tmp_path: Path) -> None:
    _put(tmp_path / "nlp" / "task_7", annotation={"task": "multi_turn_daily_dialogue_generationid", "data": ONE}, prediction=[])
    (source,), violations = _found(tmp_path)
    assert source.task.task_id == "language.multi-turn-daily-dialogue-generation"
    assert not violations.errors


def _audio(tmp_path: Path, files: list[str], paths: list[str]) -> tuple[TaskSamples, Violations]:
    data = [{"id": place, "input": {"audio_file": name}, "output": {"text": "dog"}} for place, name in enumerate(files)]
    folder = tmp_path / "audio" / "comprehension" / "VocalSoundClassification"
    _put(folder, annotation={"data": data}, VocalSoundClassification_250711101530=[{"gt": "dog", "response": "cat", "audio_path": "/x/old.wav"}])
    entries = [{"gt": "cat", "response": "Dog", "audio_path": path} for path in paths]
    _put(folder, VocalSoundClassification_250711101531=entries)
    (source,), violations = _found(tmp_path)
    return TaskSamples(source).load(violations), violations


def test_answers_of_the_public_audio_predictor_are_matched_by_file(tmp_path: Path) -> None:
    samples, violations = _audio(tmp_path, ["a/1.wav", "b\\2.wav"], ["/data/audios/2.wav", "C:\\audios\\1.wav"])
    assert not violations.counts
    assert samples.missing == 0
    assert score(tmp_path)[0].value == 100.0, "the answer counts, not what the file calls the truth"


def test_a_file_of_no_sample_or_of_two_is_named(tmp_path: Path) -> None:
    samples, violations = _audio(tmp_path, ["a/1.wav", "b/1.wav", "2.wav"], ["/x/1.wav", "/x/3.wav", "/x/2.wav", "/x/2.wav"])
    assert samples.missing == 2
    assert violations.counts == {"MISSING_ID": 2, "MISSING_PREDICTION": 2, "DUPLICATE_ID": 1}


def test_bare_lists_of_texts_are_refused(tmp_path: Path) -> None:
    _put(tmp_path / MATCH, annotation={"data": ONE}, prediction=["B"])
    (source,), violations = _found(tmp_path)
    TaskSamples(source).load(violations)
    assert violations.counts == {"WRONG_FORM": 1, "MISSING_PREDICTION": 1}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, 50.0),
        ({"extractor": "public_option_letter", "match": "public"}, 100.0),  # "C" lacks the word answer, so A is taken
        ({"extractor": "none", "match": "substring"}, 0.0),
    ],
)
def test_the_public_scorers_rules_are_reached_from_the_annotation(tmp_path: Path, parameters: dict[str, str], expected: float) -> None:
    data = [{"id": 1, "input": {"options": ["w", "x", "y"]}, "output": {"answer": "A"}}, {"id": 2, "input": {}, "output": {"answer": "A"}}]
    answers = [{"id": 1, "prediction": "w"}, {"id": 2, "prediction": "C"}]
    _put(tmp_path / "nlp" / "Causal Reasoning", annotation={"type": "MultipleChoiceQA", "parameters": parameters, "data": data}, prediction=answers)
    assert score(tmp_path)[0].value == expected


@pytest.mark.parametrize(("sample_type", "expected"), [("multi label classification", 100.0), ("classification", 0.0), ("Multiple Choice", 0.0)])
def test_the_type_says_how_labels_are_written(tmp_path: Path, sample_type: str, expected: float) -> None:
    data = [{"id": 1, "output": {"labels": "joy, anger"}}]
    _put(tmp_path / "nlp" / "Humor Detection", annotation={"type": sample_type, "data": data}, prediction=[{"id": 1, "prediction": "anger, joy"}])
    assert score(tmp_path)[0].value == expected


def test_choices_as_labels_are_read_by_letter(tmp_path: Path) -> None:
    data = [{"id": 1, "output": {"answer": "b"}}]
    _put(tmp_path / "nlp" / "Humor Detection", annotation={"type": "multiple choice", "data": data}, prediction=[{"id": 1, "prediction": "I say (B)."}])
    assert score(tmp_path)[0].value == 100.0


def test_labels_beside_the_samples_are_candidates(tmp_path: Path) -> None:
    data = [{"id": 1, "output": {"prediction": "polar bear"}}, {"id": 2, "output": {"prediction": "dog"}}]
    answers = [{"id": 1, "prediction": "It is a polar bear."}, {"id": 2, "prediction": "a dog or a bear"}]
    _put(tmp_path / "image/comprehension/Animal Recognition", annotation={"labels": ["bear", "polar bear", "dog"], "data": data}, prediction=answers)
    assert score(tmp_path)[0].value == 50.0


def test_a_lone_question_is_no_reference() -> None:
    assert referenced({"id": 1, "question": "?", "output": None}, form_of("text"), "OpenQA")[1] == []
    assert referenced({"id": 1, "question": "?"}, form_of("text"), "OpenQA")[1] == []
    assert referenced({"id": 1, "answer": "a"}, form_of("text"), "OpenQA") == ("/answer", ["a"])


def test_options_under_other_names() -> None:
    assert attributes({"input": {"candidates": {"A": "x"}, "candidate_labels": ["y"]}}) == {"options": {"A": "x"}, "labels": ["y"]}
    assert attributes({"input": {"options": ["own"]}}, "text", {"options": ["all"], "labels": "none"}) == {"options": ["own"]}


def test_an_intent_that_the_annotation_does_not_name() -> None:
    maps = {"action": {"activate": 0}, "object": {"0": "lamp"}, "location": {}}
    with pytest.raises(Fault) as caught:
        intents(["0 0 5"], maps)
    assert caught.value.code == "BAD_INTENT"
    assert intents(["activate lamp"], maps) == ["activate lamp"]


@pytest.mark.parametrize(("name", "output"), [("Code Generation", {"response": {"content": "{}"}}), ("Code Repair", {"repairCode": "{}"})])
def test_fences_around_code_cost_nothing(tmp_path: Path, name: str, output: dict[str, Any]) -> None:
    code = "def add(a, b):\n    total = a + b\n    return total\n"
    data = [{"id": 1, "output": json.loads(json.dumps(output).replace('"{}"', json.dumps(code)))}]
    answers = [{"id": 1, "prediction": f"Here you are:\n\n```python\n{code}```\nIt adds two numbers."}]
    _put(tmp_path / "nlp" / name, annotation={"type": name, "data": data}, prediction=answers)
    assert score(tmp_path)[0].value == pytest.approx(100.0)
