"""Object keypoint similarity, COCO's overlap of two sets of keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Sample
from genlevel_image.detection.average_precision import CurveParameters, Shapes
from genlevel_image.detection.box_overlap import box_format, corners_of
from genlevel_image.detection.matching import Overlap, Side
from genlevel_image.forms.objects import to_pixels
from genlevel_image.media import People

COCO_SIGMAS = (0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089)
"""Spread of annotators at nose, eyes, ears, shoulders, elbows, wrists, hips, knees and ankles."""
_BOX_SHARE = 0.53
"""Mean share of its box that a person covers, for boxes without an annotated area."""


@dataclass(frozen=True)
class KeypointParameters(CurveParameters):
    """Parameters of keypoint AP.

    Attributes:
        oks: smallest object keypoint similarity of a match; equality matches.
        sigmas: `coco`, or the spread of each point as numbers with commas between.
        area_from: `annotation` needs the area of every reference, `box` takes 0.53 of its box where it has none.
        bbox_format: corners, or corner and size.
        coordinates: pixels, shares of the picture's size, or thousandths of it.
    """

    max_detections: int = 20
    oks: float = 0.5
    sigmas: str = "coco"
    area_from: Literal["annotation", "box"] = "annotation"
    bbox_format: Literal["xyxy", "xywh"] = "xyxy"
    coordinates: Literal["pixels", "unit", "per_mille"] = "pixels"

    @property
    def threshold(self) -> float:
        return self.oks

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.oks <= 1:
            raise ValueError("oks must be above 0 and at most 1")
        spread_of(self.sigmas)


def spread_of(sigmas: str) -> tuple[float, ...]:
    """The spread of each point.

    >>> spread_of("0.1, 0.05")
    (0.1, 0.05)
    """
    if sigmas == "coco":
        return COCO_SIGMAS
    try:
        numbers = tuple(float(part) for part in sigmas.split(","))
    except ValueError:
        numbers = ()
    if not numbers or not all(0 < value < 1e6 for value in numbers):
        raise ValueError("sigmas is coco, or numbers above 0 with commas between")
    return numbers


def keypoint_side(people: People, sample: Sample, parameters: KeypointParameters, side: str) -> Side:
    """People as a side of a picture. A detection's area is that of the box around its points."""
    count, expected = people.points.shape[1], len(spread_of(parameters.sigmas))
    if len(people.labels) and count != expected:
        message = f"a person has {count} keypoints, sigmas are {expected}"
        raise SampleError("KEYPOINT_COUNT", message, remedy="give all points, or set sigmas", side=side, pointer="/0/keypoints")
    shown = people.points.reshape(-1, expected, 3).copy()
    places = to_pixels(shown[:, :, :2], people.image_size, parameters.coordinates, side)
    shown[:, :, :2] = places
    none = np.zeros(len(people.labels), dtype=bool)
    if side == "prediction":
        extent = np.ptp(places, axis=1) if len(places) else np.zeros((0, 2))
        return Side(people.labels, people.scores, people.crowd, none, extent[:, 0] * extent[:, 1], _flat(shown))
    return _reference(people, shown, sample, parameters)


def _flat(shown: NDArray[np.float64], boxes: NDArray[np.float64] | None = None, areas: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """One row a person: x, y, v of all points, corners of the box, area."""
    count = len(shown)
    box = np.zeros((count, 4)) if boxes is None else boxes
    area = np.zeros(count) if areas is None else areas
    return np.column_stack([shown.reshape(count, 3 * shown.shape[1]), box, area])


def _reference(people: People, shown: NDArray[np.float64], sample: Sample, parameters: KeypointParameters) -> Side:
    seen = people.points[:, :, 2]
    if not np.isin(seen, (0.0, 1.0, 2.0)).all():
        wrong = int(np.flatnonzero(~np.isin(seen, (0.0, 1.0, 2.0)).all(axis=1))[0])
        message = "v of a keypoint is neither 0 (not labelled), 1 (hidden) nor 2 (visible)"
        raise SampleError("BAD_VISIBILITY", message, remedy="give x, y, v for each point", side="reference", pointer=f"/{wrong}/keypoints")
    boxed = np.isnan(people.boxes).sum(axis=1) == 0
    corners = np.zeros((len(boxed), 4))
    form = box_format(sample.attributes, parameters.bbox_format)
    corners[boxed] = corners_of(people.boxes[boxed], form, parameters.coordinates, people.image_size, "reference", "")
    unlabelled = (seen > 0).sum(axis=1) == 0
    areas = people.areas.copy()
    if parameters.area_from == "box":
        own = np.prod(corners[:, 2:] - corners[:, :2], axis=1) * _BOX_SHARE
        areas = np.where(np.isnan(areas) & boxed, own, areas)
    _complete(areas, unlabelled & ~boxed)
    return Side(people.labels, people.scores, people.crowd, unlabelled, areas, _flat(shown, corners, areas))


def _complete(areas: NDArray[np.float64], homeless: NDArray[np.bool_]) -> None:
    """Refuses references that lack what the similarity needs."""
    if np.isnan(areas).any():
        wrong = int(np.flatnonzero(np.isnan(areas))[0])
        raise SampleError(
            "NO_AREA", "a person of the reference has no area", remedy="give area, or a box and area_from=box", side="reference", pointer=f"/{wrong}/area"
        )
    if homeless.any():
        wrong = int(np.flatnonzero(homeless)[0])
        raise SampleError("NO_BOX", "a person has neither a labelled point nor a box", remedy="give box", side="reference", pointer=f"/{wrong}/box")


def keypoint_similarity(predictions: Sequence[Side], references: Sequence[Side], parameters: KeypointParameters) -> Overlap:
    """Mean over labelled points of exp(-d² / (2 · area · (2σ)²)); without any, over all points with their distance to the doubled box."""
    detected, true = (np.concatenate([side.shape for side in sides]) for sides in (predictions, references))
    spread = (2 * np.array(spread_of(parameters.sigmas))) ** 2

    def overlap(detection: NDArray[np.int64], truth: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.float64]:
        del group
        values = np.empty(len(detection))
        step = max(1, (1 << 20) // len(spread))
        for start in range(0, len(detection), step):
            part = slice(start, start + step)
            values[part] = similarity(detected[detection[part]], true[truth[part]], spread)
        return values

    return overlap


def similarity(ours: NDArray[np.float64], theirs: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of pairs of people, as rows of points, box and area."""
    found, placed = (side[:, :-5].reshape(len(side), -1, 3) for side in (ours, theirs))
    labelled = placed[:, :, 2] > 0
    bare = labelled.sum(axis=1) == 0
    away = found[:, :, :2] - placed[:, :, :2]
    away[bare] = _beyond_doubled_box(found[bare, :, :2], theirs[bare, -5:-1])
    exponent = (away**2).sum(axis=2) / spread / (theirs[:, -1:] + np.spacing(1.0)) / 2
    counted = labelled | bare[:, None]
    return np.asarray(np.where(counted, np.exp(-exponent), 0.0).sum(axis=1) / counted.sum(axis=1))


def _beyond_doubled_box(points: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    low, size = boxes[:, None, :2], boxes[:, None, 2:] - boxes[:, None, :2]
    return np.asarray(np.maximum(0.0, (low - size) - points) + np.maximum(0.0, points - (low + 2 * size)))


KEYPOINTS: Shapes[KeypointParameters] = Shapes(side=keypoint_side, overlap=keypoint_similarity)
