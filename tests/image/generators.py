"""Small random samples of each metric of the image evaluator, for the common laws, and helpers to write pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from tests.image import caption_generators, map_generators
from tests.image.files import encoded, file_of, photo, run_lengths, sample


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


def expressions(random: Generator, count: int) -> list[RawSample]:
    """Boxes near the one that is meant, in every form of an answer; empty and missing ones."""
    samples = []
    for index in range(count):
        truth = true_box(random)
        guess = guessed_box(random, truth, scored=True)["box"]
        other = {"box": true_box(random)["box"], "score": round(float(random.random()), 1)}
        forms: list[Any] = [guess, {"box": guess}, [other, {"box": guess, "score": 0.5}], [], [{"box": guess}, {"box": other["box"]}]]
        samples.append(sample(str(index), None if index % 7 == 3 else Content(json=forms[index % 5]), Content(json=truth["box"])))
    return samples


CANVAS = (160, 120)


def instances(random: Generator, count: int) -> list[RawSample]:
    """Masks as polygons, run lengths and files, with ties, duplicates, crowds, given areas, empty lists and missing predictions."""
    samples = []
    for index in range(count):
        outlines = [] if index % 6 == 4 else [outline(random) for _ in range(int(random.integers(1, 6)))]
        truth = [{"label": str(random.choice(["cat", "car"])), "mask": mask_of([shape], random)} for shape in outlines]
        for item in truth:
            item |= ({"crowd": True} if random.random() < 0.15 else {}) | ({"area": float(random.integers(0, 12_000))} if random.random() < 0.2 else {})
        guess = [
            {"label": item["label"], "mask": mask_of([shape + random.normal(0, 2, 2) for _ in range(2)], random), "score": round(float(random.random()), 1)}
            for item, shape in zip(truth + truth[:1], outlines + outlines[:1], strict=True) if random.random() < 0.85
        ]
        guess += [{"label": "cat", "mask": mask_of([outline(random)], random), "score": float(random.random())} for _ in range(int(random.integers(0, 3)))]
        raw = sample(str(index + 1), None if index % 7 == 3 else Content(json=guess), Content(json=truth))
        samples.append(replace(raw, attributes={"image_size": list(CANVAS)}))
    return samples


def outline(random: Generator) -> NDArray[np.float64]:
    """Corners of a figure of any of the three sizes, which may reach outside the picture."""
    angles = np.sort(random.uniform(0, 2 * np.pi, int(random.integers(3, 12))))
    radius = 2.0 ** random.uniform(2, 6.5) * random.uniform(0.6, 1, len(angles))
    return np.asarray(random.uniform((0, 0), CANVAS) + np.column_stack([np.cos(angles), np.sin(angles)]) * radius[:, None])


def mask_of(outlines: list[NDArray[np.float64]], random: Generator) -> Any:
    """A mask in one of its four forms."""
    from pycocotools import mask as coco

    polygons = [shape.round(2).ravel().tolist() for shape in outlines]
    form = int(random.integers(0, 4))
    if form == 0:
        return polygons
    packed = coco.merge(coco.frPyObjects(polygons, CANVAS[1], CANVAS[0]))
    pixels = coco.decode(packed)
    if form == 1:
        return {"size": packed["size"], "counts": packed["counts"].decode()}
    return run_lengths(pixels.astype(bool)).json if form == 2 else media.from_bytes(encoded(255 * pixels), "mask.png")


def people(random: Generator, count: int) -> list[RawSample]:
    """Keypoints with ties, duplicates, crowds, hidden and unlabelled points, nobody, and missing predictions."""
    samples = []
    for index in range(count):
        truth = [] if index % 6 == 4 else [person(random) for _ in range(int(random.integers(1, 6)))]
        guess = [moved_person(random, item) for item in truth + truth[:2] if random.random() < 0.85]
        guess += [moved_person(random, person(random)) for _ in range(int(random.integers(0, 3)))]
        samples.append(sample(str(index + 1), None if index % 7 == 3 else Content(json=guess), Content(json=truth)))
    return samples


def person(random: Generator) -> dict[str, Any]:
    """A person, some points of whom are labelled; of every eighth none."""
    corner, size = random.uniform(0, 100, 2).round(1), (2.0 ** random.uniform(3.5, 7.5, 2)).round(1)
    seen = np.zeros(17) if random.random() < 0.12 else random.integers(0, 3, 17)
    points = (corner + size * random.random((17, 2))).round(1) * (seen > 0)[:, None]
    return {
        "keypoints": np.column_stack([points, seen]).ravel().tolist(), "area": round(float(np.prod(size)) * 0.6, 1),
        "box": [*corner.tolist(), *(corner + size).round(1).tolist()], **({"crowd": True} if random.random() < 0.1 else {}),
    }


def moved_person(random: Generator, truth: dict[str, Any]) -> dict[str, Any]:
    """A detection near a person."""
    points = np.array(truth["keypoints"]).reshape(17, 3).copy()
    x1, y1, x2, y2 = truth["box"]
    points[:, :2] = np.where(points[:, 2:] > 0, points[:, :2], random.uniform((x1, y1), (x2, y2), (17, 2)))
    points[:, :2] += random.normal(0, 0.06, (17, 2)) * (x2 - x1, y2 - y1) * random.choice([0.1, 1, 3])
    points[:, 2] = 1
    return {"keypoints": points.round(2).ravel().tolist(), "score": round(float(random.random()), 1 if random.random() < 0.5 else 6)}


def picture_sets(random: Generator, count: int) -> list[RawSample]:
    """Generated and real pictures of any size, on one side or both."""
    samples = []
    for index in range(count):
        generated, real = (file_of(encoded(photo(random, int(random.integers(20, 60)), 40))) for _ in range(2))
        samples.append(sample(str(index), None if index % 4 == 2 else generated, None if index % 4 == 3 else real))
    return samples


GENERATORS: dict[str, Callable[[Generator, int], list[RawSample]]] = {
    "psnr": restorations, "miou": segmentations, "ap_50_box": detections, "ap_75_box": detections, "ap_10": expressions, "ap_50_mask": instances,
    "ap_50_keypoint": people, "fid": picture_sets,
    "dice": detections, **map_generators.GENERATORS, **caption_generators.GENERATORS,
}
