"""Mean IoU of points and of parts against scikit-learn and a port of PointNet++'s loop; label files, good and bad."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue, SampleError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_three_d.app import EVALUATOR
from genlevel_three_d.files import labels
from genlevel_three_d.scenes.parts import PARTS

Pairs = list[tuple[Any, Any]]


def scored(metric: str, pairs: Pairs, categories: list[Any] | None = None, **parameters: object) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(EVALUATOR, metric, parameters)
    samples = [
        RawSample(
            str(key), None if prediction is None else Content(json=prediction), (Content(json=reference),), Presence.PREDICTION_MISSING if prediction is None else Presence.BOTH,
            {"category": categories[key]} if categories and categories[key] else {},
        )
        for key, (prediction, reference) in enumerate(pairs)
    ]  # fmt: skip
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


def clouds(seed: int, count: int, classes: int) -> list[tuple[list[int], list[int]]]:
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        reference = random.integers(0, classes, int(random.integers(1, 400)))
        prediction = np.where(random.random(len(reference)) < 0.7, reference, random.integers(0, classes, len(reference)))
        found.append((prediction.tolist(), reference.tolist()))
    return found


@pytest.mark.parametrize(("seed", "classes", "ignore"), [(0, 13, None), (1, 20, 3), (2, 2, None), (3, 3, 0)])
def test_mean_iou_is_that_of_the_confusion_matrix(seed: int, classes: int, ignore: int | None) -> None:
    pairs = clouds(seed, 12, classes)
    guess, true = (np.concatenate([np.array(pair[side]) for pair in pairs]) for side in (0, 1))
    guess, true = guess[true != ignore], true[true != ignore]
    matrix = confusion_matrix(true, guess, labels=np.unique(true)).astype(float)
    counts = np.array([np.sum(guess == label) for label in np.unique(true)])
    ious = np.diag(matrix) / (counts + np.bincount(true)[np.unique(true)] - np.diag(matrix))
    value, issues = scored("miou", pairs, ignore_label=ignore, foreground="no")
    assert issues == []
    assert value.value == pytest.approx(100 * ious.mean(), rel=1e-12)
    assert value.companions["point_accuracy"] == pytest.approx(100 * np.mean(guess == true), rel=1e-12)
    assert value.companions["class_accuracy"] == pytest.approx(100 * np.mean(np.diag(matrix) / np.bincount(true)[np.unique(true)]), rel=1e-12)
    if classes == 2:
        assert scored("miou", pairs)[0].value == pytest.approx(100 * ious[1], rel=1e-12)


def test_a_missing_cloud_is_all_wrong() -> None:
    value, _ = scored("miou", [([0, 1, 2], [0, 1, 2]), (None, [0, 1, 2])])
    assert value.value == pytest.approx(50.0)
    assert scored("miou", [(None, [0, 1, 2])])[0].value == 0.0


def test_labels_that_are_shifted_are_told() -> None:
    value, _ = scored("miou", [([11, 12, 13], [1, 2, 3])])
    assert (value.value, value.warnings) == (0.0, ("unknown_labels",))
    assert scored("miou", [([1, 2], [1, 9])], classes=5)[0].warnings == ("reference_beyond_classes",)


# Parts


def pointnet2(pairs: Pairs, categories: list[str]) -> tuple[float, float]:
    """Mean over shapes and mean over categories, after PointNet++'s evaluation loop."""
    shapes: dict[str, list[float]] = {}
    for (guess, true), name in zip(pairs, categories, strict=True):
        prediction, label = np.array(guess), np.array(true)
        ious = []
        for part in PARTS[name]:
            if np.sum(label == part) == 0 and np.sum(prediction == part) == 0:
                ious.append(1.0)
            else:
                ious.append(np.sum((label == part) & (prediction == part)) / float(np.sum((label == part) | (prediction == part))))
        shapes.setdefault(name, []).append(float(np.mean(ious)))
    every = [value for values in shapes.values() for value in values]
    return float(np.mean(every)), float(np.mean([np.mean(values) for values in shapes.values()]))


@pytest.mark.parametrize("seed", range(3))
def test_part_iou_is_pointnet2s(seed: int) -> None:
    random = np.random.default_rng(seed)
    categories = [str(name) for name in random.choice(list(PARTS), 24)]
    pairs = []
    for name in categories:
        parts = np.array(PARTS[name])
        true = random.choice(parts[: int(random.integers(1, len(parts) + 1))], 200)
        pairs.append((np.where(random.random(200) < 0.8, true, random.choice(parts, 200)).tolist(), true.tolist()))
    shapes, classes = pointnet2(pairs, categories)
    value, issues = scored("instance_miou", pairs, [name.title() for name in categories])
    assert issues == []
    assert value.value == pytest.approx(100 * shapes, rel=1e-12)
    assert value.companions["class_miou"] == pytest.approx(100 * classes, rel=1e-12)


def test_categories_of_one_name_are_one() -> None:
    pairs = [([12, 12], [12, 13]), ([12, 13], [12, 13])]
    by_name, _ = scored("instance_miou", pairs, ["Chair", "chair "])
    by_synset, _ = scored("instance_miou", pairs, ["03001627", "Chair"])
    assert by_name.value == by_synset.value
    assert by_name.value == pytest.approx(100 * ((0.5 + 0 + 1 + 1) / 4 + 1) / 2)
    assert by_name.companions["categories"] == 1


