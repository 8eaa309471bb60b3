"""docs/formats.md and the schemas say the same, and every example is what its schema asks for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from genlevel_evaluator import formats
from genlevel_evaluator.evaluator import installed
from genlevel_evaluator.formats.__main__ import renew

DOCUMENT = Path(__file__).parents[2] / "docs" / "formats.md"
SIDES: tuple[formats.Side, ...] = ("prediction", "reference")


def sides_of(line: dict[str, Any]) -> list[tuple[formats.Side, Any]]:
    found: list[tuple[formats.Side, Any]] = []
    if "prediction" in line:
        found.append(("prediction", line["prediction"]))
    found += [("reference", value) for value in line.get("references", [])]
    if "reference" in line:
        found.append(("reference", line["reference"]))
    return found


def section(kind: str) -> str:
    text = DOCUMENT.read_text(encoding="utf-8")
    return text.split(f"\n#### {kind}\n")[1].split("\n#### ")[0]


def test_document_is_renewed() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert renew(text) == text, "run: python -m genlevel_evaluator.formats docs/formats.md"


@pytest.mark.parametrize("kind", formats.names())
def test_example_of_the_document_is_valid(kind: str) -> None:
    block = re.search(r"```jsonl\n(.*?)```", section(kind), re.DOTALL)
    assert block, kind
    lines = [json.loads(line) for line in block[1].splitlines()]
    assert lines
    for line in lines:
        assert sides_of(line), line
        for side, value in sides_of(line):
            jsonschema.Draft202012Validator(formats.schema(kind, side)).validate(value)
            jsonschema.Draft202012Validator(formats.schema(kind)).validate(value)


@pytest.mark.parametrize("kind", formats.names())
def test_schema_is_a_schema_and_refuses_null(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(formats.schema(kind))
    for side in SIDES:
        validator = jsonschema.Draft202012Validator(formats.schema(kind, side))
        assert not validator.is_valid(None), "null is the missing prediction of every kind"


@pytest.mark.parametrize("kind", formats.names())
def test_paths_are_strings(kind: str) -> None:
    """Where a string is a path, a string and the inline form are both allowed."""
    for side in SIDES:
        validator = jsonschema.Draft202012Validator(formats.schema(kind, side))
        inline = {"name": "a.bin", "base64": "AA=="}
        if formats.strings_are_paths(kind, side) and not kind.startswith("views"):
            assert validator.is_valid("a.bin"), (kind, side)
            assert validator.is_valid(inline), (kind, side)
        else:
            assert not validator.is_valid(inline) or kind.startswith("views"), (kind, side)


def test_shared_definitions_agree() -> None:
    seen: dict[str, Any] = {}
    for kind in formats.names():
        for name, definition in formats.document(kind)["$defs"].items():
            if name not in SIDES:
                assert seen.setdefault(name, definition) == definition, (kind, name)


def test_positions_are_unique() -> None:
    positions = [formats.facts(kind)["position"] for kind in formats.names()]
    assert len(set(positions)) == len(positions)


@pytest.mark.parametrize(
    ("kind", "side", "value"),
    [
        ("boxes", "prediction", [{"label": "a", "box": [1, 2, 3]}]),
        ("boxes", "prediction", [{"box": [1, 2, 3, 4]}]),
        ("boxes", "prediction", [{"label": "a", "box": [1, 2, 3, 4], "confidence": 1}]),
        ("grounding", "reference", []),
        ("masks", "prediction", {"size": [2], "counts": [4]}),
        ("ratings", "prediction", [{"rater": "a", "score": 70}]),
        ("ratings", "prediction", [{"rater": "a", "score": 3.3}]),
        ("trajectory", "prediction", [[[1, 0, 0, 0], [0, 1, 0, 0]]]),
        ("point_set", "prediction", []),
        ("point_set", "prediction", [[0, 0]]),
        ("text", "prediction", ["a"]),
        ("speech", "reference", {"name": "a.wav", "base64": "AA=="}),
        ("image", "prediction", {"name": "a.png"}),
        ("image", "prediction", ""),
        ("verdict", "prediction", {"verdict": 2, "judge": "j"}),
        ("panoptic", "prediction", {"image": "a.png", "segments": [{"id": 0, "label": "x"}]}),
    ],
)
def test_wrong_forms_are_refused(kind: str, side: formats.Side, value: Any) -> None:
    assert not jsonschema.Draft202012Validator(formats.schema(kind, side)).is_valid(value)


def test_unknown_kind_offers_the_nearest() -> None:
    with pytest.raises(KeyError, match="did you mean boxes"):
        formats.document("boxs")


def test_kinds_of_every_installed_metric_are_described() -> None:
    for load in installed().values():
        evaluator = load()
        for kind in evaluator.kinds.values():
            assert kind.name in formats.names(), f"{evaluator.name}: {kind.name} is not in docs/formats.md"
            for side in ("prediction", "reference"):
                assert kind.takes_paths(side) == formats.strings_are_paths(kind.name, side), (kind.name, side)


def test_the_bundle_reader_has_the_same_table() -> None:
    """The orchestrator does not import the evaluators' package, so it carries a copy."""
    from genlevel_orchestrator.bundle.fields import form_of

    for kind in formats.names():
        form = form_of(kind)
        assert form.prediction_paths == formats.strings_are_paths(kind, "prediction"), kind
        assert form.reference_paths == formats.strings_are_paths(kind, "reference"), kind
        assert form.media == formats.media_pointers(kind), kind


def test_in_process_scoring_reads_a_transcript_beside_a_path() -> None:
    from genlevel_evaluator import score

    samples = [{"id": 1, "prediction": {"text": "the cat sat"}, "reference": "the cat sat down"}]
    assert score("wer", samples, parameters={"source": "transcript"}).value == 25.0
