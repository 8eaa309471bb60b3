"""AMOTA against nuScenes' devkit, HOTA and IDF1 against TrackEval."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scene_data

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_three_d.app import EVALUATOR
from genlevel_three_d.forms.objects import label_number
from genlevel_three_d.scenes.tracking import class_curves

Scene = dict[str, Any]


def raw(key: str, prediction: Any, reference: Any) -> RawSample:
    return RawSample(
        key, None if prediction is None else Content(json=prediction), (Content(json=reference),), Presence.PREDICTION_MISSING if prediction is None else Presence.BOTH
    )


def scored(scenes: list[Scene], **parameters: object) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(EVALUATOR, "amota", parameters)
    samples = []
    for key, scene in enumerate(scenes):
        extra = {name: scene[name] for name in ("times", "ego", "tokens") if name in scene}
        samples.append(raw(str(key), scene["prediction"], {"frames": scene["reference"], **extra} if extra else scene["reference"]))
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


def random_scenes(seed: int, count: int, **options: Any) -> list[Scene]:
    random = np.random.default_rng(seed)
    return [scene_data.scene(random, int(random.integers(4, 11)), int(random.integers(3, 7)), **options) for _ in range(count)]


def stamped(scenes: list[Scene]) -> list[Scene]:
    """Uneven times, and a vehicle that drives away."""
    random = np.random.default_rng(1)
    return [
        scene | {
            "times": np.cumsum(random.integers(300_000, 700_000, len(scene["reference"]))).tolist(),
            "ego": [[6.0 * step, 0.0] for step in range(len(scene["reference"]))],
        }
        for scene in scenes
    ]  # fmt: skip


SETS = [
    random_scenes(0, 3), random_scenes(1, 2, spread=0.1), random_scenes(2, 2, steps=3), stamped(random_scenes(3, 2, classes=("car", "bus", "bicycle"))),
    random_scenes(4, 2, spread=1.2), [scene | {"prediction": [[] for _ in scene["reference"]]} for scene in random_scenes(5, 1)], random_scenes(6, 1, spread=0.05),
    stamped(random_scenes(66, 3)),
]  # fmt: skip


@pytest.fixture(scope="module")
def theirs(oracle: Callable[[str, Any], Any]) -> list[Any]:
    return oracle("tracking", SETS)


@pytest.mark.parametrize("number", range(len(SETS)))
def test_it_is_the_devkit(number: int, theirs: list[Any]) -> None:
    expected = theirs[number]
    value, issues = scored(SETS[number])
    assert issues == []
    assert value.value == pytest.approx(100 * expected["all"]["amota"], rel=1e-12, abs=1e-12)
    present = {name: 100 * found for name, found in expected["classes"].items() if not math.isnan(found)}
    assert {name: value.companions[f"amota_{name}"] for name in present} == pytest.approx(present, rel=1e-12)
    for name in ("amotp", "mota", "motp", "recall", "tid", "lgd", "faf", "mt", "ml", "tp", "fp", "fn", "ids", "frag"):
        wanted = expected["all"][name] * (100 if name in ("mota", "recall") else 1)
        # Distances of the devkit come from squared coordinates.
        assert value.companions.get(name, 0.0) == pytest.approx(wanted, rel=1e-6 if name.endswith("motp") or name == "motp" else 1e-12, abs=1e-9), name


@pytest.mark.parametrize("number", [number for number in range(len(SETS)) if number != 5])
def test_identities_are_those_of_trackeval(number: int, theirs: list[Any]) -> None:
    value, _ = scored(SETS[number])
    parts = theirs[number]["identities"].values()
    assert len(parts) == value.companions["classes"]
    for name in ("hota", "deta", "assa", "idf1"):
        assert value.companions[name] == pytest.approx(100 * sum(part[name] for part in parts) / len(parts), rel=1e-9)


@pytest.mark.parametrize("unit", [1e3, 1e6])
def test_the_unit_of_times_does_not_matter(unit: float, theirs: list[Any]) -> None:
    """Filled-in scores lie a rounding off their track's, so the devkit's value hangs on the last digit of the shares."""
    scenes = SETS[7]
    value, _ = scored([scene | {"times": [time / unit for time in scene["times"]]} for scene in scenes])
    assert value.value == pytest.approx(100 * theirs[7]["all"]["amota"], rel=1e-12)


def test_the_sets_have_what_makes_tracking_hard(theirs: list[Any]) -> None:
    found = [expected["all"] for expected in theirs]
    assert sum(all_["ids"] for all_ in found if not math.isnan(all_["ids"])) > 3
    assert sum(all_["frag"] for all_ in found if not math.isnan(all_["frag"])) > 3
    assert 10 < max(100 * all_["amota"] for all_ in found) < 95


# Derivations


def track(name: Any, label: str, frames: int, x: float = 0.0, skip: tuple[int, ...] = (), **more: Any) -> list[list[dict[str, Any]]]:
    return [[] if step in skip else [{"label": label, "track": name, "center": [x + step, 0, 0], "size": [2, 4, 2], **more}] for step in range(frames)]


def test_a_perfect_tracker_and_a_silent_one() -> None:
    truth = track("a", "car", 10)
    perfect, _ = scored([{"reference": truth, "prediction": track(5, "car", 10, score=0.3)}])
    assert perfect.value == 100.0
    assert {name: perfect.companions[name] for name in ("amotp", "mota", "recall", "ids", "frag", "fp", "fn", "tid", "lgd", "hota", "idf1")} == {
        "amotp": 0, "mota": 100, "recall": 100, "ids": 0, "frag": 0, "fp": 0, "fn": 0, "tid": 0, "lgd": 0, "hota": pytest.approx(100), "idf1": 100,
    }  # fmt: skip
    silent, _ = scored([{"reference": truth, "prediction": [[] for _ in truth]}])
    assert (silent.value, silent.companions["hota"], silent.companions["amotp"], silent.companions["ml"]) == (0.0, 0.0, 2.0, 1.0)


def test_half_of_the_objects() -> None:
    truth = [a + b for a, b in zip(track("a", "car", 10), track("b", "car", 10, x=40), strict=True)]
    value, _ = scored([{"reference": truth, "prediction": track(1, "car", 10, score=0.9)}])
    # Recalls up to one half are reached, at a MOTAR of 1: 18 of 40.
    assert value.value == pytest.approx(100 * 18 / 40)


def test_gaps_are_filled_as_the_devkit_does_or_along_the_line() -> None:
    scene = {"reference": track("a", "car", 8), "prediction": track(1, "car", 8, skip=(2, 3, 4, 5), score=0.9)}
    straight, _ = scored([scene], fill="linear")
    assert straight.value == 100.0
    mirrored, _ = scored([scene])
    assert mirrored.value < 90


def test_two_metres_are_too_far() -> None:
    near, far = (scored([{"reference": track("a", "car", 4), "prediction": track(1, "car", 4, x=x, score=0.9)}])[0] for x in (1.999, 2.0))
    assert (near.value, far.value) == (100.0, 0.0)


def test_missing_scenes_are_missed_objects() -> None:
    scenes = random_scenes(0, 3)
    gone, _ = scored([scenes[0], scenes[1] | {"prediction": None}, scenes[2]])
    empty, _ = scored([scenes[0], scenes[1] | {"prediction": [[] for _ in scenes[1]["reference"]]}, scenes[2]])
    assert (gone.value, gone.present) == (empty.value, 2)


def test_thresholds_come_from_all_scenes() -> None:
    scorer = Scorer.of(EVALUATOR, "amota")
    rows, _ = scorer.observe([raw("a", track(1, "car", 10, score=0.9), track("x", "car", 10)), raw("b", track(1, "car", 10, score=0.5), track("x", "car", 10))])
    (curve,) = class_curves(rows)
    assert curve.label == label_number("car")
    # Ten matches at 0.9 and ten at 0.5; between recall 1/2 and 11/20 the score is interpolated.
    assert (curve.thresholds[-1], curve.thresholds[0], len(np.unique(curve.thresholds))) == (0.9, 0.5, 4)


def test_without_scores_every_track_counts() -> None:
    truth = track("a", "car", 10)
    value, _ = scored([{"reference": truth, "prediction": [a + b for a, b in zip(track(1, "car", 10), track(2, "car", 10, x=30), strict=True)]}])
    assert value.value == 0.0  # as many false alarms as matches
    assert value.warnings == ("no_scores",)


# Files


def nuscenes(scene: list[list[dict[str, Any]]], tokens: list[str], **extra: Any) -> Any:
    frames = {
        token: [
            {"sample_token": token, "translation": item["center"], "size": item["size"], "rotation": [1, 0, 0, 0], "velocity": [0, 0],
             "tracking_id": str(item["track"]), "tracking_name": item["label"], "tracking_score": item["score"]}
            for item in frame
        ]
        for token, frame in zip(tokens, scene, strict=True)
    }  # fmt: skip
    return {"meta": {"use_camera": False}, "results": frames | extra}


def test_a_results_file_of_the_devkit_is_matched_by_tokens() -> None:
    (scene,) = random_scenes(6, 1, spread=0.05)
    tokens = [f"k{step}" for step in range(len(scene["reference"]))]
    results = nuscenes(scene["prediction"], tokens, other=[])
    results["results"] = dict(reversed(results["results"].items()))
    scorer = Scorer.of(EVALUATOR, "amota")
    blob = media.from_bytes(json.dumps(results).encode(), "results.json")
    rows, issues = scorer.observe([RawSample("1", Content(media=blob), (Content(json={"frames": scene["reference"], "tokens": tokens}),))])
    assert issues == []
    value, _ = scored([scene])
    assert scorer.finalize(rows).value == value.value > 30


def one(**changed: Any) -> list[list[dict[str, Any]]]:
    return [[{"label": "car", "track": 1, "center": [0, 0, 0], "size": [1, 1, 1], "score": 0.5} | changed]]


BAD = {
    "no track": ([[{"label": "car", "center": [0, 0, 0], "size": [1, 1, 1]}]], "NO_TRACK"), "half a track": (one(track=0.5), "NO_TRACK"), "negative size": (one(size=[1, 1, -1]), "BAD_SIZE"),
    "twice": ([one()[0] * 2], "REPEATED_TRACK"), "no frame": ([], "EMPTY_SCENE"), "other length": ([[], []], "LENGTH_MISMATCH"), "unsorted": ({"frames": one(), "times": [1, 2]}, "LENGTH_MISMATCH"),
    "times fall": ({"frames": [[], []], "times": [2, 1]}, "UNSORTED"), "same time": ({"frames": [[], []], "times": [1, 1]}, "UNSORTED"), "infinite": (one(center=[1e30, 0, 0]), "NOT_FINITE"),
    "another key": ({"frames": one(), "fps": 2}, "UNKNOWN_KEY"), "frames of words": (["x"], "WRONG_TYPE"), "same tokens": ({"frames": [[], []], "tokens": ["a", "a"]}, "REPEATED_TOKEN"),
    "a number": (3, "WRONG_TYPE"), "results of words": ({"results": {"a": "x"}}, "WRONG_TYPE"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_an_issue_of_its_scene(name: str) -> None:
    given, code = BAD[name]
    value, issues = scored([{"prediction": given, "reference": one()}, {"prediction": one(), "reference": one()}])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("0", code, "prediction")]
    assert issues[0].remedy
    assert (value.present, value.expected) == (1, 2)


def test_a_file_of_other_scenes_is_told() -> None:
    scene = {"prediction": {"results": {"z": []}}, "reference": [[], []], "tokens": ["a", "b"]}
    _, issues = scored([scene])
    assert [issue.code for issue in issues] == ["UNKNOWN_TOKEN"]
