"""Masks in their four forms, as pycocotools reads them, and masks that are refused."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.pixels.run_lengths import packed, runs_of, whole_strings
from genlevel_image.app import EVALUATOR
from genlevel_image.forms.instance_images import runs_of_numbers
from genlevel_image.forms.instances import decode_instances
from tests.image.files import encoded, sample

SIZE = {"image_size": [3, 2]}
PLAIN = {"size": [2, 3], "counts": [1, 2, 3]}


@settings(max_examples=60)
@given(st.lists(st.integers(0, 40_000), min_size=1, max_size=30))
def test_run_lengths_go_there_and_back(runs: list[int]) -> None:
    total = sum(runs)
    text = packed(np.array(runs, np.int64), (total, 1))["counts"]
    assert runs_of(text.decode(), total).tolist() == runs


def test_the_four_forms_are_one_mask() -> None:
    pixels = np.zeros((2, 3), bool)
    pixels[:, 1:] = True
    packed = coco.encode(np.asfortranarray(pixels.astype(np.uint8)))
    forms: list[Any] = [
        [[1, 0, 3, 0, 3, 2, 1, 2]], {"size": [2, 3], "counts": [2, 4]}, {"size": [2, 3], "counts": packed["counts"].decode()},
        media.from_bytes(encoded(pixels.astype(np.uint8)), "a.png"),
    ]
    found = decode_instances(Content(json=[{"label": "a", "mask": form} for form in forms]), SIZE)
    assert all(np.array_equal(coco.decode(mask), pixels) for mask in found.masks)
    assert found.size == (2, 3)


@pytest.mark.parametrize(
    ("mask", "code", "pointer"),
    [
        (None, "WRONG_TYPE", "/0/mask"),
        ("a.png", "WRONG_TYPE", "/0/mask"),
        ({"counts": [6]}, "WRONG_SHAPE", "/0/mask"),
        ({**PLAIN, "extra": 1}, "UNKNOWN_KEY", "/0/mask"),
        ({"size": [0, 3], "counts": []}, "WRONG_SHAPE", "/0/mask"),
        ({"size": [100_000, 100_000], "counts": [10**10]}, "IMAGE_TOO_LARGE", "/0/mask"),
        ({"size": [3, 2], "counts": [6]}, "WRONG_SHAPE", "/0/mask"),
        ({"size": [2, 3], "counts": [1, 2]}, "BAD_RUN_LENGTHS", "/0/mask"),
        ({"size": [2, 3], "counts": [7, -1]}, "BAD_RUN_LENGTHS", "/0/mask"),
        ({"size": [2, 3], "counts": [1.5, 4.5]}, "BAD_RUN_LENGTHS", "/0/mask"),
        ({"size": [2, 3], "counts": [10**30]}, "BAD_RUN_LENGTHS", "/0/mask"),
        ({"size": [2, 3], "counts": "12~"}, "BAD_RUN_LENGTHS", "/0/mask"),
        ({"size": [2, 3], "counts": "12ü"}, "BAD_RUN_LENGTHS", "/0/mask"),
        ({"size": [2, 3], "counts": "12T"}, "BAD_RUN_LENGTHS", "/0/mask"),
        ({"size": [2, 3], "counts": "oooooo1"}, "BAD_RUN_LENGTHS", "/0/mask"),
        ({"size": [2, 3], "counts": "7M2"}, "BAD_RUN_LENGTHS", "/0/mask"),
        ({"size": [2, 3], "counts": ""}, "BAD_RUN_LENGTHS", "/0/mask"),
        ([], "WRONG_SHAPE", "/0/mask"),
        ([[0, 0, 1, 1]], "BAD_POLYGON", "/0/mask/0"),
        ([[0, 0, 1, 1, 0, 1], [0, 0, 1, 1, 0, 1, 5]], "BAD_POLYGON", "/0/mask/1"),
        ([[0, 0, 1, 1, 0, float("nan")]], "NOT_FINITE", "/0/mask/0/5"),
        ([[0, 0, 1, 1, 0, 10**400]], "NOT_FINITE", "/0/mask/0/5"),
        ([[0, 0, 1, 1, 0, "1"]], "WRONG_TYPE", "/0/mask/0/5"),
        ([[0, 0, 1e9, 1, 0, 1]], "BAD_POLYGON", "/0/mask/0"),
        ([[0, 0, 9e5, 1, 0, 1]], "MASK_TOO_COMPLEX", "/0/mask/0"),
    ],
)
def test_unusable_masks(mask: Any, code: str, pointer: str) -> None:
    with pytest.raises(SampleError) as error:
        decode_instances(Content(json=[{"label": "a", "mask": mask}]), SIZE)
    assert (error.value.code, error.value.pointer) == (code, pointer)
    assert error.value.remedy


def test_polygons_need_the_size_of_the_picture() -> None:
    with pytest.raises(SampleError) as error:
        decode_instances(Content(json=[{"label": "a", "mask": [[0, 0, 3, 0, 3, 2]]}]), {})
    assert error.value.code == "NO_IMAGE_SIZE"


def test_a_broken_file_says_where_it_is() -> None:
    with pytest.raises(SampleError) as error:
        decode_instances(Content(json=[{"label": "a", "mask": media.from_bytes(b"\x89PNG\r\n\x1a\n", "a.png")}]), SIZE)
    assert (error.value.code, error.value.pointer) == ("MEDIA_TRUNCATED", "/0/mask")


def test_masks_of_another_size_than_the_reference_find_nothing() -> None:
    other = {"size": [4, 4], "counts": [0, 16]}
    raw = sample("1", Content(json=[{"label": "a", "mask": other, "score": 1}]), Content(json=[{"label": "a", "mask": PLAIN}]))
    scorer = Scorer.of(EVALUATOR, "ap_50_mask")
    rows, issues = scorer.observe([raw, replace(raw, id="2", prediction=raw.references[0])])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("1", "WRONG_SHAPE", "prediction")]
    assert scorer.finalize(rows).companions["recall"] == 50.0


def test_a_crowd_swallows_masks_inside_it() -> None:
    crowd = {"label": "a", "mask": {"size": [2, 3], "counts": [0, 4, 2]}, "crowd": True}
    guess = [{"label": "a", "mask": {"size": [2, 3], "counts": [0, 1, 5]}, "score": s} for s in (0.9, 0.8)]
    guess.append({"label": "a", "mask": {"size": [2, 3], "counts": [4, 2]}, "score": 0.1})
    truth = [crowd, {"label": "a", "mask": {"size": [2, 3], "counts": [4, 2]}}]
    raw = RawSample("1", Content(json=guess), (Content(json=truth),))
    scorer = Scorer.of(EVALUATOR, "ap_50_mask")
    assert scorer.finalize(scorer.observe([raw])[0]).value == 100.0


@settings(max_examples=60)
@given(st.lists(st.lists(st.integers(0, 40_000), min_size=1, max_size=12), min_size=1, max_size=6), st.integers(0, 5), st.integers(0, 127))
def test_strings_checked_together_pass_where_each_alone_does(masks: list[list[int]], place: int, character: int) -> None:
    texts = [packed(np.array(runs, np.int64), (1, sum(runs)))["counts"].decode() for runs in masks]
    pixels = [sum(runs) for runs in masks]
    found = whole_strings(texts, pixels)
    assert found is not None
    assert found[0].tolist() == [len(runs) for runs in masks]
    assert found[1].tolist() == [sum(runs[1::2]) for runs in masks]
    damaged = [texts[0][:place] + chr(character) + texts[0][place + 1 :], *texts[1:]]
    found = whole_strings(damaged, pixels)
    try:
        alone = runs_of(damaged[0], pixels[0])
    except SampleError:
        assert found is None
    else:
        assert found is not None
        assert (found[0][0], found[1][0]) == (len(alone), alone[1::2].sum())


IDS = np.array([[0, 3, 3, 255], [0, 3, 255, 255], [9, 9, 0, 255]])
SEGMENTS: list[dict[str, Any]] = [{"id": 3, "label": "cat", "score": 0.5}, {"id": 255, "label": 7, "crowd": True}, {"id": 9, "label": "cat", "area": 4.5}, {"id": 77, "label": "cat"}]


def picture_of(ids: NDArray[Any], form: str) -> Any:
    """A picture of instance numbers in one of its forms."""
    if form == "colour":
        return media.from_bytes(encoded(np.stack([ids % 256, ids // 256, 0 * ids], axis=2).astype(np.uint8)), "a.png")
    if form == "palette":
        image = Image.new("P", ids.shape[::-1])
        image.putpalette([number for grey in range(256) for number in (grey, grey, grey)])
        image.putdata(ids.ravel().tolist())
        file = io.BytesIO()
        image.save(file, "PNG")
        return media.from_bytes(file.getvalue(), "a.png")
    return media.from_bytes(encoded(ids.astype(np.uint16 if form == "deep" else np.uint8)), "a.png")


@pytest.mark.parametrize("form", ["grey", "deep", "colour", "palette"])
def test_one_picture_of_instance_numbers(form: str) -> None:
    scale = 257 if form in ("deep", "colour") else 1
    segments = [item | {"id": scale * item["id"]} for item in SEGMENTS]
    found = decode_instances(Content(json={"image": picture_of(scale * IDS, form), "segments": segments}), {"image_size": [4, 3]})
    for item, mask in zip(SEGMENTS, found.masks, strict=True):
        expected = coco.encode(np.asfortranarray((item["id"] == IDS).astype(np.uint8)))
        assert (tuple(mask["size"]), mask["counts"]) == (tuple(expected["size"]), expected["counts"])
    assert found.crowd.tolist() == [False, True, False, False]
    assert found.areas[2] == 4.5
    assert found.scores[0] == 0.5
    assert np.isnan(found.areas[0])
    assert found.size == (3, 4)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12), st.integers(1, 6))
def test_a_picture_of_numbers_is_its_masks_one_by_one(seed: int, height: int, width: int, many: int) -> None:
    ids = np.random.default_rng(seed).integers(0, many + 1, (height, width))
    for number, runs in enumerate(runs_of_numbers(ids.astype(np.int32), np.arange(1, many + 1)), 1):
        expected = coco.encode(np.asfortranarray((ids == number).astype(np.uint8)))
        assert packed(runs, (height, width))["counts"] == expected["counts"]


def test_a_picture_of_numbers_scores_as_its_masks_do() -> None:
    truth = {"image": picture_of(IDS, "grey"), "segments": [{"id": 3, "label": "a"}, {"id": 9, "label": "a"}, {"id": 255, "label": "b"}]}
    guess = [{"label": label, "mask": media.from_bytes(encoded((number == IDS).astype(np.uint8)), "m.png"), "score": 1.0} for number, label in ((3, "a"), (255, "b"))]
    scorer = Scorer.of(EVALUATOR, "ap_50_mask")
    rows, issues = scorer.observe([RawSample("1", Content(json=guess), (Content(json=truth),))])
    assert issues == []
    assert scorer.finalize(rows).companions["recall"] == 75.0


@pytest.mark.parametrize(
    ("value", "code", "pointer"),
    [
        ({"segments": SEGMENTS}, "WRONG_TYPE", ""),
        ({"image": "a.png", "segments": SEGMENTS}, "WRONG_TYPE", ""),
        ({"image": picture_of(IDS, "grey"), "segments": {}}, "WRONG_TYPE", ""),
        ({"image": picture_of(IDS, "grey"), "segments": SEGMENTS[1:]}, "UNLISTED_SEGMENT", "/segments"),
        ({"image": picture_of(IDS, "grey"), "segments": [*SEGMENTS, SEGMENTS[0]]}, "REPEATED_SEGMENT", "/segments"),
        ({"image": picture_of(IDS, "grey"), "segments": [*SEGMENTS, {"id": 0, "label": "a"}]}, "BAD_SEGMENT_ID", "/segments/4/id"),
        ({"image": picture_of(IDS, "grey"), "segments": [*SEGMENTS, {"id": True, "label": "a"}]}, "BAD_SEGMENT_ID", "/segments/4/id"),
        ({"image": picture_of(IDS, "grey"), "segments": [*SEGMENTS, {"id": 5, "label": None}]}, "WRONG_TYPE", "/segments/4/label"),
        ({"image": picture_of(IDS, "grey"), "segments": [*SEGMENTS, {"id": 5, "label": "a", "mask": 1}]}, "UNKNOWN_KEY", "/segments/4"),
        ({"image": picture_of(IDS[:, :3], "grey"), "segments": SEGMENTS}, "WRONG_SHAPE", "/image"),
        ({"image": media.from_bytes(b"\x89PNG\r\n\x1a\n", "a.png"), "segments": SEGMENTS}, "MEDIA_TRUNCATED", "/image"),
    ],
)
def test_pictures_of_numbers_that_are_refused(value: Any, code: str, pointer: str) -> None:
    with pytest.raises(SampleError) as error:
        decode_instances(Content(json=value), {"image_size": [4, 3]})
    assert (error.value.code, error.value.pointer) == (code, pointer)
    assert error.value.remedy
