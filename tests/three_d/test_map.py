"""nuScenes detection mAP against the devkit, oriented overlap against shapely, and derivations."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scene_data
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_three_d.app import EVALUATOR
from genlevel_three_d.metrics import map as metric
from genlevel_three_d.scenes.box_overlap import ground_intersection, iou_3d
from genlevel_three_d.scenes.detection_curves import Detections

Frames = list[tuple[Any, Any]]


def scored(frames: Frames, attributes: dict[str, Any] | None = None, **parameters: object) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(EVALUATOR, "map", parameters)
    samples = [
        RawSample(str(key), None if prediction is None else Content(json=prediction), (Content(json=reference),),
                  Presence.PREDICTION_MISSING if prediction is None else Presence.BOTH, attributes or {})
        for key, (prediction, reference) in enumerate(frames)
    ]  # fmt: skip
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


def random_frames(seed: int, count: int, **options: Any) -> Frames:
    random = np.random.default_rng(seed)
    return [scene_data.frame(random, int(random.integers(0, 14)), **options) for _ in range(count)]


@pytest.fixture
def without_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interval takes most of the time, and changes no value."""
    monkeypatch.setattr(metric, "METRIC", replace(metric.METRIC, interval=None))


SETS = [
    random_frames(0, 12), random_frames(1, 15, spread=0.3), random_frames(2, 12, steps=3), random_frames(3, 12, spread=0.2, steps=2), random_frames(4, 1),
    [(prediction, [{**item, "points": 3} for item in truth]) for prediction, truth in random_frames(5, 6, spread=0.0)],
    [([], truth) for _, truth in random_frames(6, 4)],
]  # fmt: skip


@pytest.fixture(scope="module")
def theirs(oracle: Callable[[str, Any], Any]) -> list[Any]:
    return oracle("detection", [{"prediction": [p for p, _ in frames], "reference": [r for _, r in frames]} for frames in SETS])


@pytest.mark.usefixtures("without_interval")
@pytest.mark.parametrize("number", range(len(SETS)))
def test_it_is_the_devkit(number: int, theirs: list[Any]) -> None:
    expected = theirs[number]
    whole, issues = scored(SETS[number], classes="nuscenes")
    assert issues == []
    assert whole.value == pytest.approx(100 * expected["map"], rel=1e-12, abs=1e-12)
    found = {name: whole.companions[name] for name in ("mate", "mase", "maoe", "mave", "maae")}
    wanted = {"mate": "trans_err", "mase": "scale_err", "maoe": "orient_err", "mave": "vel_err", "maae": "attr_err"}
    assert found == pytest.approx({name: expected["tp"][kind] for name, kind in wanted.items()}, rel=1e-9)
    assert whole.companions["nds"] == pytest.approx(100 * expected["nds"], rel=1e-9)
    present = [name for name, there in expected["present"].items() if there]
    value, _ = scored(SETS[number])
    assert value.value == pytest.approx(100 * np.mean([expected["aps"][name] for name in present]), rel=1e-12, abs=1e-12)
    assert {name: value.companions[f"ap_{name}"] for name in present} == pytest.approx({name: 100 * expected["aps"][name] for name in present}, rel=1e-12)


def test_equal_scores_are_taken_last_first() -> None:
    truth = {"label": "car", "center": [0, 0, 0], "size": [2, 4, 2]}
    near, far = ({**truth, "center": [x, 0, 0], "score": 0.5} for x in (0.1, 20))
    (first, _), (second, _) = scored([([near, far], [truth])]), scored([([far, near], [truth])])
    assert second.companions["ap_4m"] == pytest.approx(100 * (89 + (0.5 - 0.1) / 0.9) / 90)  # found at once; the false alarm follows at recall 1
    assert first.companions["ap_4m"] == pytest.approx(20.0)  # the false alarm first: precision is taken as half the recall


def test_a_perfect_class_is_worth_one_and_not_more() -> None:
    hit = np.ones((1, 4))
    assert Detections(np.ones(1), hit, np.zeros((1, 5)), np.ones(1), 1.0).average_precision(0) == 1.0


def test_without_scores_all_are_one_operating_point() -> None:
    truth = [{"label": "car", "center": [10 * i, 0, 0], "size": [2, 4, 2]} for i in range(4)]
    far = [{"label": "car", "center": [0, 30, 0], "size": [2, 4, 2]}] * 3
    value, _ = scored([(truth[:3] + far, truth)])
    assert value.value == pytest.approx(100 * (0.5 - 0.1) / 0.9 * 65 / 90)  # precision 1/2 at the recalls 0.11 to 0.75
    assert value.warnings == ("no_scores",)


