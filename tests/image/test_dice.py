"""Dice and Hausdorff distance of painted boxes against MONAI 1.6.1, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.metrics import DiceMetric, HausdorffDistanceMetric

from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_image.pixels.painted import painted_areas
from genlevel_image.pixels.surface_distance import hausdorff_95
from tests.image.files import sample
from tests.image.scoring import value_of

RANDOM = np.random.default_rng(9)
SIDE = 32
CLASSES = ("crack", "gap")


def boxes(count: int) -> list[dict[str, Any]]:
    corner, size = RANDOM.integers(0, SIDE - 12, (count, 2)), RANDOM.integers(0, 12, (count, 2))
    labels = RANDOM.integers(0, 2, count)
    return [{"label": CLASSES[c], "box": [*p.tolist(), *(p + s).tolist()]} for p, s, c in zip(corner, size, labels, strict=True)]


def painted(items: list[dict[str, Any]]) -> torch.Tensor:
    canvas = torch.zeros(1, len(CLASSES), SIDE, SIDE)
    for item in items:
        x1, y1, x2, y2 = item["box"]
        canvas[0, CLASSES.index(item["label"]), y1:y2, x1:x2] = 1
    return canvas


def by_monai(guess: list[dict[str, Any]], truth: list[dict[str, Any]]) -> float:
    """Mean over the classes that occur on either side."""
    each = DiceMetric(ignore_empty=False, reduction="none", include_background=True)(painted(guess), painted(truth))[0]
    named = [c for c, label in enumerate(CLASSES) if any(item["label"] == label for item in guess + truth)]
    return float(each[named].double().mean()) if named else 1.0


def raw(guess: Any, truth: Any, key: str = "1", **attributes: Any) -> RawSample:
    return RawSample(key, Content(json=guess), (Content(json=truth),), Presence.BOTH, attributes)


def test_whole_pixels_by_monai() -> None:
    pairs = [(boxes(int(RANDOM.integers(0, 5))), boxes(int(RANDOM.integers(0, 5)))) for _ in range(40)]
    found, issues = value_of("dice", [raw(g, t, str(i)) for i, (g, t) in enumerate(pairs)])
    assert issues == []
    assert found.value == pytest.approx(100 * np.mean([by_monai(g, t) for g, t in pairs]), rel=1e-6)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high


def distances_by_monai(guess: list[dict[str, Any]], truth: list[dict[str, Any]]) -> list[float]:
    """Of the classes that both sides paint."""
    sides = painted(guess), painted(truth)
    shared = [c for c in range(len(CLASSES)) if all(side[0, c].any() for side in sides)]
    found = HausdorffDistanceMetric(include_background=True, percentile=95, reduction="none")(*sides)[0]
    return [float(found[c]) for c in shared]


def test_hausdorff_95_by_monai() -> None:
    pairs = [(boxes(int(RANDOM.integers(1, 5))), boxes(int(RANDOM.integers(1, 5)))) for _ in range(40)]
    each = [distances_by_monai(g, t) for g, t in pairs]
    found, _ = value_of("dice", [raw(g, t, str(i)) for i, (g, t) in enumerate(pairs)])
    assert found.companions["hausdorff_95"] == pytest.approx(np.mean([np.mean(known) for known in each if known]), rel=1e-6)
    named = sum(len({item["label"] for item in g + t}) for g, t in pairs)
    assert found.companions["hausdorff_95_undefined"] == pytest.approx(100 * (named - sum(map(len, each))) / named)


def test_where_there_is_no_distance() -> None:
    some, thin = [{"label": "a", "box": [0, 0, 4, 4]}], [{"label": "a", "box": [0, 0, 0.2, 4]}]
    far = [{"label": "a", "box": [1e8, 1e8, 1e8 + 1, 1e8 + 1]}]
    for guess, truth in ((some, []), ([], some), (thin, some), (far, some)):
        companions = value_of("dice", [raw(guess, truth)])[0].companions
        assert companions["hausdorff_95_undefined"] == 100.0
        assert "hausdorff_95" not in companions
    lost, _ = value_of("dice", [raw(some, some, "1"), sample("2", None, Content(json=some))])
    assert (lost.companions["hausdorff_95"], lost.companions["hausdorff_95_undefined"]) == (0.0, 50.0)
    assert "hausdorff_95_undefined" not in value_of("dice", [raw([], [])])[0].companions


@settings(max_examples=60)
@given(st.lists(st.tuples(*[st.integers(0, 12)] * 4), min_size=1, max_size=5), st.lists(st.tuples(*[st.integers(0, 12)] * 4), min_size=1, max_size=5))
def test_hausdorff_95_is_symmetric_and_moves_along(first: list[tuple[int, ...]], second: list[tuple[int, ...]]) -> None:
    sides = [np.array([(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in side], dtype=np.float64) for side in (first, second)]
    found = hausdorff_95(*sides)
    assert found == hausdorff_95(*sides[::-1])
    assert found == hausdorff_95(*(side - 1000.0 for side in sides))
    assert hausdorff_95(sides[0], sides[0]) in (0.0, None)


def test_fractions_of_pixels_are_exact() -> None:
    guess, truth = [{"label": 1, "box": [0, 0, 10.5, 10]}], [{"label": "1", "box": [0.5, 0, 10.5, 10]}]
    assert value_of("dice", [raw(guess, truth)])[0].value == pytest.approx(100 * 2 * 100 / 205)


def test_all_boxes_as_one_class_and_the_corpus() -> None:
    guess, truth = [{"label": "a", "box": [0, 0, 4, 4]}], [{"label": "b", "box": [0, 0, 4, 4]}]
    assert value_of("dice", [raw(guess, truth)])[0].value == 0.0
    assert value_of("dice", [raw(guess, truth)], by_class=False)[0].value == 100.0
    large = [{"label": "a", "box": [0, 0, 20, 20]}]
    found, _ = value_of("dice", [raw(guess, truth, "1"), raw(large, large, "2")])
    assert found.value == 50.0
    assert found.companions["corpus_dice"] == pytest.approx(100 * 800 / 832)


def test_empty_pictures() -> None:
    some = [{"label": "a", "box": [0, 0, 4, 4]}]
    assert value_of("dice", [raw([], [])])[0].value == 100.0
    assert value_of("dice", [raw(some, [])])[0].value == 0.0
    assert value_of("dice", [raw([], some)])[0].value == 0.0
    assert value_of("dice", [sample("1", None, Content(json=[]))])[0].value == 0.0


def test_forms_and_units_of_boxes() -> None:
    truth = [{"label": "a", "box": [10, 10, 20, 30]}]
    assert value_of("dice", [raw([{"label": "a", "box": [10, 10, 10, 20]}], [{"label": "a", "box": [10, 10, 10, 20]}])], bbox_format="xywh")[0].value == 100.0
    shares = [{"label": "a", "box": [0.1, 0.1, 0.2, 0.3]}]
    assert value_of("dice", [raw(shares, shares, image_size=[100, 100])], coordinates="unit")[0].value == 100.0
    beyond = [{"label": "a", "box": [10, 10, 20, 300]}]
    found, issues = value_of("dice", [raw(beyond, truth, image_size=[100, 30])])
    assert found.value == 100.0  # only what lies in the picture is painted
    assert [(issue.code, issue.severity) for issue in issues] == [("BOX_OUTSIDE_IMAGE", "warning")]


@settings(max_examples=60)
@given(st.lists(st.tuples(*[st.integers(0, 9)] * 4), max_size=8), st.lists(st.tuples(*[st.integers(0, 9)] * 4), max_size=8))
def test_areas_by_painting(first: list[tuple[int, ...]], second: list[tuple[int, ...]]) -> None:
    sides = [[(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in side] for side in (first, second)]
    canvas = np.zeros((2, 10, 10), bool)
    for place, side in enumerate(sides):
        for x1, y1, x2, y2 in side:
            canvas[place, y1:y2, x1:x2] = True
    found = painted_areas(*(np.array(side, dtype=np.float64).reshape(-1, 4) for side in sides))
    assert found == (canvas[0].sum(), canvas[1].sum(), (canvas[0] & canvas[1]).sum())


@pytest.mark.parametrize(
    ("guess", "code"),
    [
        ([{"label": "a", "box": [5, 5, 1, 1]}], "NEGATIVE_SIZE"), ([{"label": "a", "box": [0, 0, float("nan"), 1]}], "NOT_FINITE"),
        ([{"label": "a", "box": [0, 0, 1]}], "WRONG_SHAPE"), ({"label": "a"}, "WRONG_TYPE"), ([{"box": [0, 0, 1, 1]}], "WRONG_TYPE"),
        ([{"label": "a", "box": [i, 0, i + 1, 1]} for i in range(2001)], "TOO_MANY_BOXES"),
    ],
)
def test_bad_boxes_are_issues_and_score_0(guess: Any, code: str) -> None:
    found, issues = value_of("dice", [raw(guess, [{"label": "a", "box": [0, 0, 4, 4]}])])
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "prediction")]
    assert issues[0].remedy
    assert found.value == 0.0


@pytest.mark.parametrize("parameters", [{"bbox_format": "cxcywh"}, {"by_class": 1}])
def test_bad_parameters(parameters: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match="dice"):
        value_of("dice", [], **parameters)
