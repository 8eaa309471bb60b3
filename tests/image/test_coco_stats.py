"""The twelve numbers that COCOeval.summarize of pycocotools 2.0.11 prints (ten for keypoints), on sets made to be awkward.

Crowds, empty pictures, ties, duplicates of boxes and scores, classes that are only predicted, more detections than are looked at,
objects without area, areas and overlaps on the very edge of a range.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.kinds import Content
from genlevel_image.app import EVALUATOR

WIDTH, HEIGHT = 24, 18
Annotation = dict[str, Any]


def summarize(pictures: list[tuple[list[Annotation], list[Annotation]]], kind: str) -> list[float]:
    """The stats of COCOeval, -1 where undefined."""
    truth = [item | {"image_id": place, "id": 0} for place, (items, _) in enumerate(pictures, 1) for item in items]
    truth = [item | {"id": number} for number, item in enumerate(truth, 1)]
    guess = [item | {"image_id": place} for place, (_, items) in enumerate(pictures, 1) for item in items]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        categories = sorted({item["category_id"] for item in truth + guess})
        images = [{"id": place, "width": WIDTH, "height": HEIGHT} for place in range(1, len(pictures) + 1)]
        coco.dataset = {"images": images, "annotations": truth, "categories": [{"id": number} for number in categories]}
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(guess), kind)
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return [float(value) for value in judge.stats]


def ours(pictures: list[tuple[list[Annotation], list[Annotation]]], metric: str, turn: Callable[[Annotation], Annotation], **fixed: Any) -> list[float]:
    """The same numbers of our metric, from one state a limit of detections."""
    samples = [
        RawSample(str(place), Content(json=[turn(item) for item in guess]), (Content(json=[turn(item) for item in truth]),), attributes={"image_size": [WIDTH, HEIGHT]})
        for place, (truth, guess) in enumerate(pictures, 1)
    ]
    people = metric == "ap_50_keypoint"
    beside = []
    for limit in (20,) if people else (100, 1, 10):
        scorer = Scorer.of(EVALUATOR, metric, {"ties": "coco", "max_detections": limit, **fixed})
        rows, issues = scorer.observe(samples)
        assert [issue for issue in issues if issue.severity != "warning"] == []
        beside.append(scorer.metric.score(rows, scorer.parameters).companions)
    names = ["ap_50_95", "ap_50", "ap_75", "ap_50_95_small", "ap_50_95_medium", "ap_50_95_large"]
    if people:  # the small are not summed up there
        names = [*names[:3], *names[4:], "ar_20", "recall_50", "recall_75", "ar_20_medium", "ar_20_large"]
        return [beside[0].get(name, -100.0) / 100 for name in names]
    found = [beside[0].get(name, -100.0) for name in names] + [beside[1].get("ar_1", -100.0), beside[2].get("ar_10", -100.0)]
    return [value / 100 for value in found + [beside[0].get(f"ar_100{area}", -100.0) for area in ("", "_small", "_medium", "_large")]]


def boxes(random: Generator) -> tuple[list[Annotation], list[Annotation]]:
    """A picture of boxes on a coarse grid, so that overlaps and areas are often exactly on an edge, or of any numbers."""
    whole = random.random() < 0.6
    truth = []
    for _ in range(int(random.choice([0, 1, 2, 5, 9]))):
        size = random.choice([0, 8, 16, 32, 96, 128], 2) if whole or random.random() < 0.5 else 2 ** random.uniform(2, 8, 2)
        corner = random.integers(0, 6, 2) * 8 if whole else random.uniform(0, 60, 2)
        truth.append({"category_id": int(random.integers(1, 5)), "bbox": [*corner.tolist(), *size.tolist()], "iscrowd": int(random.random() < 0.15)})
        truth[-1]["area"] = float(size[0] * size[1]) if random.random() < 0.8 else float(random.choice([0, 1024, 9216, np.nextafter(9216, 1e9)]))
    guess = []
    for item in truth + truth[: int(random.integers(0, 3))]:
        move = random.choice([0, 0, 0, 8, 16], 4) if whole else random.normal(0, 4, 4) * [1, 1, random.random() < 0.5, random.random() < 0.5]
        box = np.maximum(np.array(item["bbox"]) + move, [-9, -9, 0, 0])
        guess.append({"category_id": item["category_id"], "bbox": box.tolist(), "score": score(random)})
    extra = int(random.choice([0, 3, 120], p=[0.6, 0.35, 0.05]))
    guess += [{"category_id": int(random.integers(1, 7) if extra < 9 else 1), "bbox": random.integers(0, 60, 4).tolist(), "score": score(random)} for _ in range(extra)]
    return truth, guess


def score(random: Generator) -> float:
    """Often one of few."""
    return float(random.choice([-1.5, 0.0, 0.5, 0.9])) if random.random() < 0.5 else float(random.random())


def instances(random: Generator) -> tuple[list[Annotation], list[Annotation]]:
    """A picture of small masks: noise, rectangles, full, empty, single pixels, and copies of one another."""
    truth = []
    for _ in range(int(random.choice([0, 1, 3, 6]))):
        packed = pack(some_mask(random))
        area = float(masks.area(packed)) if random.random() < 0.7 else float(random.choice([0, 1024, 1025, 9216, 1e5]))
        truth.append({"category_id": int(random.integers(1, 4)), "segmentation": packed, "area": area, "iscrowd": int(random.random() < 0.15)})
    guess = []
    for item in truth + truth[: int(random.integers(0, 3))]:
        pixels = masks.decode(item["segmentation"]).astype(bool)
        shape = [pixels, np.roll(pixels, 1, axis=int(random.integers(0, 2))), ~pixels, some_mask(random)][int(random.choice(4, p=[0.4, 0.4, 0.1, 0.1]))]
        guess.append({"category_id": item["category_id"], "segmentation": pack(shape), "score": score(random)})
    guess += [{"category_id": int(random.integers(1, 6)), "segmentation": pack(some_mask(random)), "score": score(random)} for _ in range(int(random.integers(0, 3)))]
    return truth, guess


def some_mask(random: Generator) -> Any:
    """A mask of one of five kinds."""
    pixels = np.zeros((HEIGHT, WIDTH), bool)
    kind = int(random.integers(0, 5))
    if kind == 0:
        return random.random(pixels.shape) < random.random()
    if kind == 1:
        return pixels | (random.random() < 0.7)  # full, or empty
    y, x = int(random.integers(0, HEIGHT)), int(random.integers(0, WIDTH))
    pixels[y : y + (1 if kind == 2 else int(random.integers(1, 12))), x : x + (1 if kind == 2 else int(random.integers(1, 12)))] = True
    return pixels


def pack(pixels: Any) -> Annotation:
    return dict(masks.encode(np.asfortranarray(pixels.astype(np.uint8))))


def people(random: Generator) -> tuple[list[Annotation], list[Annotation]]:
    """A picture of people, some without a labelled point."""
    truth = []
    for _ in range(int(random.choice([0, 1, 2, 5]))):
        shown = np.column_stack([random.uniform(0, 60, (17, 2)), random.integers(0, 3, 17) * (random.random() < 0.85)])
        points = (shown * (shown[:, 2:] > 0)).round(1)
        area = float(random.choice([1024, 9216, 500.0, 20_000.0, 2000.0]))
        box = [*random.uniform(0, 20, 2).tolist(), *random.uniform(10, 50, 2).tolist()]
        counted = int((points[:, 2] > 0).sum())
        truth.append({"category_id": 1, "keypoints": points.ravel().tolist(), "num_keypoints": counted, "area": area, "bbox": box, "iscrowd": int(random.random() < 0.1)})
    guess = []
    for item in truth + truth[: int(random.integers(0, 2))] + truth[:1] * int(random.choice([0, 25], p=[0.95, 0.05])):
        points = np.array(item["keypoints"]).reshape(17, 3) + np.column_stack([random.normal(0, 3, (17, 2)) * (random.random() < 0.8), np.zeros(17)])
        guess.append({"category_id": 1, "keypoints": points.ravel().tolist(), "score": score(random)})
    return truth, guess


def as_box(item: Annotation) -> Annotation:
    return {"label": item["category_id"], "box": item["bbox"], **rest(item)}


def as_instance(item: Annotation) -> Annotation:
    mask = item["segmentation"]
    return {"label": item["category_id"], "mask": mask | {"counts": mask["counts"].decode()}, **rest(item)}


def as_person(item: Annotation) -> Annotation:
    return {"keypoints": item["keypoints"], **({"box": item["bbox"]} if "bbox" in item else {}), **rest(item)}


def rest(item: Annotation) -> Annotation:
    return {"score": item["score"]} if "score" in item else {"area": item["area"], "crowd": bool(item["iscrowd"])}


CASES: dict[str, tuple[str, Callable[[Generator], Any], Callable[[Annotation], Annotation], dict[str, str]]] = {
    "ap_50_box": ("bbox", boxes, as_box, {"bbox_format": "xywh"}), "ap_50_mask": ("segm", instances, as_instance, {}),
    "ap_50_keypoint": ("keypoints", people, as_person, {"bbox_format": "xywh"}),
}


@pytest.mark.parametrize("metric", CASES)
def test_every_number_of_the_summary(metric: str) -> None:
    kind, generate, turn, fixed = CASES[metric]
    for seed in range(100):
        random = np.random.default_rng([seed, 2014])
        pictures = [generate(random) for _ in range(int(random.integers(1, 9)))]
        if not any(items for items, _ in pictures) or not any(items for _, items in pictures):
            continue  # COCOeval reads neither
        assert ours(pictures, metric, turn, **fixed) == pytest.approx(summarize(pictures, kind), abs=1e-12), seed
