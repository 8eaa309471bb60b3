"""Small random samples of each metric of the image evaluator, for the common laws, and helpers to write pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence


def encoded(pixels: NDArray[Any], form: str = "PNG", **options: Any) -> bytes:
    """The bytes of a picture file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **options)
    return file.getvalue()


def file_of(data: bytes, name: str = "a.png") -> Content:
    """A content of one file."""
    return Content(media=media.from_bytes(data, name))


def sample(key: str, prediction: Content | None, reference: Content | None) -> RawSample:
    """A sample of the sides that are there."""
    if reference is None:
        return RawSample(key, prediction, (), Presence.PREDICTION_ONLY)
    return RawSample(key, prediction, (reference,), Presence.BOTH if prediction else Presence.PREDICTION_MISSING)


def photo(random: Generator, width: int, height: int) -> NDArray[np.uint8]:
    """A smooth random picture."""
    coarse = random.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def restorations(random: Generator, count: int) -> list[RawSample]:
    """Noisy pictures, perfect ones, missing ones."""
    samples = []
    for index in range(count):
        truth = photo(random, int(random.integers(3, 20)), int(random.integers(3, 20)))
        noisy = np.clip(truth + random.normal(0, 10, truth.shape), 0, 255).astype(np.uint8)
        guess = truth if index % 5 == 1 else noisy
        samples.append(sample(str(index), None if index % 7 == 3 else file_of(encoded(guess)), file_of(encoded(truth))))
    return samples


def segmentations(random: Generator, count: int) -> list[RawSample]:
    """Label images of four classes, run lengths among them, and missing predictions."""
    samples = []
    for index in range(count):
        truth = random.integers(0, 4, (int(random.integers(1, 9)), int(random.integers(1, 9))), dtype=np.uint8)
        guess = np.where(random.random(truth.shape) < 0.7, truth, random.integers(0, 4, truth.shape)).astype(np.uint8)
        given = run_lengths(guess > 1) if index % 3 == 2 else file_of(encoded(guess))
        samples.append(sample(str(index), None if index % 7 == 3 else given, file_of(encoded(truth))))
    return samples


def run_lengths(mask: NDArray[np.bool_]) -> Content:
    """Plain run lengths of a mask."""
    flat = np.r_[False, mask.T.ravel(), not mask.T.ravel()[-1]]
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.r_[0, edges]).tolist()
    return Content(json={"size": list(mask.shape), "counts": counts})


def detections(random: Generator, count: int, scored: bool = True) -> list[RawSample]:
    """Boxes with ties, duplicates, crowds, given areas, empty lists, and missing predictions."""
    samples = []
    for index in range(count):
        truth = [] if index % 6 == 4 else [true_box(random) for _ in range(int(random.integers(1, 8)))]
        guess = [guessed_box(random, box, scored) for box in truth + truth[:2] if random.random() < 0.8]
        guess += [guessed_box(random, true_box(random), scored) for _ in range(int(random.integers(0, 4)))]
        samples.append(sample(str(index + 1), None if index % 7 == 3 else Content(json=guess), Content(json=truth)))
    return samples


def true_box(random: Generator) -> dict[str, Any]:
    """A box of one of three classes and of any of the three sizes."""
    x, y = random.integers(0, 60, 2).tolist()
    width, height = np.round(2.0 ** random.uniform(2, 8, 2), 1).tolist()
    box: dict[str, Any] = {"label": str(random.choice(["bird", "cat", "car"])), "box": [x, y, x + width, y + height]}
    if random.random() < 0.15:
        box["crowd"] = True
    if random.random() < 0.3:
        box["area"] = round(0.5 * width * height, 2)
    return box


def guessed_box(random: Generator, truth: dict[str, Any], scored: bool) -> dict[str, Any]:
    """A detection near a box; a tenth of the scores repeat."""
    x1, y1, x2, y2 = truth["box"]
    shift = (np.array([x2 - x1, y2 - y1]) * random.normal(0, 0.12, 2)).round(1)
    box: dict[str, Any] = {"label": truth["label"], "box": [x1 + shift[0], y1 + shift[1], x2 + shift[0], y2 + shift[1]]}
    if scored:
        box["score"] = round(float(random.random()), 1 if random.random() < 0.5 else 6)
    return box


def picture_sets(random: Generator, count: int) -> list[RawSample]:
    """Generated and real pictures of any size, on one side or both."""
    samples = []
    for index in range(count):
        generated, real = (file_of(encoded(photo(random, int(random.integers(20, 60)), 40))) for _ in range(2))
        samples.append(sample(str(index), None if index % 4 == 2 else generated, None if index % 4 == 3 else real))
    return samples


GENERATORS: dict[str, Callable[[Generator, int], list[RawSample]]] = {
    "psnr": restorations, "miou": segmentations, "ap_50_box": detections, "fid": picture_sets,
}