def test_the_interval_holds_the_value() -> None:
    value, _ = scored(random_frames(7, 12, spread=0.3))
    assert value.interval is not None
    assert value.value is not None
    assert value.interval.low < value.value < value.interval.high
    assert value.interval.method == "poisson_bootstrap_1000"


@pytest.mark.usefixtures("without_interval")
def test_a_negative_score_is_a_score() -> None:
    frames = random_frames(8, 12, spread=0.2)
    lower = [([{**item, "score": item["score"] - 3} for item in prediction], truth) for prediction, truth in frames]
    (value, _), (moved, _) = scored(frames), scored(lower)
    assert moved.value == pytest.approx(value.value)
    assert moved.companions == pytest.approx(value.companions)


def test_missing_and_refused_frames_count() -> None:
    frames = random_frames(9, 6, spread=0.1)
    empty, _ = scored([([], truth) for _, truth in frames])
    gone, _ = scored([(None, truth) for _, truth in frames])
    assert (empty.value, gone.value, gone.present) == (0.0, 0.0, 0)
    many = [{"label": "car", "center": [0, 0, 0], "size": [1, 1, 1], "score": 0.5}] * 501
    value, issues = scored([(many, frames[0][1])])
    assert [issue.code for issue in issues] == ["TOO_MANY_BOXES"]
    assert value.present == 0
    assert scored([(many, frames[0][1])], max_boxes=501)[1] == []


def test_a_label_that_no_reference_has_is_told() -> None:
    truth = [{"label": "car", "center": [0, 0, 0], "size": [2, 4, 2]}]
    value, _ = scored([([{**truth[0], "label": "Car", "score": 1.0}], truth)])
    assert (value.value, value.warnings, value.companions["unknown_label_share"]) == (0.0, ("unknown_labels",), 100.0)


def _nuscenes(item: dict[str, Any], token: str) -> dict[str, Any]:
    return {
        "sample_token": token, "translation": [item["center"][0] + 900, item["center"][1] - 400, item["center"][2]], "size": item["size"],
        "rotation": [math.cos(item["yaw"] / 2), 0, 0, math.sin(item["yaw"] / 2)], "velocity": item["velocity"], "detection_name": item["label"],
        "detection_score": item["score"], "attribute_name": item.get("attribute", ""),
    }  # fmt: skip


def test_a_results_file_of_the_devkit_is_read() -> None:
    prediction, truth = random_frames(10, 1, spread=0.2)[0] if random_frames(10, 1)[0][0] else scene_data.frame(np.random.default_rng(3), 9)
    results = {"meta": {"use_lidar": True}, "results": {"a": [_nuscenes(item, "a") for item in prediction], "b": []}}
    blob = media.from_bytes(json.dumps(results).encode(), "results.json")
    world = [{**item, "center": [item["center"][0] + 900, item["center"][1] - 400, item["center"][2]]} for item in truth]
    scorer = Scorer.of(EVALUATOR, "map")
    sample = RawSample("1", Content(media=blob), (Content(json=world),), Presence.BOTH, {"token": "a", "ego": [900, -400]})
    rows, issues = scorer.observe([sample])
    assert issues == []
    value, _ = scored([(prediction, truth)])
    assert scorer.finalize(rows).value == pytest.approx(value.value, rel=1e-9)


def with_(**changed: Any) -> list[dict[str, Any]]:
    return [{"label": "car", "center": [0, 0, 0], "size": [1, 1, 1], "score": 0.5} | changed]


