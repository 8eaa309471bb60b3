"""Video object IoU against pycocotools, and J and F against DAVIS's measures written out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco
from scipy import ndimage

from genlevel_evaluator.kinds import Content
from genlevel_video.forms.mask_tracks import united
from tests.video.files import issue_of, npz, pictures, result, run_lengths, sample, value_of

Mask = NDArray[np.bool_]


def blobs(random: np.random.Generator, frames: int, height: int, width: int) -> Mask:
    """Smooth random shapes that drift."""
    noise = ndimage.gaussian_filter(random.normal(size=(frames, height, width)), (1, 4, 4))
    return np.asarray(noise > np.quantile(noise, 0.7))


def compressed(mask: Mask) -> dict[str, Any]:
    found = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": found["size"], "counts": found["counts"].decode()}


def objects(**named: Mask) -> Content:
    return Content(json={"objects": {name.strip("_"): [compressed(frame) for frame in frames] for name, frames in named.items()}})


def davis_boundary(mask: Mask) -> Mask:
    """A pixel that differs from its right, lower or lower right neighbour, as seg2bmap has it."""
    right, below, across = np.zeros_like(mask), np.zeros_like(mask), np.zeros_like(mask)
    right[:, :-1], below[:-1], across[:-1, :-1] = mask[:, 1:], mask[1:], mask[1:, 1:]
    edge = (mask ^ right) | (mask ^ below) | (mask ^ across)
    edge[-1] = mask[-1] ^ right[-1]
    edge[:, -1] = mask[:, -1] ^ below[:, -1]
    edge[-1, -1] = False
    return np.asarray(edge)


def davis_f(guess: Mask, truth: Mask, tolerance: float) -> float:
    radius = math.ceil(tolerance * math.hypot(*truth.shape))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    ours, theirs = davis_boundary(guess), davis_boundary(truth)
    disk = x * x + y * y <= radius * radius
    if not ours.any() or not theirs.any():
        return float(ours.any() == theirs.any())
    precision = (ours & ndimage.binary_dilation(theirs, disk)).sum() / ours.sum()
    recall = (theirs & ndimage.binary_dilation(ours, disk)).sum() / theirs.sum()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def davis_j(guess: Mask, truth: Mask) -> float:
    return float((guess & truth).sum() / (guess | truth).sum()) if (guess | truth).any() else 1.0


@pytest.mark.parametrize("size", [(40, 56), (57, 31), (120, 90)])
def test_equals_pycocotools_and_davis(size: tuple[int, int]) -> None:
    random = np.random.default_rng(sum(size))
    truth = {name: blobs(random, 4, *size) for name in ("a", "b")}
    guess = {name: np.roll(frames, (2, -3), (1, 2)) ^ (random.random(frames.shape) < 0.002) for name, frames in truth.items()}
    truth["a"][1], guess["a"][2], truth["b"][3], guess["b"][3] = False, False, False, False
    scores, regions, outlines = [], [], []
    for name in truth:
        ours, theirs = ([coco.encode(np.asfortranarray(frame.astype(np.uint8))) for frame in side[name]] for side in (guess, truth))
        shared = sum(float(coco.area(coco.merge(list(pair), intersect=True))) for pair in zip(ours, theirs, strict=True))
        union = sum(float(coco.area(coco.merge(list(pair)))) for pair in zip(ours, theirs, strict=True))
        scores.append(shared / union)
        regions.append(np.mean([davis_j(*pair) for pair in zip(guess[name], truth[name], strict=True)]))
        outlines.append(np.mean([davis_f(*pair, 0.008) for pair in zip(guess[name], truth[name], strict=True)]))
    value = value_of("miou_video", [(objects(**guess), objects(**truth))])
    assert value.value == pytest.approx(100 * np.mean(scores), rel=1e-12)
    assert value.companions["j"] == pytest.approx(100 * np.mean(regions), rel=1e-12)
    assert value.companions["f"] == pytest.approx(100 * np.mean(outlines), rel=1e-12)
    assert value.companions["j_and_f"] == pytest.approx(50 * (np.mean(regions) + np.mean(outlines)), rel=1e-12)


def test_every_form_of_masks_is_the_same_masks() -> None:
    random = np.random.default_rng(5)
    truth, guess = blobs(random, 3, 20, 30), blobs(random, 3, 20, 30)
    forms = [
        objects(a=guess), Content(json={"objects": {"x": [run_lengths(frame) for frame in guess]}}), npz(labels=guess), npz(labels=guess.astype(np.int64) * 7),
        pictures(guess.astype(np.uint8) * 255), pictures(guess),
    ]  # fmt: skip
    values = [value_of("miou_video", [(form, objects(a=truth))]) for form in forms]
    assert {value.value for value in values} == {100 * float((guess & truth).sum() / (guess | truth).sum())}
    assert len({value.companions["j_and_f"] for value in values}) == 1


def test_all_that_is_found_is_held_against_the_one_object() -> None:
    truth = np.ones((2, 4, 4), bool)
    labels = np.ones((2, 4, 4), np.uint8)
    labels[:, :, 2:] = 2
    assert value_of("miou_video", [(npz(labels=labels), npz(labels=truth))]).value == 100.0
    ours = objects(a=labels == 1, b=labels >= 1)  # overlapping objects are one foreground
    assert value_of("miou_video", [(ours, npz(labels=truth))]).value == 100.0


def test_several_objects_go_by_name() -> None:
    labels = np.zeros((1, 2, 4), np.uint8)
    labels[:, :, :2], labels[:, 0, 2:] = 1, 2
    value, issues = result("miou_video", [sample("1", objects(_1=labels == 1, _3=labels == 2), npz(labels=labels))])
    assert value.value == 50.0
    assert value.companions["objects"] == 2
    assert [issue.code for issue in issues] == ["UNKNOWN_OBJECT"]


def test_nothing_where_there_is_nothing_is_right() -> None:
    labels = np.zeros((2, 3, 3), np.uint8)
    labels[0] = 1
    never = {"1": [run_lengths(frame == 1) for frame in labels], "2": [None, None]}
    value = value_of("miou_video", [(Content(json={"objects": never}), Content(json={"objects": never}))])
    assert value.value == 100.0 == value.companions["j"] == value.companions["f"]
    half = value_of("miou_video", [(npz(labels=labels), Content(json={"objects": {"1": never["1"], "2": [run_lengths(labels[0] == 1)] * 2}}))])
    assert half.value == 50.0
    missing, _ = result("miou_video", [sample("1", None, Content(json={"objects": {"1": [None, None]}}))])
    assert missing.value == 0.0


def test_frames_are_pooled_before_the_ratio_and_not_after() -> None:
    truth, guess = np.zeros((2, 10, 10), bool), np.zeros((2, 10, 10), bool)
    truth[0], guess[0], truth[1, 0, 0] = True, True, True
    value = value_of("miou_video", [(npz(labels=guess), npz(labels=truth))])
    assert value.value == pytest.approx(100 * 100 / 101)
    assert value.companions["j"] == 50.0


def test_without_boundaries_there_is_no_f() -> None:
    truth = objects(a=np.eye(5, dtype=bool)[None])
    assert "f" not in value_of("miou_video", [(truth, truth)], boundary=0.0).companions


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
def test_laws_of_masks(seed: int, frames: int, height: int, width: int) -> None:
    random = np.random.default_rng(seed)
    ours, theirs = (random.random((frames, height, width)) < share for share in (0.5, 0.4))
    theirs[0, 0, 0] = True
    value = value_of("miou_video", [(objects(a=ours), npz(labels=theirs))])
    assert value.value == pytest.approx(100 * (ours & theirs).sum() / (ours | theirs).sum(), rel=1e-12)
    assert value.companions["f"] == pytest.approx(100 * np.mean([davis_f(*pair, 0.008) for pair in zip(ours, theirs, strict=True)]), rel=1e-12)
    turned = value_of("miou_video", [(objects(a=ours[::-1]), npz(labels=theirs[::-1]))])
    assert (turned.value, turned.companions["j"]) == pytest.approx((value.value, value.companions["j"]))
    assert value_of("miou_video", [(objects(a=theirs), npz(labels=theirs))]).value == 100.0


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(0, 60), max_size=12).map(lambda places: sorted(set(places))), min_size=1, max_size=4))
def test_unions_of_intervals(parts: list[list[int]]) -> None:
    parts = [part[: len(part) // 2 * 2] for part in parts]
    covered = {place for part in parts for start, end in zip(part[::2], part[1::2], strict=True) for place in range(start, end)}
    found = united([np.array(part, np.int64) for part in parts])
    assert {place for start, end in found.reshape(-1, 2).tolist() for place in range(start, end)} == covered
    assert (np.diff(found) > 0).all()


_MASK = run_lengths(np.eye(4, dtype=bool))
_ONE = {"objects": {"1": [_MASK, _MASK]}}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (Content(json={"objects": {"1": [_MASK]}}), "FRAME_COUNT_MISMATCH"), (Content(json={"objects": {"1": [_MASK] * 2, "2": [None]}}), "FRAME_COUNT_MISMATCH"),
        (Content(json={"objects": {"1": [run_lengths(np.eye(5, dtype=bool))] * 2}}), "SIZE_MISMATCH"),
        (Content(json={"objects": {"1": [_MASK, run_lengths(np.eye(5, dtype=bool))]}}), "WRONG_SHAPE"), (Content(json={"objects": {}}), "WRONG_TYPE"),
        (Content(json={"objects": {"1": []}}), "WRONG_TYPE"), (Content(json={"objects": {"1": ["a", "b"]}}), "WRONG_TYPE"), (Content(json=[]), "WRONG_TYPE"),
        (Content(json={"objects": {"1": [{"size": [4, 4], "counts": [1, 2]}] * 2}}), "BAD_RUN_LENGTHS"), (Content(text="a cat"), "WRONG_TYPE"),
        (Content(json={"objects": {"1": [{"size": [4, 4], "counts": "\x7f"}] * 2}}), "BAD_RUN_LENGTHS"),
        (Content(json={"objects": {"1": [{"size": [10**9, 10**9], "counts": [1]}] * 2}}), "WRONG_TYPE"),
        (Content(json={"objects": {"1": [{"size": [16384, 16384], "counts": [16384 * 16384]}] * 2}}), "IMAGE_TOO_LARGE"),
        (npz(masks=np.zeros((2, 4, 4), np.float32)), "WRONG_SHAPE"), (npz(labels=np.zeros((4, 4), np.uint8)), "WRONG_SHAPE"),
        (npz(a=np.zeros(3), b=np.zeros(3)), "WRONG_SHAPE"), (npz(labels=np.zeros((3, 4, 4), np.uint8)), "FRAME_COUNT_MISMATCH"),
        (npz("a.mp4", labels=np.zeros((2, 4, 4), np.uint8)), "UNKNOWN_FORMAT"), (pictures(np.zeros((3, 4, 4), np.uint8)), "FRAME_COUNT_MISMATCH"),
        (pictures(np.random.default_rng(0).integers(0, 9, (2, 4, 4, 3), dtype=np.uint8)), "WRONG_TYPE"),
    ],
)  # fmt: skip
def test_predictions_that_do_not_fit_are_refused(given: Content, code: str) -> None:
    assert issue_of("miou_video", given, Content(json=_ONE)) == (code, "prediction")


def test_pictures_of_two_sizes() -> None:
    first, second = (pictures(np.zeros((1, side, side), np.uint8)).json[0] for side in (4, 5))
    assert issue_of("miou_video", Content(json=[first, second]), Content(json=_ONE)) == ("WRONG_SHAPE", "prediction")


def test_a_reference_without_an_object_is_left_out() -> None:
    assert issue_of("miou_video", npz(labels=np.ones((1, 4, 4), np.uint8)), npz(labels=np.zeros((1, 4, 4), np.uint8))) == ("NO_OBJECT", "reference")
