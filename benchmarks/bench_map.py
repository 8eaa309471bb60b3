"""Box AP at IoU 0.50 on 2,000 images with 28,000 detections and 14,000 objects against pycocotools, from plain Python lists to the value, in the same run.

Both give AP at one threshold over the four area ranges of COCO, with 100 detections; `one_area` lets pycocotools look at one range
only, while ours still does all four. Ours reads and checks the boxes as it does in service. `with_interval` adds our confidence
interval, which pycocotools does not give; the scaling line doubles the images.
"""

from __future__ import annotations

import contextlib
import io
import json
import time
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.kinds import Content
from genlevel_image.app import EVALUATOR
from genlevel_image.boxes import label_number

CLASSES = 20
TRUTH, GUESSES = 7, 14
"""Boxes an image on either side: 28,000 detections on 2,000 images."""


def data(images: int) -> list[RawSample]:
    """Random images: seven objects, most of them found, many twice."""
    random = np.random.default_rng(images)
    samples = []
    for key in range(1, images + 1):
        corners = random.uniform(0, 400, (TRUTH, 2))
        sizes = 2 ** random.uniform(3, 8, (TRUTH, 2))
        labels = random.integers(0, CLASSES, TRUTH)
        pick = random.integers(0, TRUTH, GUESSES)
        moved = corners[pick] + sizes[pick] * random.normal(0, 0.15, (GUESSES, 2))
        scores = random.random(GUESSES)
        truth = [{"label": f"c{c}", "box": [*p.tolist(), *(p + s).tolist()]} for c, p, s in zip(labels, corners, sizes, strict=True)]
        guess = [
            {"label": f"c{labels[i]}", "box": [*p.tolist(), *(p + sizes[i]).tolist()], "score": float(score)}
            for i, p, score in zip(pick, moved, scores, strict=True)
        ]
        samples.append(RawSample(str(key), Content(json=guess), (Content(json=truth),)))
    return samples


def ours(samples: list[RawSample], interval: bool) -> float:
    """Through the engine, decoding included."""
    scorer = Scorer.of(EVALUATOR, "ap_50_box", {})
    rows, _ = scorer.observe(samples)
    value = scorer.finalize(rows).value if interval else scorer.metric.score(rows, scorer.parameters).value
    assert value is not None
    return value


def coco_lists(samples: list[RawSample]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The same boxes in COCO's form; not timed."""
    truth: list[dict[str, Any]] = []
    guess: list[dict[str, Any]] = []
    for raw in samples:
        assert raw.prediction is not None
        for side, into in ((raw.references[0].json, truth), (raw.prediction.json, guess)):
            for item in side:
                x1, y1, x2, y2 = item["box"]
                entry = {"image_id": int(raw.id), "category_id": label_number(item["label"]), "bbox": [x1, y1, x2 - x1, y2 - y1]}
                extra = {"score": item["score"]} if "score" in item else {"id": len(truth) + 1, "iscrowd": 0, "area": (x2 - x1) * (y2 - y1)}
                into.append(entry | extra)
    categories = [{"id": number} for number in sorted({item["category_id"] for item in truth})]
    return {"images": [{"id": int(raw.id)} for raw in samples], "annotations": truth, "categories": categories}, guess


def pycocotools(dataset: dict[str, Any], guess: list[dict[str, Any]], one_area: bool) -> float:
    """COCOeval at one threshold."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = dataset
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(guess), "bbox")
        judge.params.iouThrs = np.array([0.5])
        if one_area:
            judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.params.maxDets = [100]
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][0, :, :, 0, 0]
    return float(np.mean(precision[precision > -1])) * 100


def timed(function: Any, *arguments: Any) -> tuple[float, float]:
    """Best of three, and the value."""
    best, value = float("inf"), 0.0
    for _ in range(3):
        start = time.perf_counter()
        value = function(*arguments)
        best = min(best, time.perf_counter() - start)
    return best, value


def line(name: str, ours_s: float, other_s: float, difference: float, note: str) -> None:
    """Prints one comparison."""
    shown = {"name": name, "ours_s": round(ours_s, 3), "other_s": round(other_s, 3), "ratio": round(other_s / ours_s, 1)}
    print(json.dumps(shown | {"equal_to": difference, "note": note}), flush=True)


def main() -> None:
    """Runs the comparisons."""
    samples = data(2000)
    lists = coco_lists(samples)
    note = f"pycocotools 2.0.11, 2,000 images, 28,000 detections, {CLASSES} classes"
    other_s, other = timed(pycocotools, *lists, False)
    narrow_s, narrow = timed(pycocotools, *lists, True)
    plain_s, plain = timed(ours, samples, False)
    whole_s, whole = timed(ours, samples, True)
    line("map", plain_s, other_s, abs(plain - other), f"{note}; AP {plain:.3f}")
    line("map_one_area", plain_s, narrow_s, abs(plain - narrow), note)
    line("map_with_interval", whole_s, other_s, abs(whole - other), note)
    once, _ = timed(ours, samples, False)
    twice, _ = timed(ours, data(4000), False)
    line("map_scaling", twice, 2 * once, 0.0, "ours on 4,000 images against twice ours on 2,000")


if __name__ == "__main__":
    main()
