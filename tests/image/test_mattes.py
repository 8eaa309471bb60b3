"""Matting errors against OpenCV and scikit-learn, and what is refused."""

from __future__ import annotations

import base64
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.metrics import mean_absolute_error, mean_squared_error

from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from tests.image.files import array_of, encoded, file_of, sample
from tests.image.scoring import value_of

RANDOM = np.random.default_rng(4)
TRUTH = [RANDOM.integers(0, 256, (40 + i, 30), dtype=np.uint8) for i in range(3)]
GUESS = [np.clip(t + RANDOM.integers(-60, 61, t.shape), 0, 255).astype(np.uint8) for t in TRUTH]


def samples() -> list[RawSample]:
    return [sample(str(i), file_of(encoded(g)), file_of(encoded(t))) for i, (g, t) in enumerate(zip(GUESS, TRUTH, strict=True))]


def in_place(pixels: np.ndarray) -> dict[str, str]:
    return {"name": "t.png", "base64": base64.b64encode(encoded(pixels)).decode()}


def with_trimap(trimap: object) -> RawSample:
    return RawSample("1", file_of(encoded(GUESS[0])), (file_of(encoded(TRUTH[0])),), Presence.BOTH, {"trimap": trimap})


def header_only(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body)) + encoded(np.zeros((1, 1), np.uint8))[33:]


def test_sums_of_opencv() -> None:
    found, issues = value_of("sad", samples())
    assert issues == []
    expected = np.mean([cv2.norm(g, t, cv2.NORM_L1) / 255 / 1000 for g, t in zip(GUESS, TRUTH, strict=True)])
    assert found.value == pytest.approx(expected, rel=1e-12)
    assert found.interval is not None
    assert found.interval.low < found.value < found.interval.high


def test_means_of_scikit_learn() -> None:
    pairs = [(t.ravel() / 255, g.ravel() / 255) for g, t in zip(GUESS, TRUTH, strict=True)]
    found, _ = value_of("mse", samples())
    assert found.value == pytest.approx(1000 * np.mean([mean_squared_error(*p) for p in pairs]), rel=1e-12)
    assert found.companions["mad"] == pytest.approx(1000 * np.mean([mean_absolute_error(*p) for p in pairs]), rel=1e-12)
    assert found.companions["sad"] == value_of("sad", samples())[0].value
    assert found.value == value_of("sad", samples())[0].companions["mse"]


@pytest.mark.parametrize("metric", ["sad", "mse"])
def test_the_form_of_a_matte_does_not_matter(metric: str) -> None:
    guess, truth = GUESS[0], file_of(encoded(TRUTH[0]))
    forms = [
        file_of(encoded(guess)), file_of(encoded(guess.astype(np.uint16) * 257)), array_of(guess / 255), array_of((guess / 255).astype(np.float32)),
        file_of(encoded(np.repeat(guess[:, :, None], 3, axis=2))),
    ]
    values = [value_of(metric, [sample("1", form, truth)])[0].value for form in forms]
    assert values == pytest.approx([values[0]] * len(forms), rel=1e-6)


@pytest.mark.parametrize("attribute", ["picture", "runs"])
def test_the_unknown_region(attribute: str) -> None:
    unknown = RANDOM.random(TRUTH[0].shape) < 0.3
    flat = np.r_[False, unknown.T.ravel(), not unknown.T.ravel()[-1]]
    counts = np.diff(np.r_[0, np.flatnonzero(flat[1:] != flat[:-1])]).tolist()
    trimap = in_place(np.where(unknown, 128, 255).astype(np.uint8)) if attribute == "picture" else {"size": list(unknown.shape), "counts": counts}
    guess, truth = GUESS[0][unknown] / 255, TRUTH[0][unknown] / 255
    assert value_of("sad", [with_trimap(trimap)], region="trimap")[0].value == pytest.approx(np.abs(guess - truth).sum() / 1000, rel=1e-12)
    assert value_of("mse", [with_trimap(trimap)], region="trimap")[0].value == pytest.approx(1000 * mean_squared_error(truth, guess), rel=1e-12)


@pytest.mark.parametrize(
    ("trimap", "code"),
    [
        (None, "NO_TRIMAP"), (in_place(np.zeros((3, 3), np.uint8)), "SIZE_MISMATCH"), (in_place(np.zeros(TRUTH[0].shape, np.uint8)), "NO_VALID_PIXEL"),
        (7, "WRONG_TYPE"),
    ],
)
def test_bad_trimaps_leave_the_sample_out(trimap: object, code: str) -> None:
    found, issues = value_of("sad", [with_trimap(trimap)], region="trimap")
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "reference")]
    assert found.value is None


PALETTE = Image.fromarray(TRUTH[0]).convert("P")


@pytest.mark.parametrize(
    ("guess", "code"),
    [
        (file_of(encoded(GUESS[0][:-1])), "SIZE_MISMATCH"),
        (file_of(encoded(GUESS[0])[:-40]), "MEDIA_TRUNCATED"),
        (file_of(encoded(np.asarray(PALETTE.convert("RGB")) // np.array([1, 2, 3], np.uint8))), "WRONG_TYPE"),
        (file_of(encoded(np.dstack([GUESS[0]] * 4))), "WRONG_TYPE"),
        (file_of(header_only(2**20, 2**20)), "IMAGE_TOO_LARGE"),
        (array_of(np.full(TRUTH[0].shape, np.nan)), "NOT_FINITE"),
        (array_of(GUESS[0].astype(np.float32)), "OUT_OF_RANGE"),
        (array_of(GUESS[0]), "WRONG_TYPE"),
        (array_of(np.zeros((4, 4, 2))), "WRONG_SHAPE"),
        (array_of(np.zeros((0, 4))), "WRONG_SHAPE"),
        (file_of(b"\x93NUMPY\x01\x00", "a.npy"), "NOT_AN_ARRAY"),
        (file_of(b"PK", "a.npz"), "NOT_AN_ARRAY"),
        (file_of(b""), "MEDIA_EMPTY"),
        (Content(json=[[0.5]]), "WRONG_TYPE"),
    ],
)
def test_bad_mattes_are_issues_and_lower_the_coverage(guess: Content, code: str) -> None:
    found, issues = value_of("mse", [sample("x", guess, file_of(encoded(TRUTH[0]))), *samples()[1:]])
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "prediction")]
    assert issues[0].remedy
    assert (found.present, found.expected) == (2, 3)


def test_one_bit_and_one_pixel() -> None:
    bits = np.asarray(Image.fromarray(TRUTH[0]).convert("1"))
    assert value_of("sad", [sample("1", file_of(encoded(bits)), file_of(encoded((bits * 255).astype(np.uint8))))])[0].value == 0.0
    dots = [file_of(encoded(np.array([[v]], np.uint8))) for v in (255, 0)]
    assert value_of("sad", [sample("1", *dots)])[0].value == 0.001
    assert value_of("mse", [sample("1", *dots)])[0].value == 1000.0


@settings(max_examples=40)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_floats_and_whole_numbers_agree(height: int, width: int, seed: int) -> None:
    guess, truth = np.random.default_rng(seed).integers(0, 65_536, (2, height, width)).astype(np.uint16)
    whole = [sample("1", file_of(encoded(guess)), file_of(encoded(truth)))]
    floats = [sample("1", array_of(guess / 65_535), array_of(truth / 65_535))]
    for metric in ("sad", "mse"):
        value = value_of(metric, whole)[0].value
        assert value == pytest.approx(value_of(metric, floats)[0].value, rel=1e-9)
        assert value == value_of(metric, [sample("1", whole[0].references[0], whole[0].prediction)])[0].value
