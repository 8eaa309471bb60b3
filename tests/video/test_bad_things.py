"""What is no target, no detection and no caption: refused with a reason, or left out."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from tests.video.things import found, scored, thing


@pytest.mark.parametrize(
    ("metric_id", "target"),
    [
        ("object_class", ""), ("object_class", "  . "), ("object_class", "Sure, here are four new sentences:"), ("object_class", "a dog running in the park"),
        ("object_class", {"color": "red"}), ("object_class", "cat\ndog"), ("multiple_objects", "a dog"), ("multiple_objects", "dog and cat and cup"),
        ("multiple_objects", "a dog and dogs"), ("multiple_objects", "a dog and "), ("color", "a delicate car"), ("color", "red"),
        ("color", {"color": "delicate", "object": "car"}), ("spatial_relationship", "a dog f a cat"), ("spatial_relationship", "on the left of"),
        ("spatial_relationship", {"object_a": "dog", "object_b": "cat", "relationship": "on t"}), ("scene", "Sure! Here is a scene."), ("scene", {"object": "dog"}),
    ],
)  # fmt: skip
def test_targets_that_name_nothing_are_left_out(metric_id: str, target: Any) -> None:
    good = {"captioner": "tag2text", "captions": ["a beach"]} if metric_id == "scene" else found([thing("dog", [0, 0, 1, 1])])
    for prediction in (good, None):
        value, issues = scored(metric_id, [(prediction, target)])
        assert [(issue.code, issue.severity) for issue in issues] == [("BAD_TARGET", "reference")]
        assert value.excluded == 1
        assert issues[0].remedy


HOSTILE: dict[str, tuple[Any, str]] = {
    "text": ("dog", "WRONG_TYPE"), "number": (3, "WRONG_TYPE"), "no frames": ({"detector": "grit-b"}, "WRONG_TYPE"), "no frame": (found(), "WRONG_TYPE"),
    "null frame": ({"detector": "grit-b", "frames": [None]}, "WRONG_TYPE"), "frames by name": ({"detector": "grit-b", "frames": {"0": []}}, "WRONG_TYPE"),
    "no detector": ({"detector": " ", "frames": [[]]}, "WRONG_TYPE"), "unknown key": ({**found([]), "threshold": 0.1}, "UNKNOWN_KEY"),
    "unknown key of a thing": (found([{"label": "dog", "bbox": [0, 0, 1, 1]}]), "UNKNOWN_KEY"), "no label": (found([{"box": [0, 0, 1, 1]}]), "WRONG_TYPE"),
    "label of another type": (found([{"label": 3}]), "WRONG_TYPE"), "thing of another type": (found(["dog"]), "WRONG_TYPE"),
    "score as text": (found([{"label": "dog", "score": "0.9"}]), "BAD_SCORE"), "true score": (found([{"label": "dog", "score": True}]), "BAD_SCORE"),
    "infinite score": (found([{"label": "dog", "score": math.inf}]), "BAD_SCORE"), "huge score": (found([{"label": "dog", "score": 10**400}]), "BAD_SCORE"),
    "NaN box": (found([{"label": "dog", "box": [0, 0, math.nan, 1]}]), "BAD_BOX"), "three edges": (found([{"label": "dog", "box": [0, 0, 1]}]), "BAD_BOX"),
    "huge box": (found([{"label": "dog", "box": [0, 0, 10**400, 1]}]), "BAD_BOX"), "box by name": (found([{"label": "dog", "box": {"x": 1}}]), "BAD_BOX"),
    "long label": (found([{"label": "d" * 5000}]), "TOO_LONG"), "a million": (found([{"label": "dog"}] * 10**6), "TOO_MANY_DETECTIONS"),
    "a million frames": (found(*[[]] * 10**6), "TOO_MANY_FRAMES"), "captions": ({"captioner": "grit-b", "captions": ["dog"]}, "NO_DETECTIONS"),
    "description of another type": (found([{"label": "dog", "description": ["red"]}]), "WRONG_TYPE"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_detections_are_refused_with_a_reason(name: str) -> None:
    given_, code = HOSTILE[name]
    value, issues = scored("object_class", [(given_, "a dog")])
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "prediction")]
    assert issues[0].remedy
    assert len(issues[0].message) < 200
    assert (value.value, value.present) == (0.0, 0)


def test_files_of_detections_are_read_and_bad_ones_refused() -> None:
    scorer = Scorer.of(load("video"), "object_class", {"detector": "supplied", "frames": 1})
    files = {"a": json.dumps(found([thing("dog")])).encode(), "b": b'{"detector": "grit-b", "frames": [[{"label": "dog", "score": NaN}]]}', "c": b"{", "d": b"\xff"}
    samples = [RawSample(key, Content(media=media.from_bytes(data, f"{key}.json")), (Content(text="dog"),)) for key, data in files.items()]
    rows, issues = scorer.observe(samples)
    assert [(issue.sample_id, issue.code) for issue in issues] == [("b", "BAD_JSON"), ("c", "BAD_JSON"), ("d", "NOT_UTF8")]
    assert scorer.finalize(rows).value == 25.0


@pytest.mark.parametrize(("frames", "fits"), [(2, True), (3, False), (0, True)])
def test_every_clip_has_as_many_frames_as_the_parameter_says(frames: int, fits: bool) -> None:
    value, issues = scored("object_class", [(found([thing("dog")], [thing("dog")]), "dog")], frames=frames)
    assert [issue.code for issue in issues] == ([] if fits else ["WRONG_FRAME_COUNT"])
    assert value.value == (100.0 if fits else 0.0)
    captions = {"captioner": "tag2text", "captions": ["a dog"] * 2}
    assert scored("scene", [(captions, "dog")], frames=frames)[0].value == (100.0 if fits else 0.0)


def test_boxes_are_asked_for_where_they_count() -> None:
    clip = found([thing("dog"), thing("cat", [0, 0, 1, 1])])
    assert scored("multiple_objects", [(clip, "dog and cat")])[0].value == 100.0
    assert [issue.code for issue in scored("spatial_relationship", [(clip, "dog left of cat")])[1]] == ["NO_BOX"]
    turned = found([thing("dog", [5, 0, 1, 9]), thing("cat", [0, 0, 1, 1])])
    assert [issue.code for issue in scored("spatial_relationship", [(turned, "dog left of cat")])[1]] == ["BAD_BOX"]


def test_captions_are_asked_for_where_they_count() -> None:
    for given_, code in ((found([thing("dog")]), "NO_CAPTIONS"), ({"captioner": "blip", "captions": ["a"]}, "OTHER_CAPTIONER"), ({"captioner": "tag2text", "captions": [3]}, "WRONG_TYPE")):
        assert [issue.code for issue in scored("scene", [(given_, "beach")])[1]] == [code]
    other = scored("scene", [({"captioner": "blip", "captions": ["a beach"]}, "beach")], supplied_by="BLIP")[0]
    assert (other.value, other.warnings) == (100.0, ("not_comparable",))


@pytest.mark.parametrize(
    "given_", [{"frames": 8}, {"detector": "owlv2", "threshold": 0.05}, {"threshold": 1.5}, {"detector": "supplied", "supplied_by": "-"}, {"detector": "supplied", "frames": -1}]
)
def test_parameters_that_fit_no_detector_are_refused(given_: dict[str, Any]) -> None:
    with pytest.raises(EvaluatorError, match="detector="):
        Scorer.of(load("video"), "object_class", given_)


def test_references_of_another_form_are_refused() -> None:
    for target in ([], 3, {"label": "dog"}, {"objects": ["dog", 3]}, {"object": None}):
        value, issues = scored("object_class", [(found([thing("dog")]), target)])
        assert [issue.severity for issue in issues] == ["reference"]
        assert value.excluded == 1


def test_presence_is_all_that_a_missing_sample_tells() -> None:
    sample = RawSample("1", Content(json=found([thing("dog")])), (Content(text="dog"),))
    scorer = Scorer.of(load("video"), "object_class", {"detector": "supplied", "frames": 1})
    gone = replace(sample, prediction=None, presence=Presence.PREDICTION_MISSING)
    assert scorer.finalize(scorer.observe([gone])[0]).companions["frames"] == 1
