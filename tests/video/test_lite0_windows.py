"""Windows of EfficientNet-Lite0, the stand-in for a detector, with its true weights; and names of colours."""

from __future__ import annotations

import json

import numpy as np
import pytest
from skimage import data

from genlevel_evaluator import features, weights
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.networks import conse
from genlevel_video.backbones import imagenet_groups, lite0_windows
from genlevel_video.objects.colours import commonest
from genlevel_video.objects.detectors import FLOOR
from genlevel_video.objects.forms import parse
from genlevel_video.objects.words import COCO, COLOURS
from tests.video.shown import asked, content

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def windows() -> lite0_windows.Lite0Windows:
    return lite0_windows.build()


def test_groups_of_imagenet_are_what_they_are_called() -> None:
    names = conse.class_names(weights.path(conse.NAMES))
    said = {name: [names[number] for number in imagenet_groups.members(name)] for name in imagenet_groups.COCO_CLASSES}
    assert set(said) <= set(COCO)
    everyone = [number for name in said for number in imagenet_groups.members(name)]
    assert len(everyone) == len(set(everyone))
    assert (len(said["dog"]), said["dog"][0], said["dog"][-1]) == (118, "Chihuahua", "Mexican hairless dog (xoloitzcuintli)")
    assert (len(said["bird"]), len(said["cat"]), len(said["bear"])) == (59, 5, 4)
    assert (said["bird"][0], said["bird"][-1], said["cat"][0], said["bear"][2]) == ("rooster", "albatross", "tabby cat", "polar bear")
    for name in ("banana", "backpack", "umbrella", "pizza", "broccoli", "toaster", "refrigerator", "vase", "zebra", "couch", "parking meter", "traffic light", "teddy bear"):
        assert said[name] == [name]
    for name, word in (("horse", "horse"), ("sheep", "sheep"), ("bench", "bench"), ("keyboard", "keyboard"), ("clock", "clock"), ("bottle", "bottle"), ("bus", "bus")):
        assert all(word in one or name in ("clock", "bus") for one in said[name])


def test_the_stand_in_knows_a_cat(windows: lite0_windows.Lite0Windows) -> None:
    frame = data.chelsea()
    (made,) = windows.extract([asked(("cat", "giraffe"), frame, frame)])
    document = json.loads(made)
    assert document.pop("blind") == ["giraffe"]
    found = parse(document)
    best = max(found.frames[0], key=lambda one: one.score)
    assert best.label == "cat"
    assert best.score > 0.9
    assert best.description.split()[0] in COLOURS
    assert len(found.frames) == 16
    assert all(one.score >= FLOOR for one in found.frames[0])


def test_the_stand_in_scores_a_clip_as_the_definition_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "CACHE", features.FeatureCache())
    cat, other = data.chelsea()[:200, :300], data.coffee()[:200, :300]
    frames = [cat, other, other, cat]  # of four frames, each counts once and the last twelve times more
    for metric_id, target, expected in (("object_class", "a cat", 100 * 14 / 16), ("multiple_objects", "a cat and an espresso", 0.0)):
        scorer = Scorer.of(load("video"), metric_id, {})
        rows, issues = scorer.observe([RawSample("1", content(*frames), (Content(text=target),))])
        value = scorer.finalize(rows)
        assert issues == []
        assert (value.value, value.warnings) == (expected, ("not_comparable",))
        assert not value.signature.comparable
    scorer = Scorer.of(load("video"), "object_class", {})
    rows, issues = scorer.observe([RawSample("1", content(cat), (Content(text="a giraffe"),)), RawSample("2", Content(json={"detector": "grit-b", "frames": [[]]}), (Content(text="cat"),))])
    assert sorted(issue.code for issue in issues) == ["DETECTIONS_NOT_READ", "UNKNOWN_TO_DETECTOR"]


def test_windows_lie_in_the_frame() -> None:
    for width, height in ((1, 1), (2, 7), (640, 359)):
        for left, top, right, bottom in lite0_windows.windows(width, height):
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((255, 255, 255), "white"), ((190, 190, 190), "silver"), ((120, 125, 120), "gray"), ((20, 20, 20), "black"), ((200, 10, 10), "red"), ((250, 180, 190), "pink"),
        ((255, 20, 147), "pink"), ((250, 140, 10), "orange"), ((240, 230, 20), "yellow"), ((20, 160, 40), "green"), ((10, 60, 220), "blue"), ((130, 20, 220), "purple"),
    ],
)  # fmt: skip
def test_colours_have_their_names(rgb: tuple[int, int, int], name: str) -> None:
    pixels = np.full((9, 9, 3), rgb, np.uint8)
    pixels[:4] = (0, 255, 0) if name != "green" else (255, 0, 0)
    assert commonest(pixels) == name
