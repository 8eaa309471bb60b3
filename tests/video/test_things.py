"""What is to be seen in the frames: object_class, multiple_objects, color, spatial_relationship and scene on things found elsewhere.

The rules of VBench are written out again here, from its description and not from its code, on plain lists.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel_evaluator import states, weights
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.evaluator import load
from genlevel_video.metrics.spatial_relationship import iou, kept
from genlevel_video.objects.words import clean, side_of, split_relation
from tests.video.detection_generators import TARGETS, captioned, detections, supplied
from tests.video.things import OBJECT_METRICS, Thing, found, scored, thing

# VBench's rules on random detections


def _sure(frame: list[Thing]) -> list[Thing]:
    return [one for one in frame if one.get("score", 1.0) >= 0.5]


def vbench_object_class(frames: list[list[Thing]], name: str) -> float:
    hits = 0
    for frame in frames:
        hits += int(name in {one["label"] for one in _sure(frame)})
    return hits / len(frames)


def vbench_multiple_objects(frames: list[list[Thing]], name: str) -> float:
    first, second = name.split(" and ")
    return sum(first in (labels := {one["label"] for one in _sure(frame)}) and second in labels for frame in frames) / len(frames)


def vbench_color(frames: list[list[Thing]], name: str, colour: str) -> float | None:
    words = ["white", "red", "pink", "blue", "silver", "purple", "orange", "green", "gray", "yellow", "black", "grey"]
    shown = asked = 0
    for frame in frames:
        texts = [one["description"] for one in _sure(frame) if one["label"] == name]
        if any(word in text for word in words for text in texts):
            shown += 1
            asked += any(colour in text for text in texts)
    return asked / shown if shown else None


def vbench_spatial(frames: list[list[Thing]], one: str, other: str, relation: str) -> float:
    total = 0.0
    for frame in frames:
        boxes = [item["box"] for item in _sure(frame) if item["label"] in (one, other)]
        best = 0.0
        for a, b in itertools.combinations(boxes, 2):
            dx = (b[0] + b[2] - a[0] - a[2]) / 2
            dy = (b[1] + b[3] - a[1] - a[3]) / 2
            wide = abs(dx) > abs(dy) if "left" in relation or "right" in relation else abs(dy) > abs(dx)
            inside = max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
            union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inside
            overlap = inside / union if union else 0.0
            if wide:
                best = max(best, 1.0 if overlap < 0.1 else 0.1 / overlap)
        total += best
    return total / len(frames)


def random_clips(count: int = 60) -> list[dict[str, Any]]:
    random = np.random.default_rng(3)
    return [detections(random, 5, "grit-b") for _ in range(count)]


@pytest.mark.parametrize("name", ["cat", "Dog", "a banana", "nothing"])
def test_object_class_under_the_public_rule_is_vbench(name: str) -> None:
    clips = random_clips()
    value, issues = scored("object_class", [(one, name) for one in clips], rule="public")
    assert issues == []
    assert value.value == pytest.approx(100 * np.mean([vbench_object_class(one["frames"], name) for one in clips]), abs=1e-12)


def test_multiple_objects_under_the_public_rule_is_vbench() -> None:
    clips = random_clips()
    value, _ = scored("multiple_objects", [(one, "cat and Dog") for one in clips], rule="public")
    assert value.value == pytest.approx(100 * np.mean([vbench_multiple_objects(one["frames"], "cat and Dog") for one in clips]), abs=1e-12)
    assert value.value > 0


@pytest.mark.parametrize("colour", ["red", "white", "grey"])
def test_color_under_the_public_rule_is_vbench(colour: str) -> None:
    clips = random_clips()
    value, _ = scored("color", [(one, {"color": colour, "object": "cat"}) for one in clips], rule="public")
    shares = [share for one in clips if (share := vbench_color(one["frames"], "cat", colour)) is not None]
    assert 0 < len(shares) < len(clips)
    assert value.value == pytest.approx(100 * np.mean(shares), abs=1e-12)
    assert value.companions["without_colour"] == len(clips) - len(shares)
    assert value.companions["all_clips"] == pytest.approx(100 * sum(shares) / len(clips), abs=1e-12)


@pytest.mark.parametrize("relation", ["on the left of", "on the top of"])
def test_spatial_relationship_under_the_public_rule_is_vbench(relation: str) -> None:
    clips = random_clips()
    target = {"object_a": "cat", "object_b": "car", "relationship": relation}
    value, _ = scored("spatial_relationship", [(one, target) for one in clips], rule="public")
    expected = 100 * np.mean([vbench_spatial(one["frames"], "cat", "car", relation) for one in clips])
    assert value.value == pytest.approx(expected, abs=1e-10)
    strict, _ = scored("spatial_relationship", [(one, target) for one in clips])
    assert 0 < strict.value < value.value
    assert strict.companions["public_rule"] == pytest.approx(expected, abs=1e-10)
    assert ("not_comparable" in strict.warnings, "not_comparable" in value.warnings) == (True, False)


def test_scene_under_the_public_rule_is_vbench() -> None:
    captions = ["an amusement park", "parks are amusing", "Amusement park", "a barn", "people at the bar"]
    given_ = {"captioner": "tag2text", "captions": captions}
    for target in ("amusement park", "bar", "park"):
        public, _ = scored("scene", [(given_, target)], rule="public")
        assert public.value == pytest.approx(100 * sum(all(word in caption for word in target.split(" ")) for caption in captions) / 5)
    strict, _ = scored("scene", [(given_, "bars"), (given_, "The amusement park.")])
    assert strict.value == pytest.approx(100 * (1 + 2) / 10)


# The strict rule


def test_names_are_cleaned_on_both_sides() -> None:
    clip = found([thing("A Dog."), thing("wine_glasses")], [thing("dogs", score=0.5), thing("hot dog")])
    assert scored("object_class", [(clip, "the dog")])[0].value == 100.0
    assert scored("object_class", [(clip, "Dog")], rule="public")[0].value == 0.0
    assert scored("multiple_objects", [(clip, "A wine glass and a dog.")])[0].value == 50.0


def test_colours_are_words_and_grey_is_gray() -> None:
    clip = found([thing("car", description="a colored car")], [thing("red car")], [thing("cars", description="Grey car, red wheels")], [thing("cat", description="red")])
    value, _ = scored("color", [(clip, "a red car")])
    assert value.value == 100.0
    assert value.companions["frames"] == 4
    assert scored("color", [(clip, "a gray car")])[0].value == 50.0
    assert scored("color", [(clip, "blue")], {"object": "the car"})[0].value == 0.0
    assert scored("color", [(clip, {"color": "gray"})], {"prompt": "A gray car."})[0].value == 50.0
    # "colored" holds "red", so three frames are of a colour and red under the public rule, but for the label's own words.
    assert scored("color", [(clip, "a red car")], rule="public")[0].value == 100.0
    assert scored("color", [(found([thing("car", description="a colored car")]), "a red car")])[0].reason == "too_few_samples"


def test_the_side_and_the_names_count() -> None:
    dog, cat = [0.0, 0.0, 10.0, 10.0], [40.0, 5.0, 50.0, 15.0]
    clip = found([thing("dog", dog), thing("cat", cat)], [thing("dog", dog), thing("dog", cat)])
    value = {side: scored("spatial_relationship", [(clip, f"a dog on the {side} of a cat")])[0] for side in ("left", "right", "top", "bottom")}
    assert {side: one.value for side, one in value.items()} == {"left": 50.0, "right": 0.0, "top": 0.0, "bottom": 0.0}
    assert {side: one.companions["public_rule"] for side, one in value.items()} == {"left": 100.0, "right": 100.0, "top": 0.0, "bottom": 0.0}
    assert scored("spatial_relationship", [(clip, "a dog on the left of a dog")])[0].value == 50.0
    assert scored("spatial_relationship", [(clip, "on the left of")], {"objects": ["a dog", "the cats"]})[0].value == 50.0


def test_boxes_that_lie_on_each_other_score_less() -> None:
    # 8 of 12 across are shared: IoU 80 / 120.
    clip = found([thing("dog", [0, 0, 10, 10]), thing("cat", [2, 0, 10, 10])])
    assert scored("spatial_relationship", [(clip, "dog left of cat")], bbox_format="xywh")[0].value == pytest.approx(100 * 0.1 / (80 / 120))


@pytest.mark.parametrize("metric_id", OBJECT_METRICS)
def test_the_detector_is_named_and_compared(metric_id: str) -> None:
    target, clip = TARGETS[metric_id][0], found([thing("cat", [0, 0, 1, 1])], detector="YOLO 9")
    value, issues = scored(metric_id, [(clip, target)])
    assert ([issue.code for issue in issues], value.present) == (["OTHER_DETECTOR"], 0)
    value, issues = scored(metric_id, [(clip, target)], supplied_by="yolo-9")
    assert issues == []
    assert "not_comparable" in value.warnings
    assert "supplied_by:yolo-9" in value.signature.text
    assert value.signature.backbones == ()


def test_signatures_of_networks_do_not_name_who_supplied(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (Scorer.of(load("video"), "object_class", {"supplied_by": name}).signature() for name in ("grit-b", "yolo"))
    assert one.digest == other.digest
    assert not one.comparable
    monkeypatch.setattr(weights, "digest", lambda name: "d" * 64)  # of weights that cannot be had here
    owl = Scorer.of(load("video"), "color", {"detector": "owlv2", "threshold": 0.3}).signature()
    assert [use.name for use in owl.backbones][:1] == ["owlv2-blip"]
    assert "threshold:0.3" in owl.text


# Laws


NAMES = st.sampled_from(["dog", "cat", "A dog.", "cups"])
BOXES = st.tuples(*[st.integers(0, 12)] * 4).map(lambda b: [min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3])])
THINGS = st.builds(lambda label, box, score, words: thing(label, box, score, words), NAMES, BOXES, st.sampled_from([0.1, 0.5, 0.9]), st.sampled_from(["red", "a grey one", ""]))
FRAMES = st.lists(st.lists(THINGS, max_size=4), min_size=1, max_size=3)
ASKED = {"object_class": "a dog", "multiple_objects": "a dog and a cat", "color": "a red dog", "spatial_relationship": "a dog on the left of a cat"}


@settings(max_examples=40)
@given(FRAMES, st.sampled_from(["strict", "public"]), st.randoms(use_true_random=False))
def test_order_and_unsure_detections_change_nothing(frames: list[list[Thing]], rule: str, random: Any) -> None:
    more = [[*random.sample(frame, len(frame)), thing("dog", [0, 0, 3, 3], 0.49, "red"), thing("cat", [9, 0, 12, 3], 0.0)] for frame in frames]
    for metric_id, target in ASKED.items():
        one, other = (scored(metric_id, [(found(*some), target)], rule=rule)[0] for some in (frames, more))
        assert (one.value, one.reason) == (other.value, other.reason)


@settings(max_examples=60)
@given(FRAMES)
def test_left_of_is_right_of_the_other_way_round(frames: list[list[Thing]]) -> None:
    for one, other in (("left", "right"), ("top", "bottom")):
        targets = [{"object_a": a, "object_b": b, "relationship": f"on the {side} of"} for a, b, side in (("dog", "cat", one), ("cat", "dog", other))]
        values = [scored("spatial_relationship", [(found(*frames), target)])[0] for target in targets]
        assert values[0].value == values[1].value
        assert values[0].value <= values[0].companions["public_rule"]


@settings(max_examples=200)
@given(BOXES, BOXES)
def test_a_pair_keeps_at_most_one_side(one: list[int], other: list[int]) -> None:
    scores = [kept(tuple(one), tuple(other), side) for side in ("left", "right", "top", "bottom")]
    assert sum(score > 0 for score in scores) <= 1
    assert iou(tuple(one), tuple(other)) == iou(tuple(other), tuple(one))
    assert all(0 <= score <= 1 for score in scores)


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_cleaned_names_are_plain_whatever_comes(text: str) -> None:
    assert clean(text) == clean(f"  {text}. ") == clean(f"\n'{text}'")
    assert clean(text) == " ".join(clean(text).lower().split())
    side_of(text), split_relation(text)  # whatever it is, it is an answer


@pytest.mark.parametrize("metric_id", list(TARGETS))
def test_supplied_samples_keep_the_laws(metric_id: str) -> None:
    make: Callable[..., list[RawSample]] = captioned if metric_id == "scene" else lambda random, count: supplied(metric_id, random, count)
    samples = make(np.random.default_rng(5), 42)
    parameters = {} if metric_id == "scene" else {"detector": "supplied", "frames": 4}
    scorer = Scorer.of(load("video"), metric_id, parameters)
    whole = scorer.finalize(scorer.observe(samples)[0])
    parts = scorer.finalize(states.combine([scorer.observe([sample])[0] for sample in samples[::-1]]))
    assert whole == parts
    assert 0 < whole.value < 100
    assert (whole.expected, whole.present) == (42, 36)
    present = [sample for sample in samples if sample.prediction is not None]
    alone = scorer.finalize(scorer.observe(present)[0])
    left_out = alone.companions.get("without_colour", 0)
    assert whole.value == pytest.approx(alone.value * (36 - left_out) / (42 - left_out))


def test_missing_clips_count_as_frames_without_it() -> None:
    for metric_id, target in ASKED.items():
        value, _ = scored(metric_id, [(None, target)])
        assert (value.value, value.present, value.expected) == (0.0, 0, 1)
    value, _ = scored("object_class", [(found([thing("dog")]), "dog"), (None, "dog")], frames=1)
    assert value.value == 50.0