def test_other_categories_have_the_parts_of_their_references() -> None:
    # Numbers from 1 in each category: of the two tables, one with three parts in the data set, one with two.
    pairs = [([1, 1, 2], [1, 2, 2]), ([1, 2, 3], [1, 2, 3])]
    value, _ = scored("instance_miou", pairs, ["chair", "chair"])
    assert value.value == pytest.approx(100 * ((1 / 2 + 1 / 2 + 1) / 3 + 1) / 2)
    alone, _ = scored("instance_miou", pairs, ["chair", "chair"], parts="shape")
    assert alone.value == pytest.approx(100 * ((1 / 2 + 1 / 2) / 2 + 1) / 2)


def test_without_category_the_numbers_or_the_shape_say_so() -> None:
    value, _ = scored("instance_miou", [([12, 12], [12, 13])])  # a chair: two of its four parts are on neither side
    assert (value.value, value.warnings) == (pytest.approx(100 * (0.5 + 0 + 1 + 1) / 4), ("no_category",))
    own, _ = scored("instance_miou", [([1, 1], [1, 2])])
    assert own.value == pytest.approx(25.0)


def test_parts_of_another_category_are_wrong_and_told() -> None:
    value, _ = scored("instance_miou", [([30, 30, 12], [12, 13, 12])], ["Chair"])
    assert value.value == pytest.approx(100 * (0.5 + 0 + 1 + 1) / 4)
    assert (value.companions["other_category_share"], value.warnings) == (pytest.approx(200 / 3), ("unknown_labels",))


def test_a_missing_shape_is_worth_nothing() -> None:
    assert scored("instance_miou", [(None, [12, 12]), ([12, 12], [12, 12])], ["Chair", "Chair"])[0].value == 50.0


# Files


def text(values: list[int]) -> bytes:
    return "\n".join(map(str, values)).encode() + b"\n"


def npy(values: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


GOOD = {
    "a.txt": text([0, 3, 7]), "a.seg": b"0\r\n3\r\n7", "a.label": text([0, 3, 7]), "b.npy": npy(np.array([0, 3, 7], np.uint8)), "c.npy": npy(np.array([[0.0], [3.0], [7.0]])),
    "a.npz": npz(arr_0=np.array([0, 3, 7])), "b.npz": npz(labels=np.array([0, 3, 7]), other=np.zeros(2)), "d.label": np.array([0, 3 | 5 << 16, 7 | 1 << 16], "<u4").tobytes(),
    "d.txt": b"0.000000\n3.000000\n7.000000\n",
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_files_are_read(name: str) -> None:
    assert labels.read(media.from_bytes(GOOD[name], name)).tolist() == [0, 3, 7]


BAD = {
    "empty.txt": (b"", "EMPTY_LABELS"), "words.txt": (b"chair\n", "NOT_LABELS"), "columns.txt": (b"1 2\n3 4\n", "NOT_LABELS"), "half.txt": (b"0.5\n", "NOT_LABELS"), "negative.txt": (b"-1\n", "NOT_LABELS"),
    "nan.npy": (npy(np.array([np.nan, 1])), "NOT_LABELS"), "wide.npy": (npy(np.zeros((3, 2))), "WRONG_SHAPE"), "scores.npy": (npy(np.array([0.3])), "NOT_LABELS"), "cut.npy": (npy(np.arange(99))[:200], "MEDIA_TRUNCATED"),
    "object.npy": (npy(np.array([{}], dtype=object)), "NOT_AN_ARRAY"), "two.npz": (npz(a=np.zeros(1), b=np.zeros(1)), "NOT_LABELS"), "odd.label": (b"\x01\x00\x00\x00\xff", "MEDIA_TRUNCATED"), "signs.txt": (b"1-2\n", "NOT_LABELS"),
    "huge.txt": (b"1e300\n", "NOT_LABELS"), "zip.txt": (b"PK\x03\x04junk", "NOT_AN_ARRAY"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused(name: str) -> None:
    data, code = BAD[name]
    with pytest.raises(SampleError) as caught:
        labels.read(media.from_bytes(data, name))
    assert (caught.value.code, bool(caught.value.remedy)) == (code, True)


BAD_JSON = {"text": ("x", "WRONG_TYPE"), "an object": ({}, "WRONG_TYPE"), "nothing": ([], "EMPTY_LABELS"), "truth": ([True], "NOT_LABELS"), "a half": ([0.5], "NOT_LABELS"), "negative": ([-1], "NOT_LABELS"), "beyond": ([1 << 70], "NOT_LABELS"), "longer": ([0, 1, 2], "LENGTH_MISMATCH")}


@pytest.mark.parametrize("metric", ["miou", "instance_miou"])
@pytest.mark.parametrize("name", BAD_JSON)
def test_bad_labels_are_an_issue_of_their_sample(metric: str, name: str) -> None:
    given_, code = BAD_JSON[name]
    value, issues = scored(metric, [(given_, [12, 13]), ([12, 13], [12, 13])], ["Chair", "Chair"])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("0", code, "prediction")]
    assert (value.present, value.expected) == (1, 2)


@settings(max_examples=80)
@given(st.binary(max_size=200), st.sampled_from([".txt", ".npy", ".npz", ".label", ""]))
def test_any_bytes_give_labels_or_an_issue(data: bytes, suffix: str) -> None:
    try:
        found = labels.read(media.from_bytes(data, f"a{suffix}"))
    except SampleError:
        return
    assert found.ndim == 1
    assert found.min() >= 0
