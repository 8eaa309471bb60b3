"""Small random samples of the metrics of restored pictures and of maps, for the common laws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from tests.image.files import array_of, encoded, file_of, photo, run_lengths, sample


def scaled_restorations(random: Generator, count: int) -> list[RawSample]:
    """Noisy pictures, of another size than the reference at times, grey ones, single pixels, perfect ones, missing ones."""
    samples = []
    for index in range(count):
        side = 1 if index % 6 == 5 else int(random.integers(8, 40))
        truth = photo(random, side, int(random.integers(8, 40)))
        noisy = np.clip(truth + random.normal(0, 10, truth.shape), 0, 255).astype(np.uint8)
        guess = {0: noisy[: len(noisy) // 2 + 1], 1: truth, 2: noisy[:, :, 0]}.get(index % 5, noisy)
        samples.append(sample(str(index), None if index % 7 == 3 else file_of(encoded(guess)), file_of(encoded(truth))))
    return samples


def opacities(random: Generator, count: int) -> list[RawSample]:
    """Mattes of 8 and 16 bits and of floats, of many sizes, perfect ones, missing ones."""
    samples = []
    for index in range(count):
        truth = random.integers(0, 256, (int(random.integers(1, 12)), int(random.integers(1, 12))), dtype=np.uint8)
        guess = np.clip(truth + random.integers(-30, 31, truth.shape), 0, 255).astype(np.uint8)
        forms = [file_of(encoded(guess)), file_of(encoded(guess.astype(np.uint16) * 257)), array_of(guess / 255), file_of(encoded(truth))]
        samples.append(sample(str(index), None if index % 7 == 3 else forms[index % 4], file_of(encoded(truth))))
    return samples


def distances(random: Generator, count: int) -> list[RawSample]:
    """Depth maps in millimetres and metres, with pixels that were not measured, and missing ones."""
    samples = []
    for index in range(count):
        truth = random.integers(1, 11_000, (int(random.integers(2, 12)), int(random.integers(2, 12))), dtype=np.uint16)
        truth[random.random(truth.shape) < 0.2] = 0
        truth[0, 0] = 2000
        guess = truth * random.uniform(0.8, 1.2, truth.shape) / 1000
        forms = [array_of(guess.astype(np.float32)), file_of(encoded((guess * 1000).astype(np.uint16))), file_of(encoded(truth))]
        samples.append(sample(str(index), None if index % 7 == 3 else forms[index % 3], file_of(encoded(truth))))
    return samples


def score_maps(random: Generator, count: int) -> list[RawSample]:
    """Maps of 8 and 16 bits and of floats with many ties, one score alone, normal pictures, masks as run lengths, missing maps."""
    samples = []
    for index in range(count):
        shape = (int(random.integers(2, 20)), int(random.integers(2, 20)))
        mask = random.random(shape) < (0 if index % 3 == 1 else 0.3)
        mask[0, 0] = index % 3 != 1
        scores = np.clip(np.round(0.4 * mask + random.random(shape) * 0.6, 1), 0, 1)
        forms = [array_of(scores), file_of(encoded((scores * 255).astype(np.uint8))), Content(json=0.5) if index % 3 == 1 else array_of(scores)]
        truth = Content(json=0) if index % 6 == 1 and index % 7 != 3 else run_lengths(mask) if index % 2 else file_of(encoded((mask * 255).astype(np.uint8)))
        samples.append(sample(str(index), None if index % 7 == 3 else forms[index % 3], truth))
    return samples


Panoptic = tuple[NDArray[np.int64], list[dict[str, Any]]]


def random_segments(random: Generator, crowds: bool) -> Panoptic:
    """Segment numbers in blocks, one segment of each kind of stuff, and what they are; some of it void."""
    ids = np.zeros((16, 20), np.int64)
    segments: list[dict[str, Any]] = []
    for number in range(1, int(random.integers(3, 9))):
        label = str(random.choice(["car", "man", "road", "sky"]))
        top, left = int(random.integers(0, 12)), int(random.integers(0, 16))
        thing = label in ("car", "man")
        same = [segment["id"] for segment in segments if segment["label"] == label and not thing]
        ids[top : top + 7, left : left + 9] = same[0] if same else number * 300
        if not same:
            segments.append({"id": number * 300, "label": label, "thing": thing} | ({"crowd": True} if crowds and thing and random.random() < 0.3 else {}))
    return ids, [segment for segment in segments if (ids == segment["id"]).any()]


def segments_near(random: Generator, truth: Panoptic) -> Panoptic:
    """The same shifted a little, with other numbers; some things under another label."""
    ids, segments = truth
    moved = np.roll(ids, tuple(random.integers(-1, 2, 2).tolist()), (0, 1))
    swap = {"car": "man", "man": "car"}
    named = [
        {"id": s["id"] + 7, "label": swap[s["label"]] if s["thing"] and random.random() < 0.2 else s["label"], "thing": s["thing"]} for s in segments
    ]
    return np.where(moved > 0, moved + 7, 0), named


def panoptic_content(ids: NDArray[np.int64], segments: list[dict[str, Any]]) -> Content:
    """A panoptic segmentation as a decoder gets it."""
    colours = np.stack([ids % 256, ids // 256 % 256, ids // 65_536], axis=2).astype(np.uint8)
    return Content(json={"image": media.from_bytes(encoded(colours), "p.png"), "segments": segments})


def panoptic_pictures(random: Generator, count: int) -> list[RawSample]:
    """Segments with crowds and void, and missing predictions."""
    samples = []
    for index in range(count):
        truth = random_segments(random, crowds=True)
        guess = None if index % 7 == 3 else panoptic_content(*segments_near(random, truth))
        samples.append(sample(str(index), guess, panoptic_content(*truth)))
    return samples


def random_triple(random: Generator, boxed: bool) -> dict[str, Any]:
    """One of a few triples, so that many repeat."""
    triple: dict[str, Any] = {
        "subject": str(random.choice(["man", "dog"])), "predicate": str(random.choice(["on", "near", "has"])), "object": str(random.choice(["hat", "dog"])),
    }
    if boxed:
        for key in ("subject_box", "object_box"):
            x, y = random.integers(0, 20, 2).tolist()
            triple[key] = [x, y, x + 20, y + 20]
    return triple


def guessed_triples(random: Generator, truth: list[dict[str, Any]], boxed: bool, scored: bool) -> list[dict[str, Any]]:
    """Most of the true triples and others, in any order."""
    guess = [dict(item) for item in truth if random.random() < 0.7] + [random_triple(random, boxed) for _ in range(int(random.integers(0, 6)))]
    random.shuffle(guess)
    for item in guess:
        for key in ("subject_box", "object_box") if boxed else ():
            item[key] = (np.array(item[key]) + np.tile(random.integers(-5, 6, 2), 2)).tolist()
        if scored:
            item["score"] = round(float(random.random()), 1)
    return guess


def graphs(random: Generator, count: int) -> list[RawSample]:
    """Triples with and without boxes and scores, pictures without a triple, missing answers."""
    samples = []
    for index in range(count):
        truth = [] if index % 5 == 4 else [random_triple(random, index % 2 == 1) for _ in range(int(random.integers(1, 7)))]
        guess = guessed_triples(random, truth, index % 2 == 1, index % 3 == 1)
        samples.append(sample(str(index), None if index % 7 == 3 else Content(json=guess), Content(json=truth)))
    return samples


GENERATORS: dict[str, Callable[[Generator, int], list[RawSample]]] = {
    "ms_ssim": scaled_restorations, "rmse_shadow": scaled_restorations,
    "sad": opacities, "mse": opacities, "depth_rms": distances,
    "ap_anomaly": score_maps, "roc_auc": score_maps, "pq": panoptic_pictures, "recall_at_50": graphs,
}
