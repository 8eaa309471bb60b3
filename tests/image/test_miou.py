"""Mean IoU against scikit-learn 1.8 and torchmetrics 1.9; label images and run lengths against pycocotools 2.0.11."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco_mask
from sklearn.metrics import confusion_matrix
from torchmetrics.classification import MulticlassJaccardIndex

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import EvaluatorError, Issue, SampleError
from genlevel_evaluator.kinds import Content
from genlevel_image.app import EVALUATOR
from genlevel_image.forms.masks import decode_masks, decode_run_lengths
from tests.image.generators import encoded, file_of, sample


def value_of(samples: list[RawSample], **parameters: object) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(EVALUATOR, "miou", parameters)
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


def label_pairs(classes: int, seed: int, extra: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(seed)
    result = []
    for _ in range(6):
        truth = random.integers(0, classes, (12, 9), dtype=np.uint8)
        guess = np.where(random.random(truth.shape) < 0.6, truth, random.integers(0, classes + extra, truth.shape)).astype(np.uint8)
        result.append((guess, truth))
    return result


def samples_of(pairs: list[tuple[np.ndarray, np.ndarray]]) -> list[RawSample]:
    return [sample(str(i), file_of(encoded(guess)), file_of(encoded(truth))) for i, (guess, truth) in enumerate(pairs)]


def pooled(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([g.ravel() for g, _ in pairs]), np.concatenate([t.ravel() for _, t in pairs])


def iou_by_scikit_learn(guess: np.ndarray, truth: np.ndarray, labels: list[int]) -> np.ndarray:
    matrix = confusion_matrix(truth, guess, labels=labels).astype(float)
    return np.diag(matrix) / (matrix.sum(axis=0) + matrix.sum(axis=1) - np.diag(matrix))


def test_classes_against_two_libraries() -> None:
    pairs = label_pairs(5, 1)
    guess, truth = pooled(pairs)
    found, issues = value_of(samples_of(pairs))
    assert issues == []
    expected = iou_by_scikit_learn(guess, truth, list(range(5)))
    assert found.value == pytest.approx(100 * expected.mean(), rel=1e-12)
    assert found.companions["iou_3"] == pytest.approx(100 * expected[3], rel=1e-12)
    judge = MulticlassJaccardIndex(num_classes=5, average="macro")
    assert found.value == pytest.approx(100 * float(judge(torch.tensor(guess), torch.tensor(truth))), rel=1e-6)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high


def test_ignored_pixels_against_torchmetrics() -> None:
    pairs = label_pairs(5, 2)
    guess, truth = pooled(pairs)
    judge = MulticlassJaccardIndex(num_classes=5, ignore_index=4, average=None)
    expected = judge(torch.tensor(guess), torch.tensor(truth)).numpy()[:4]
    found, _ = value_of(samples_of(pairs), ignore_label=4, classes=4)
    assert found.value == pytest.approx(100 * float(expected.mean()), rel=1e-6)


def test_labels_outside_the_set_are_errors_and_no_class() -> None:
    pairs = label_pairs(3, 3, extra=2)
    guess, truth = pooled(pairs)
    union = iou_by_scikit_learn(guess, truth, list(range(5)))
    assert value_of(samples_of(pairs))[0].value == pytest.approx(100 * union[:3].mean(), rel=1e-12)
    assert value_of(samples_of(pairs), classes=5)[0].value == pytest.approx(100 * union.sum() / 5, rel=1e-12)


def test_absent_classes_are_skipped() -> None:
    pairs = label_pairs(3, 4)
    assert value_of(samples_of(pairs), classes=50)[0].value == pytest.approx(value_of(samples_of(pairs))[0].value)


def test_background_can_be_left_out() -> None:
    pairs = label_pairs(3, 5)
    expected = iou_by_scikit_learn(*pooled(pairs), [0, 1, 2])[1:].mean()
    assert value_of(samples_of(pairs), background=False)[0].value == pytest.approx(100 * expected, rel=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), [(1, 1), (255, 255), (255, 1), (1, 255)])
def test_one_foreground_is_scored_without_background(ours: int, theirs: int) -> None:
    random = np.random.default_rng(6)
    pairs = [(random.random((10, 10)) < 0.3, random.random((10, 10)) < 0.3) for _ in range(4)]
    inter, union = sum((g & t).sum() for g, t in pairs), sum((g | t).sum() for g, t in pairs)
    found, _ = value_of(samples_of([((g * ours).astype(np.uint8), (t * theirs).astype(np.uint8)) for g, t in pairs]))
    assert found.value == pytest.approx(100 * inter / union, rel=1e-12)
    assert found.companions["one_foreground"] == 1


def test_foreground_by_parameter() -> None:
    pairs = label_pairs(3, 7)
    inter, union = sum(((g > 0) & (t > 0)).sum() for g, t in pairs), sum(((g > 0) | (t > 0)).sum() for g, t in pairs)
    assert value_of(samples_of(pairs), foreground="yes")[0].value == pytest.approx(100 * inter / union, rel=1e-12)
    two = [(g > 0).astype(np.uint8) for g, _ in pairs], [(t > 0).astype(np.uint8) for _, t in pairs]
    expected = iou_by_scikit_learn(np.concatenate([g.ravel() for g in two[0]]), np.concatenate([t.ravel() for t in two[1]]), [0, 1]).mean()
    assert value_of(samples_of(list(zip(*two, strict=True))), foreground="no")[0].value == pytest.approx(100 * expected, rel=1e-12)


def test_a_missing_mask_misses_every_pixel() -> None:
    truth = np.array([[0, 1], [1, 2]], np.uint8)
    whole, absent = sample("1", file_of(encoded(truth)), file_of(encoded(truth))), sample("2", None, file_of(encoded(truth)))
    assert value_of([whole])[0].value == 100.0
    assert value_of([whole, absent])[0].value == pytest.approx(50.0)


def test_all_ignored_is_undefined() -> None:
    nothing = np.full((2, 2), 9, np.uint8)
    found, _ = value_of(samples_of([(nothing, nothing)]), ignore_label=9)
    assert (found.value, found.reason) == (None, "no_valid_pixel")


def test_other_sizes_are_refused_and_score_as_missing() -> None:
    truth = np.ones((4, 4), np.uint8)
    found, issues = value_of(samples_of([(truth[:3], truth)]))
    assert [issue.code for issue in issues] == ["SIZE_MISMATCH"]
    assert found.value == 0.0


def decoded(data: bytes, name: str = "m.png") -> np.ndarray:
    return decode_masks(Content(media=media.from_bytes(data, name)), {}).labels


def test_label_files() -> None:
    labels = np.array([[0, 3, 255], [7, 1, 0]], np.uint8)
    palette = Image.fromarray(labels).convert("P")
    palette.putdata(labels.ravel().tolist())
    file = io.BytesIO()
    palette.save(file, "PNG")
    array = io.BytesIO()
    np.save(array, labels.astype(np.int64))
    packed = io.BytesIO()
    np.savez(packed, labels)
    deep = labels.astype(np.uint16) * 200
    assert (decoded(encoded(labels)) == labels).all()
    assert (decoded(file.getvalue()) == labels).all()
    assert (decoded(encoded(np.repeat(labels[:, :, None], 3, axis=2))) == labels).all()
    assert (decoded(array.getvalue(), "m.npy") == labels).all()
    assert (decoded(packed.getvalue(), "m.npz") == labels).all()
    assert (decoded(encoded(deep)) == deep).all()


@pytest.mark.parametrize("seed", range(5))
def test_run_lengths_of_pycocotools(seed: int) -> None:
    random = np.random.default_rng(seed)
    mask = random.random((int(random.integers(1, 40)), int(random.integers(1, 400)))) < random.random()
    mask[: len(mask) // 2] = seed % 2
    packed = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert (decode_run_lengths({"size": packed["size"], "counts": packed["counts"].decode()}) == mask).all()


def test_painted_masks_later_over_earlier() -> None:
    left, all_of_it = {"size": [1, 3], "counts": [0, 2, 1]}, {"size": [1, 3], "counts": [0, 3]}
    labels = decode_masks(Content(json=[{"label": 2, "mask": all_of_it}, {"label": 5, "mask": left}]), {}).labels
    assert labels.tolist() == [[5, 5, 2]]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"size": [2, 2], "counts": [1, 2]}, "BAD_RUN_LENGTHS"),
        ({"size": [2, 2], "counts": [5, -1]}, "BAD_RUN_LENGTHS"),
        ({"size": [2, 2], "counts": "zz~"}, "BAD_RUN_LENGTHS"),
        ({"size": [2, 2], "counts": "o" * 60}, "BAD_RUN_LENGTHS"),
        ({"size": [2, 2], "counts": [True, 3]}, "BAD_RUN_LENGTHS"),
        ({"size": [0, 2], "counts": []}, "WRONG_SHAPE"),
        ({"size": [2.0, 2], "counts": [4]}, "WRONG_SHAPE"),
        ({"counts": [4]}, "WRONG_SHAPE"),
        ({"size": [2**20, 2**20], "counts": [2**40]}, "IMAGE_TOO_LARGE"),
        ([], "WRONG_TYPE"),
        ([{"label": "a", "mask": {"size": [1, 1], "counts": [1]}}], "WRONG_TYPE"),
        ([{"label": 1, "mask": {"size": [1, 1], "counts": [1]}}, {"label": 1, "mask": {"size": [1, 2], "counts": [2]}}], "WRONG_SHAPE"),
        ("text", "WRONG_TYPE"),
        (None, "WRONG_TYPE"),
    ],
)
def test_hostile_run_lengths(value: Any, code: str) -> None:
    with pytest.raises(SampleError) as error:
        decode_masks(Content(json=value), {})
    assert error.value.code == code
    assert error.value.remedy


def test_hostile_label_files() -> None:
    colour = np.random.default_rng(1).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    floats, objects = io.BytesIO(), io.BytesIO()
    np.save(floats, np.zeros((2, 2)))
    np.save(objects, np.array([{}]), allow_pickle=True)
    cases = [(encoded(colour), "c.png"), (floats.getvalue(), "f.npy"), (objects.getvalue(), "o.npy"), (b"x", "e.npz"), (encoded(colour[:, :, 0])[:60], "t.png")]
    for data, name in cases:
        with pytest.raises(SampleError, match=name):
            decoded(data, name)


@pytest.mark.parametrize("parameters", [{"classes": 0}, {"foreground": "maybe"}, {"ignore_label": 1.5}])
def test_bad_parameters(parameters: dict[str, object]) -> None:
    with pytest.raises(EvaluatorError, match="miou"):
        Scorer.of(EVALUATOR, "miou", parameters)


def test_labels_that_no_class_has_are_told() -> None:
    truth = np.array([[0, 1], [2, 1]], np.uint8)
    for guess, share, warnings in ((truth, None, ()), (truth + 1, 25.0, ()), (truth + 3, 100.0, ("unknown_labels",))):
        found, issues = value_of(samples_of([(guess.astype(np.uint8), truth)]))
        assert issues == []
        assert (found.companions.get("unknown_label_share"), found.warnings) == (share, warnings)
    found, _ = value_of(samples_of([(truth, np.where(truth == 2, 255, truth).astype(np.uint8))]), classes=3)
    assert found.warnings == ("reference_beyond_classes",)
    found, _ = value_of(samples_of([(truth, np.where(truth == 2, 255, truth).astype(np.uint8))]), classes=3, ignore_label=255)
    assert found.warnings == ()
