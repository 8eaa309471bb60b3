"""AP of boxes and of masks against pycocotools, from plain Python lists to the value, in the same run.

Both give AP at the ten thresholds of COCO over its four area ranges, with 100 detections; ours gives AP at one threshold besides, and
average recall. `map_50` lets pycocotools do one threshold, `map_50_one_area` one area range too, while ours still does all. Ours reads
and checks boxes and masks as in service; pycocotools gets its own lists, made before. `with_interval` adds our confidence interval,
which pycocotools does not give. The scaling line holds 100,000 detections against as many times ours on 28,000.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import time
from typing import Any

import numpy as np
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.kinds import Content
from genlevel_image.app import EVALUATOR
from genlevel_image.objects import label_number

CLASSES = 20
CANVAS = (640, 480)
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


def masked(images: int) -> list[RawSample]:
    """Random images of 640 x 480: seven objects as polygons, two masks near each as compressed run lengths."""
    random = np.random.default_rng(images)
    samples = []
    for key in range(1, images + 1):
        angles = np.sort(random.uniform(0, 2 * np.pi, (TRUTH, 24)), axis=1)
        radius = 2 ** random.uniform(3, 7, (TRUTH, 1)) * random.uniform(0.7, 1, (TRUTH, 24))
        shapes = random.uniform((0, 0), CANVAS, (TRUTH, 1, 2)) + radius[..., None] * np.stack([np.cos(angles), np.sin(angles)], axis=2)
        labels = random.integers(0, CLASSES, TRUTH)
        pick = random.integers(0, TRUTH, GUESSES)
        moved = shapes[pick] + radius[pick][:, :1, None] * random.normal(0, 0.15, (GUESSES, 1, 2))
        truth = [{"label": f"c{c}", "mask": [shape.ravel().tolist()]} for c, shape in zip(labels, shapes, strict=True)]
        guess = []
        for place, shape in zip(pick, moved, strict=True):
            packed = masks.frPyObjects([shape.ravel().tolist()], CANVAS[1], CANVAS[0])[0]
            mask = {"size": packed["size"], "counts": packed["counts"].decode()}
            guess.append({"label": f"c{labels[place]}", "mask": mask, "score": float(random.random())})
        samples.append(RawSample(str(key), Content(json=guess), (Content(json=truth),), attributes={"image_size": list(CANVAS)}))
    return samples


def ours(samples: list[RawSample], interval: bool, metric: str = "ap_50_box", average: str = "coco") -> float:
    """Through the engine, decoding included."""
    scorer = Scorer.of(EVALUATOR, metric, {"average": average})
    rows, _ = scorer.observe(samples)
    value = scorer.finalize(rows).value if interval else scorer.metric.score(rows, scorer.parameters).value
    assert value is not None
    return value


def coco_lists(samples: list[RawSample]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The same objects in COCO's form; not timed."""
    truth: list[dict[str, Any]] = []
    guess: list[dict[str, Any]] = []
    for raw in samples:
        assert raw.prediction is not None
        for side, into in ((raw.references[0].json, truth), (raw.prediction.json, guess)):
            for item in side:
                entry = {"image_id": int(raw.id), "category_id": label_number(item["label"]), **_shape(item, into is truth)}
                into.append(entry | ({"id": len(truth) + 1, "iscrowd": 0} if into is truth else {"score": item["score"]}))
    categories = [{"id": number} for number in sorted({item["category_id"] for item in truth})]
    pictures = [{"id": int(raw.id), "width": CANVAS[0], "height": CANVAS[1]} for raw in samples]
    return {"images": pictures, "annotations": truth, "categories": categories}, guess


def _shape(item: dict[str, Any], true: bool) -> dict[str, Any]:
    if "mask" in item:
        area = float(masks.area(masks.frPyObjects(item["mask"], CANVAS[1], CANVAS[0]))[0]) if true else 0.0
        return {"segmentation": item["mask"], **({"area": area} if true else {})}
    x1, y1, x2, y2 = item["box"]
    return {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}


def pycocotools(dataset: dict[str, Any], guess: list[dict[str, Any]], kind: str = "bbox", thresholds: int = 10, one_area: bool = False) -> float:
    """COCOeval; it writes into its input, so it gets a copy, which is not timed."""
    dataset, guess = copy.deepcopy(dataset), copy.deepcopy(guess)
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = dataset
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(guess), kind)
        judge.params.iouThrs = judge.params.iouThrs[:thresholds]
        if one_area:
            judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.params.maxDets = [100]
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][:, :, :, 0, 0]
    COPIED.append(time.perf_counter() - start)
    return float(np.mean(precision[precision > -1])) * 100


COPIED: list[float] = []
"""Seconds of COCOeval alone, run by run."""


def theirs(*arguments: Any) -> tuple[float, float]:
    """Best of two of COCOeval, and its value."""
    COPIED.clear()
    pycocotools(*arguments)
    value = pycocotools(*arguments)
    return min(COPIED), value


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
    plain_s, plain = timed(ours, samples, False)
    single_s, single = timed(ours, samples, False, "ap_50_box", "one")
    whole_s, whole = timed(ours, samples, True, "ap_50_box", "one")
    other_s, other = theirs(*lists)
    narrow_s, narrow = theirs(*lists, "bbox", 1)
    least_s, least = theirs(*lists, "bbox", 1, True)
    line("map", plain_s, other_s, abs(plain - other), f"{note}; AP@[.5:.95] {plain:.3f}")
    line("map_50", single_s, narrow_s, abs(single - narrow), f"{note}; AP50 {single:.3f}")
    line("map_50_one_area", single_s, least_s, abs(single - least), note)
    line("map_50_with_interval", whole_s, narrow_s, abs(whole - narrow), note)
    large_s, _ = timed(ours, data(100_000 // GUESSES), False)
    line("map_scaling", large_s, plain_s * (100_000 // GUESSES) / 2000, 0.0, "ours on 100,000 detections against ours on 28,000, scaled")
    pictures = masked(500)
    mask_s, mask = timed(ours, pictures, False, "ap_50_mask")
    other_s, other = theirs(*coco_lists(pictures), "segm")
    line("map_mask", mask_s, other_s, abs(mask - other), f"pycocotools 2.0.11, 500 images of 640 x 480, 7,000 masks; AP@[.5:.95] {mask:.3f}")


if __name__ == "__main__":
    main()
