"""Boxes in pixels, and their intersection over union."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Sample
from genlevel_image.detection.average_precision import IouParameters, Shapes
from genlevel_image.detection.matching import Overlap, Side
from genlevel_image.forms.objects import to_pixels
from genlevel_image.media import Boxes

FORMATS = ("xyxy", "xywh")


@dataclass(frozen=True)
class BoxParameters(IouParameters):
    """Parameters of box AP.

    Attributes:
        bbox_format: corners, or corner and size.
        coordinates: pixels, shares of the picture's size, or thousandths of it.
    """

    bbox_format: Literal["xyxy", "xywh"] = "xyxy"
    coordinates: Literal["pixels", "unit", "per_mille"] = "pixels"


def box_format(attributes: Mapping[str, Any], default: str) -> str:
    """The sample's own form of boxes, else that of the parameters."""
    given = attributes.get("bbox_format", default)
    if given not in FORMATS:
        message = f"bbox_format is {given!r:.40}, not {' or '.join(FORMATS)}"
        raise SampleError("BAD_ATTRIBUTE", message, remedy="write the boxes in one of these forms", side="reference", pointer="/bbox_format")
    return str(given)


def corners_of(
    boxes: NDArray[np.float64], form: str, coordinates: str, size: tuple[float, float] | None, side: str, pointer: str = "/{}/box"
) -> NDArray[np.float64]:
    """Boxes as corners in pixels.

    Raises:
        SampleError: a box of negative size, or relative coordinates without the size of the picture.
    """
    corners = boxes.copy()
    if form == "xywh":
        corners[:, 2:] += corners[:, :2]
    corners = to_pixels(corners, size, coordinates, side)
    backwards = (corners[:, 2:] < corners[:, :2]).any(axis=1)
    if backwards.any():
        wrong = int(np.flatnonzero(backwards)[0])
        raise SampleError(
            "NEGATIVE_SIZE", f"box {wrong} ends before it begins", remedy=f"give {form}, or set bbox_format", side=side, pointer=pointer.format(wrong)
        )
    return corners


def box_side(boxes: Boxes, sample: Sample, parameters: BoxParameters, side: str) -> Side:
    """Boxes as a side of a picture. A reference may say another area than the box has."""
    form = box_format(sample.attributes, parameters.bbox_format)
    corners = corners_of(boxes.coordinates, form, parameters.coordinates, boxes.image_size, side)
    # A size that was given is not taken from corners again: that would change its last bit, and a box on the edge of an area range with it.
    given = to_pixels(boxes.coordinates, boxes.image_size, parameters.coordinates, side)[:, 2:]
    sizes = given if form == "xywh" else corners[:, 2:] - corners[:, :2]
    own = sizes[:, 0] * sizes[:, 1]
    areas = own if side == "prediction" else np.where(np.isnan(boxes.areas), own, boxes.areas)
    return Side(boxes.labels, boxes.scores, boxes.crowd, np.zeros(len(own), dtype=bool), areas, np.column_stack([corners, own]))


def box_overlap(predictions: Sequence[Side], references: Sequence[Side], parameters: BoxParameters) -> Overlap:
    """Intersection over union; over the detection alone where the truth is a crowd."""
    del parameters
    detected, true = (np.concatenate([side.shape for side in sides]) for sides in (predictions, references))
    crowd = np.concatenate([side.crowd for side in references])

    def overlap(detection: NDArray[np.int64], truth: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.float64]:
        del group
        ours, theirs = detected[detection], true[truth]
        inter = intersections(ours, theirs)
        union = np.where(crowd[truth], ours[:, 4], ours[:, 4] + theirs[:, 4] - inter)
        return np.asarray(np.divide(inter, union, out=np.zeros_like(inter), where=inter > 0))

    return overlap


def intersections(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Areas that pairs of boxes, as corners, share."""
    width = np.minimum(ours[:, 2], theirs[:, 2]) - np.maximum(ours[:, 0], theirs[:, 0])
    height = np.minimum(ours[:, 3], theirs[:, 3]) - np.maximum(ours[:, 1], theirs[:, 1])
    return np.asarray(np.maximum(width, 0.0) * np.maximum(height, 0.0))


class _Read(Protocol):
    """How boxes are to be read."""

    @property
    def bbox_format(self) -> str: ...

    @property
    def coordinates(self) -> str: ...


def outside_picture(sample: Sample, parameters: _Read, pointer: str = "/{}/box") -> list[SampleError]:
    """A remark where detections lie beyond the picture by more than a pixel, which often means another form or unit of boxes."""
    size = sample.prediction.image_size
    if size is None:
        return []
    form = box_format(sample.attributes, parameters.bbox_format)
    corners = corners_of(sample.prediction.coordinates, form, parameters.coordinates, size, "prediction", pointer)
    beyond = np.column_stack([corners[:, :2] < -1, corners[:, 2:] > np.array(size) + 1]).sum(axis=1) > 0
    if not beyond.any():
        return []
    message = f"{int(beyond.sum())} of {len(beyond)} boxes reach outside the picture; they are scored as they are"
    remedy = "check bbox_format, coordinates and image_size"
    return [SampleError("BOX_OUTSIDE_IMAGE", message, remedy=remedy, side="prediction", pointer=pointer.format(int(np.flatnonzero(beyond)[0])))]


BOXES: Shapes[BoxParameters] = Shapes(side=box_side, overlap=box_overlap)
