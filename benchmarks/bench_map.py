"""AP of boxes and of masks against pycocotools, in the same run, in seconds of the processor: neither side starts a second thread.

Box lines go from plain Python lists to the value. Both sides give AP at the ten thresholds of COCO over its four area ranges, with 100
detections; ours gives AP at one threshold, recall and the best F1 besides, and checks every number. `map_50` lets pycocotools do one
threshold, `..._one_area` one area range only, while ours still does all. `with_interval` adds our confidence interval, which
pycocotools does not give. Scaling lines hold 25,000 to 100,000 detections against as many times ours on 12,500.

Mask lines go from JSON text to the value on both sides: parsing, decoding, overlaps, curves. `80` is the number of classes of COCO.
pycocotools reads no PNG, so there it gets what Pillow and its own `encode` make of the files, within the time. `decoded` is
overlaps and curves alone, `COCOeval.evaluate` and `accumulate`.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import time
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from genlevel_evaluator import media, states
from genlevel_evaluator.engine import FLAGS, RawSample, Scorer
from genlevel_evaluator.flags import EXPECTED, OBSERVED, PRESENT
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Sample
from genlevel_image.app import EVALUATOR
from genlevel_image.forms.objects import label_number

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


def masked(images: int, classes: int = CLASSES) -> list[RawSample]:
    """Random images of 640 x 480: seven objects as polygons to a hundredth of a pixel, two masks near each as compressed run lengths."""
    random = np.random.default_rng(images)
    samples = []
    for key in range(1, images + 1):
        angles = np.sort(random.uniform(0, 2 * np.pi, (TRUTH, 24)), axis=1)
        radius = 2 ** random.uniform(3, 7, (TRUTH, 1)) * random.uniform(0.7, 1, (TRUTH, 24))
        shapes = random.uniform((0, 0), CANVAS, (TRUTH, 1, 2)) + radius[..., None] * np.stack([np.cos(angles), np.sin(angles)], axis=2)
        labels = random.integers(0, classes, TRUTH)
        pick = random.integers(0, TRUTH, GUESSES)
        moved = shapes[pick] + radius[pick][:, :1, None] * random.normal(0, 0.15, (GUESSES, 1, 2))
        truth = [{"label": f"c{c}", "mask": [shape.ravel().round(2).tolist()]} for c, shape in zip(labels, shapes, strict=True)]
        guess = []
        for place, shape in zip(pick, moved, strict=True):
            packed = masks.frPyObjects([shape.ravel().tolist()], CANVAS[1], CANVAS[0])[0]
            mask = {"size": packed["size"], "counts": packed["counts"].decode()}
            guess.append({"label": f"c{labels[place]}", "mask": mask, "score": float(random.random())})
        samples.append(RawSample(str(key), Content(json=guess), (Content(json=truth),), attributes={"image_size": list(CANVAS)}))
    return samples


def with_truth_as(samples: list[RawSample], form: str) -> list[RawSample]:
    """The same with the masks of the references as run lengths, or as PNG."""
    return [replace(raw, references=(Content(json=[item | {"mask": _other(item["mask"], form)} for item in raw.references[0].json]),)) for raw in samples]


def _other(polygons: Any, form: str) -> Any:
    packed = masks.frPyObjects(polygons, CANVAS[1], CANVAS[0])[0]
    if form == "rle":
        return {"size": packed["size"], "counts": packed["counts"].decode()}
    file = io.BytesIO()
    Image.fromarray(masks.decode(packed) * np.uint8(255)).save(file, "PNG")
    return media.from_bytes(file.getvalue(), "mask.png")


def ours(samples: list[RawSample], interval: bool, metric: str = "ap_50_box", average: str = "coco") -> float:
    """Through the engine, decoding included."""
    scorer = Scorer.of(EVALUATOR, metric, {"average": average})
    rows, _ = scorer.observe(samples)
    value = scorer.finalize(rows).value if interval else scorer.metric.score(rows, scorer.parameters).value
    assert value is not None
    return value


def text_of(samples: list[RawSample]) -> list[str]:
    """A line of JSON a picture; files stay apart."""
    return [json.dumps([raw.prediction.json if raw.prediction else [], raw.references[0].json], default=lambda blob: None) for raw in samples]


def ours_from_text(lines: list[str], samples: list[RawSample]) -> float:
    """From lines of JSON, and files where there are any."""
    read = []
    for line_, raw in zip(lines, samples, strict=True):
        guess, truth = json.loads(line_)
        if truth and truth[0]["mask"] is None:
            truth = raw.references[0].json
        read.append(RawSample(raw.id, Content(json=guess), (Content(json=truth),), attributes=raw.attributes))
    return ours(read, False, "ap_50_mask")


def ours_decoded(samples: list[RawSample]) -> Any:
    """What scores decoded pictures."""
    scorer = Scorer.of(EVALUATOR, "ap_50_mask", {"average": "coco"})
    kind = EVALUATOR.kinds["instances"]
    ready = [Sample(raw.id, kind.read(raw.prediction or Content(), "prediction", raw.attributes), (kind.read(raw.references[0], "reference", raw.attributes),)) for raw in samples]
    assert scorer.metric.observe_many is not None
    observe = scorer.metric.observe_many

    def score() -> float:
        rows = [row for start in range(0, len(ready), 32) for row in observe(ready[start : start + 32], scorer.parameters)]
        keyed = [(sample.key, {FLAGS: EXPECTED | PRESENT | OBSERVED, **row}) for sample, row in zip(ready, rows, strict=True)]
        return float(scorer.metric.score(states.build(scorer.schema, keyed), scorer.parameters).value or 0.0)

    return score


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
    """COCOeval."""
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = dataset
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(guess), kind)
        judge.params.iouThrs = judge.params.iouThrs[:thresholds]
        if one_area:
            judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        return value_of(judge)


def value_of(judge: COCOeval) -> float:
    """Overlaps and curves."""
    judge.params.maxDets = [100]
    with contextlib.redirect_stdout(io.StringIO()):
        judge.evaluate()
        judge.accumulate()
    precision = judge.eval["precision"][:, :, :, 0, 0]
    return float(np.mean(precision[precision > -1])) * 100


def theirs_from_text(dataset: str, guess: str, files: list[bytes]) -> float:
    """From the text of both files; masks that are pictures come beside, in the order of the annotations."""
    read = json.loads(dataset)
    for item, file in zip(read["annotations"], files, strict=False):
        item["segmentation"] = masks.encode(np.asfortranarray((np.asarray(Image.open(io.BytesIO(file))) > 0).astype(np.uint8)))
    return pycocotools(read, json.loads(guess), "segm")


def theirs(*arguments: Any) -> tuple[float, float]:
    """Best of three of COCOeval, and its value; it writes into its input, so it gets a copy, which is not timed."""
    best, value = float("inf"), 0.0
    for _ in range(3):
        own = copy.deepcopy(arguments)
        start = time.process_time()
        value = pycocotools(*own)
        best = min(best, time.process_time() - start)
    return best, value


def timed(function: Any, *arguments: Any) -> tuple[float, float]:
    """Best of three, and the value."""
    best, value = float("inf"), 0.0
    for _ in range(3):
        start = time.process_time()
        value = function(*arguments)
        best = min(best, time.process_time() - start)
    return best, value


def line(name: str, ours_s: float, other_s: float, difference: float, note: str) -> None:
    """Prints one comparison."""
    shown = {"name": name, "ours_s": round(ours_s, 3), "other_s": round(other_s, 3), "ratio": round(other_s / ours_s, 1)}
    print(json.dumps(shown | {"equal_to": difference, "note": note}), flush=True)


def boxes() -> None:
    """The lines of boxes."""
    samples = data(2000)
    lists = coco_lists(samples)
    note = f"pycocotools 2.0.11, 2,000 images, 28,000 detections, {CLASSES} classes"
    plain_s, plain = timed(ours, samples, False)
    single_s, single = timed(ours, samples, False, "ap_50_box", "one")
    whole_s, whole = timed(ours, samples, True, "ap_50_box", "one")
    other_s, other = theirs(*lists)
    line("map", plain_s, other_s, abs(plain - other), f"{note}; AP@[.5:.95] {plain:.3f}")
    other_s, other = theirs(*lists, "bbox", 10, True)
    line("map_one_area", plain_s, other_s, abs(plain - other), f"{note}; ours gives all four area ranges")
    other_s, other = theirs(*lists, "bbox", 1)
    line("map_50", single_s, other_s, abs(single - other), f"{note}; AP50 {single:.3f}; ours gives AP@[.5:.95] besides")
    line("map_50_with_interval", whole_s, other_s, abs(whole - other), note)
    other_s, other = theirs(*lists, "bbox", 1, True)
    line("map_50_one_area", single_s, other_s, abs(single - other), f"{note}; ours gives all four area ranges and AP@[.5:.95]")
    small_s, _ = timed(ours, data(12_500 // GUESSES), False)
    for count in (25_000, 50_000, 100_000):
        large_s, _ = timed(ours, data(count // GUESSES), False)
        line(f"map_scaling_{count}", large_s, small_s * count / 12_500, 0.0, f"ours on {count:,} detections against ours on 12,500, scaled")


def instances() -> None:
    """The lines of masks."""
    note = "pycocotools 2.0.11, 500 images of 640 x 480, 3,500 objects, 7,000 detections as compressed run lengths"
    for name, classes, form in (("80", 80, "polygons"), ("20", 20, "polygons"), ("rle_80", 80, "rle"), ("png_80", 80, "png")):
        pictures = masked(500, classes)
        dataset, guess = coco_lists(pictures)
        pictures = pictures if form == "polygons" else with_truth_as(pictures, form)
        files = [item["mask"].read() for raw in pictures for item in raw.references[0].json] if form == "png" else []
        objects = [item for raw in pictures for item in raw.references[0].json]
        for annotation, item in zip(dataset["annotations"], objects, strict=True):
            annotation["segmentation"] = None if files else item["mask"]
        texts = json.dumps(dataset), json.dumps(guess)
        own_s, own = timed(ours_from_text, text_of(pictures), pictures)
        other_s, other = timed(theirs_from_text, *texts, files)
        line(f"map_mask_{name}", own_s, other_s, abs(own - other), f"{note}, objects as {form}, {classes} classes, from JSON; AP@[.5:.95] {own:.3f}")
        if form == "polygons":
            own_s, own = timed(ours_decoded(pictures))
            with contextlib.redirect_stdout(io.StringIO()):
                coco = COCO()
                coco.dataset = dataset
                coco.createIndex()
                found = coco.loadRes(guess)
            other_s, other = timed(lambda coco, found: value_of(COCOeval(coco, found, "segm")), coco, found)
            line(f"map_mask_{name}_decoded", own_s, other_s, abs(own - other), f"{note}, {classes} classes; overlaps and curves alone")


def main() -> None:
    """Runs the comparisons."""
    boxes()
    instances()


if __name__ == "__main__":
    main()
