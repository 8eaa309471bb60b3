"""What AP metrics say of objects they cannot use: which sample, where in it, what to do; and that other samples are scored as if alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_image.app import EVALUATOR
from tests.image.files import encoded, sample

SIZE = (40, 30)
NAN, INFINITE = float("nan"), float("inf")
BOX = {"label": "a", "box": [1, 1, 11, 11]}
RUNS = {"size": [30, 40], "counts": [31, 10, 1159]}
MASK = {"label": "a", "mask": RUNS}
PERSON = {"keypoints": [5, 6, 2] * 17, "area": 100.0}
GOOD: dict[str, dict[str, Any]] = {"ap_50_box": BOX, "ap_50_mask": MASK, "ap_50_keypoint": PERSON}


def scored(metric: str, samples: list[RawSample]) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(EVALUATOR, metric)
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


def raw(key: str, guess: Any, truth: Any) -> RawSample:
    return RawSample(key, Content(json=guess), (Content(json=truth),), attributes={"image_size": list(SIZE)})


def with_mask(mask: Any) -> dict[str, Any]:
    return MASK | {"mask": mask}


REFUSED: list[tuple[str, Any, str, str]] = [
    ("ap_50_box", BOX | {"box": [11, 1, 1, 11]}, "NEGATIVE_SIZE", "/1/box"),
    ("ap_50_box", BOX | {"box": [1, 1, NAN, 11]}, "NOT_FINITE", "/1/box/2"),
    ("ap_50_box", BOX | {"box": [1, 1, INFINITE, 11]}, "NOT_FINITE", "/1/box/2"),
    ("ap_50_box", BOX | {"box": [1, 1, 10**400, 11]}, "NOT_FINITE", "/1/box/2"),
    ("ap_50_box", BOX | {"box": [1, 1, 11]}, "WRONG_SHAPE", "/1/box"),
    ("ap_50_box", BOX | {"box": "1 1 11 11"}, "WRONG_SHAPE", "/1/box"),
    ("ap_50_box", BOX | {"box": [1, 1, "11", 11]}, "WRONG_TYPE", "/1/box/2"),
    ("ap_50_box", BOX | {"score": NAN}, "NOT_FINITE", "/1/score"),
    ("ap_50_box", BOX | {"score": np.nan}, "NOT_FINITE", "/1/score"),
    ("ap_50_box", BOX | {"score": "0.5"}, "WRONG_TYPE", "/1/score"),
    ("ap_50_box", BOX | {"score": True}, "WRONG_TYPE", "/1/score"),
    ("ap_50_box", BOX | {"label": 1.5}, "WRONG_TYPE", "/1/label"),
    ("ap_50_box", BOX | {"label": ["a"]}, "WRONG_TYPE", "/1/label"),
    ("ap_50_box", BOX | {"area": -1}, "NEGATIVE_AREA", "/1/area"),
    ("ap_50_box", BOX | {"crowd": 1}, "WRONG_TYPE", "/1/crowd"),
    ("ap_50_box", BOX | {"confidence": 1}, "UNKNOWN_KEY", "/1"),
    ("ap_50_box", [1, 1, 11, 11], "WRONG_TYPE", "/1"),
    ("ap_50_mask", with_mask(RUNS | {"counts": [31, 10, 1160]}), "BAD_RUN_LENGTHS", "/1/mask"),
    ("ap_50_mask", with_mask(RUNS | {"counts": "o0:U7"}), "BAD_RUN_LENGTHS", "/1/mask"),
    ("ap_50_mask", with_mask({"size": [40, 30], "counts": [1200]}), "WRONG_SHAPE", "/1/mask"),
    ("ap_50_mask", with_mask({"size": [10**9, 10**9], "counts": [10**18]}), "IMAGE_TOO_LARGE", "/1/mask"),
    ("ap_50_mask", with_mask({"size": [10**9, 10**9], "counts": "o" * 12 + "0"}), "IMAGE_TOO_LARGE", "/1/mask"),
    ("ap_50_mask", with_mask([[0, 0, 5, 0, 5, 5, 0]]), "BAD_POLYGON", "/1/mask/0"),
    ("ap_50_mask", with_mask([[0, 0, 5, 0, 5, 5], [0, 0, 5, 5]]), "BAD_POLYGON", "/1/mask/1"),
    ("ap_50_mask", with_mask([[0, 0, 5, 0, NAN, 5]]), "NOT_FINITE", "/1/mask/0/4"),
    ("ap_50_mask", with_mask([[0, 0, 5, 0, True, 5]]), "WRONG_TYPE", "/1/mask/0/4"),
    ("ap_50_mask", with_mask(media.from_bytes(encoded(np.zeros((3, 3), np.uint8)), "m.png")), "WRONG_SHAPE", "/1/mask"),
    ("ap_50_mask", with_mask(media.from_bytes(b"GIF89a", "m.png")), "UNREADABLE", "/1/mask"),
    ("ap_50_mask", MASK | {"label": None}, "WRONG_TYPE", "/1/label"),
    ("ap_50_mask", MASK | {"score": INFINITE}, "NOT_FINITE", "/1/score"),
    ("ap_50_keypoint", PERSON | {"keypoints": [5, 6, 2] * 16 + [5, 6]}, "WRONG_SHAPE", "/1/keypoints"),
    ("ap_50_keypoint", PERSON | {"keypoints": [5, 6, 2] * 16}, "KEYPOINT_COUNT", "/1/keypoints"),
    ("ap_50_keypoint", PERSON | {"keypoints": [5, NAN, 2] * 17}, "NOT_FINITE", "/1/keypoints/1"),
]


@pytest.mark.parametrize("side", ["prediction", "reference"])
@pytest.mark.parametrize(("metric", "wrong", "code", "pointer"), REFUSED)
def test_one_bad_object_is_named_and_nothing_else_suffers(metric: str, wrong: Any, code: str, pointer: str, side: str) -> None:
    good = GOOD[metric]
    sides = ([good, wrong], [good]) if side == "prediction" else ([good], [good, wrong])
    value, issues = scored(metric, [raw("1", [good], [good]), raw("2", *sides), raw("3", [good], [good])])
    assert [(issue.sample_id, issue.code, issue.severity, issue.pointer) for issue in issues] == [("2", code, side, pointer)]
    assert issues[0].message
    assert issues[0].remedy
    # A bad prediction counts as none; a bad reference leaves its sample out.
    assert value.companions["recall"] == pytest.approx(100.0 if side == "reference" else 200 / 3)
    assert (value.expected, value.present, value.excluded) == ((3, 2, 0) if side == "prediction" else (2, 2, 1))


def test_a_box_outside_the_picture_is_scored_with_a_remark() -> None:
    outside = BOX | {"box": [1, 1, 60, 11]}
    value, issues = scored("ap_50_box", [raw("1", [outside], [outside])])
    assert [(issue.code, issue.severity, issue.pointer) for issue in issues] == [("BOX_OUTSIDE_IMAGE", "warning", "/0/box")]
    assert value.value == 100.0


@pytest.mark.parametrize("metric", GOOD)
def test_scores_on_some_objects_only(metric: str) -> None:
    """The unscored come last, in order, and the value says so."""
    good = GOOD[metric]
    value, issues = scored(metric, [raw("1", [good, good | {"score": -5.0}], [good])])
    assert issues == []
    assert value.warnings == ("some_scores_missing",)
    assert value.value == 100.0


@pytest.mark.parametrize("metric", GOOD)
def test_a_prediction_for_an_unknown_picture(metric: str) -> None:
    stray = RawSample("9", Content(json=[GOOD[metric]]), (), Presence.PREDICTION_ONLY)
    value, issues = scored(metric, [raw("1", [GOOD[metric]], [GOOD[metric]]), stray])
    assert [(issue.sample_id, issue.code) for issue in issues] == [("9", "NO_REFERENCE")]
    assert (value.value, value.expected, value.excluded) == (100.0, 1, 1)


def test_a_file_of_objects_is_named() -> None:
    broken = sample("1", Content(media=media.from_bytes(b'[{"label": "a", "box": [1, 1, 0, 0', "boxes.json")), Content(json=[BOX]))
    _, issues = scored("ap_50_box", [broken])
    assert [(issue.code, issue.file) for issue in issues] == [("BAD_JSON", "boxes.json")]


def test_more_instances_than_a_picture_may_have() -> None:
    _, issues = scored("ap_50_mask", [raw("1", [MASK] * 10_001, [MASK])])
    assert [issue.code for issue in issues] == ["TOO_MANY_INSTANCES"]


def test_thousands_of_instances_overlap_as_pycocotools_says() -> None:
    """So many on one picture that overlaps are computed class by class, and in portions."""
    random = np.random.default_rng(5)
    boxes = np.column_stack([random.integers(0, 30, 1500), random.integers(0, 20, 1500), random.integers(1, 10, (1500, 2))])
    masks = [coco.frPyObjects([[x, y, x + w, y, x + w, y + h, x, y + h]], SIZE[1], SIZE[0])[0] for x, y, w, h in boxes.tolist()]
    labels = random.integers(0, 12, 1500).tolist()
    items = [{"label": label, "mask": mask | {"counts": mask["counts"].decode()}} for label, mask in zip(labels, masks, strict=True)]
    truth, guess = items[:500], [item | {"score": 1 - place / 2000} for place, item in enumerate(items[500:])]
    scorer = Scorer.of(EVALUATOR, "ap_50_mask", {"max_detections": 2000})
    rows, issues = scorer.observe([raw("1", guess, truth)])
    assert issues == []
    table = coco.iou(masks[500:], masks[:500], [0] * 500)
    found = 0
    for label in range(12):
        free = [place for place in range(500) if labels[place] == label]
        for place in (place for place in range(1000) if labels[500 + place] == label):
            best = max(free, key=lambda other: (table[place, other], other), default=None)
            if best is not None and table[place, best] >= 0.5:
                free.remove(best)
                found += 1
    assert int((rows.values["outcome"][:, 0] & 1).sum()) == found
