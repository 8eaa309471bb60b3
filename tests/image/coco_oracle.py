"""COCOeval of pycocotools 2.0.11 over our samples: AP by area and threshold, and recall."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any

import numpy as np
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.media import Blob
from genlevel_image.forms.masks import read_label_image
from genlevel_image.forms.objects import label_number
from tests.image.generators import CANVAS

AREAS = ("all", "small", "medium", "large")


def coco_box(box: list[float]) -> list[float]:
    """Corner and size."""
    x1, y1, x2, y2 = box
    return [x1, y1, x2 - x1, y2 - y1]


def packed(mask: Any) -> dict[str, Any]:
    """A mask in any of our forms as COCO's run lengths."""
    if isinstance(mask, Blob):
        return dict(masks.encode(np.asfortranarray((read_label_image(mask) > 0).astype(np.uint8))))
    if isinstance(mask, list):
        return dict(masks.merge(masks.frPyObjects(mask, CANVAS[1], CANVAS[0])))
    return dict(masks.frPyObjects(mask, *mask["size"])) if isinstance(mask["counts"], list) else mask


def boxes(item: dict[str, Any]) -> dict[str, Any]:
    """An object of a list of boxes."""
    box = coco_box(item["box"])
    return {"bbox": box, "area": item.get("area", box[2] * box[3])}


def instances(item: dict[str, Any]) -> dict[str, Any]:
    """An object of a list of instances."""
    mask = packed(item["mask"])
    return {"segmentation": mask, "area": item.get("area", float(masks.area(mask)))}


def people(item: dict[str, Any]) -> dict[str, Any]:
    """A person."""
    count = sum(v > 0 for v in item["keypoints"][2::3])
    shown = {"keypoints": item["keypoints"], "num_keypoints": count, "iscrowd": 0}
    return shown | ({"area": item["area"], "bbox": coco_box(item["box"])} if "area" in item else {})


FORMS = {"bbox": boxes, "segm": instances, "keypoints": people}


def evaluate(samples: list[RawSample], kind: str, thresholds: list[float] | None = None, max_detections: int | None = None) -> COCOeval:
    """COCOeval, accumulated over its own area ranges; over small people too."""
    truth: list[dict[str, Any]] = []
    guess: list[dict[str, Any]] = []
    for raw in samples:
        for items, into in ((raw.references[0].json, truth), (raw.prediction.json if raw.prediction else [], guess)):
            for item in items:
                entry = {"image_id": int(raw.id), "category_id": label_number(str(item.get("label", "person"))), **FORMS[kind](copy.deepcopy(item))}
                extra = {"score": item["score"]} if into is guess else {"id": len(truth) + 1, "iscrowd": int(item.get("crowd", False))}
                into.append(entry | extra)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": int(raw.id), "width": CANVAS[0], "height": CANVAS[1]} for raw in samples], "annotations": truth,
            "categories": [{"id": i} for i in sorted({a["category_id"] for a in truth + guess})],
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(guess), kind)
        if thresholds:
            judge.params.iouThrs = np.array(thresholds)
        judge.params.maxDets = [max_detections or judge.params.maxDets[-1]]
        if kind == "keypoints":
            judge.params.areaRng, judge.params.areaRngLbl = COCOeval(iouType="bbox").params.areaRng, list(AREAS)
        judge.evaluate()
        judge.accumulate()
    return judge


def summary(judge: COCOeval) -> dict[str, float]:
    """AP (rows of thresholds and areas) and recall in percent; what is undefined is left out."""
    precision, recall = judge.eval["precision"], judge.eval["recall"]
    found: dict[str, float] = {}
    for place, area in enumerate(judge.params.areaRngLbl):
        suffix = "" if area == "all" else f"_{area}"
        found |= _mean(f"ap{suffix}", precision[:, :, :, place, 0]) | _mean(f"ar{suffix}", recall[:, :, place, 0])
        for row, threshold in enumerate(judge.params.iouThrs):
            found |= _mean(f"ap_{round(100 * threshold)}{suffix}", precision[row, :, :, place, 0])
    return found


def _mean(name: str, values: Any) -> dict[str, float]:
    defined = values[values > -1]
    return {name: 100 * float(np.mean(defined))} if len(defined) else {}