BAD = {
    "negative size": (with_(size=[1, -1, 1]), "BAD_SIZE"), "no height": (with_(size=[1, 1, 0]), "BAD_SIZE"), "two numbers": (with_(center=[1, 2]), "WRONG_SHAPE"),
    "huge": (with_(center=[1e300, 0, 0]), "NOT_FINITE"), "beyond float": (with_(center=[10**400, 0, 0]), "NOT_FINITE"), "text": (with_(size=["1", 1, 1]), "WRONG_TYPE"),
    "two rotations": (with_(yaw=1, rotation=[1, 0, 0, 0]), "TWO_ROTATIONS"), "zero quaternion": (with_(rotation=[0, 0, 0, 0]), "NOT_A_ROTATION"),
    "no label": ([{"center": [0, 0, 0], "size": [1, 1, 1]}], "WRONG_TYPE"), "another key": (with_(colour=1), "UNKNOWN_KEY"), "not a list": ({"label": "car"}, "WRONG_TYPE"),
    "half a point": (with_(points=0.5), "WRONG_TYPE"), "many": (with_() * 10_001, "TOO_MANY_BOXES"), "a word": ([3], "WRONG_TYPE"),
    "two frames": ({"results": {"a": [], "b": []}}, "NO_TOKEN"), "results of words": ({"results": {"a": 3}}, "UNKNOWN_TOKEN"), "no results": ({"results": []}, "WRONG_TYPE"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_an_issue_of_its_sample(name: str) -> None:
    given_, code = BAD[name]
    value, issues = scored([(given_, with_()), (with_(), with_())])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("0", code, "prediction")]
    assert issues[0].remedy
    assert (value.present, value.expected) == (1, 2)


# Oriented overlap

Numbers = st.floats(-3, 3, allow_nan=False).map(lambda x: round(x, 3))
Sides = st.floats(0.2, 5).map(lambda x: round(x, 3))
A_BOX = st.tuples(Numbers, Numbers, Numbers, Sides, Sides, Sides, st.floats(-7, 7).map(lambda x: round(x, 3)))


def test_overlap_is_that_of_shapely(oracle: Callable[[str, Any], Any]) -> None:
    random = np.random.default_rng(0)
    angles = random.choice([0, 0.3, np.pi / 2, np.pi, 5], 1200) + random.choice([0, 1e-9, 0.2], 1200)
    boxes = np.column_stack([random.uniform(-2, 2, (1200, 3)), random.uniform(0.3, 4, (1200, 3)), angles])
    first, second = boxes[:600], boxes[600:]
    expected = oracle("overlap", np.stack([first, second], axis=1).tolist())
    assert ground_intersection(first, second) == pytest.approx(np.array(expected), abs=1e-9)
    top, bottom = (edge(first[:, 2] + half * first[:, 5], second[:, 2] + half * second[:, 5]) for edge, half in ((np.minimum, 0.5), (np.maximum, -0.5)))
    shared = np.array(expected) * np.clip(top - bottom, 0, None)
    assert iou_3d(first, second) == pytest.approx(shared / (first[:, 3:6].prod(axis=1) + second[:, 3:6].prod(axis=1) - shared), abs=1e-9)
    assert (np.array(expected) > 0).mean() > 0.5


@settings(max_examples=40)
@given(A_BOX, A_BOX, st.floats(-7, 7), Numbers, Numbers)
def test_overlap_does_not_change_when_the_world_turns(one: Any, other: Any, angle: float, x: float, y: float) -> None:
    def turned(box: Any) -> Any:
        cos, sin = math.cos(angle), math.sin(angle)
        return (cos * box[0] - sin * box[1] + x, sin * box[0] + cos * box[1] + y, *box[2:6], box[6] + angle)

    before, after = (iou_3d(np.array([a]), np.array([b]))[0] for a, b in ((one, other), (turned(one), turned(other))))
    assert after == pytest.approx(before, abs=1e-9)
    assert iou_3d(np.array([other]), np.array([one]))[0] == pytest.approx(before, abs=1e-9)
    assert iou_3d(np.array([one]), np.array([one]))[0] == pytest.approx(1.0, abs=1e-12)
    assert 0 <= before <= 1


def test_forty_recalls_by_hand() -> None:
    truth = [{"label": "cube", "center": [10 * i, 0, 0], "size": [2, 2, 2], "yaw": 0.1 * i} for i in range(2)]
    half = {**truth[1], "center": [11.0, 0, 0], "score": 0.4}
    value, _ = scored([([{**truth[0], "score": 0.9}, {**truth[0], "center": [0, 9, 0], "score": 0.8}, half], truth)], measure="iou3d", iou=0.3)
    # Moved by half its side and turned by 0.1: IoU just above 1/3. Precision 1 to recall 1/2, then 2/3.
    assert value.value == pytest.approx(100 * (20 + 20 * 2 / 3) / 40)
    strict, _ = scored([([{**truth[0], "score": 0.9}, half], truth)], measure="iou3d")
    assert strict.value == pytest.approx(50.0)
    assert strict.companions["max_recall"] == 50.0
