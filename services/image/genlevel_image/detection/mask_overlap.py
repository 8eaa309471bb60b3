"""Intersection over union of masks kept as COCO run lengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Sample
from genlevel_image.detection.average_precision import IouParameters, Shapes
from genlevel_image.detection.matching import Overlap, Side
from genlevel_image.media import Instances

Places = NDArray[np.int64]
_SMALL = 512
"""Cells of a table that is always filled whole."""


def mask_side(instances: Instances, sample: Sample, parameters: IouParameters, side: str) -> Side:
    """Masks as a side of a picture. A reference may say another area than the mask has."""
    del parameters
    size = sample.reference.size
    if side == "prediction" and None not in (instances.size, size) and instances.size != size:
        height, width = instances.size or (0, 0)
        message = f"the masks are {width} x {height} pixels, those of the reference {size[1]} x {size[0]}"
        raise SampleError("WRONG_SHAPE", message, remedy="give masks of the picture's size", side=side)
    own = _areas(instances)
    areas = own if side == "prediction" else np.where(np.isnan(instances.areas), own, instances.areas)
    return Side(instances.labels, instances.scores, instances.crowd, np.zeros(len(own), dtype=bool), areas, instances.masks)


def _areas(instances: Instances) -> NDArray[np.float64]:
    from pycocotools import mask as coco

    masks = instances.masks  # pycocotools 2.0.11 counts those it is given in 8 bits
    parts = [coco.area(masks[start : start + 255]) for start in range(0, len(masks), 255)]
    return np.concatenate([np.zeros(0), *parts])


def table(ours: list[Any], theirs: list[Any], crowd: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Intersection over union of each mask with each; over ours alone where theirs is a crowd."""
    from pycocotools import mask as coco

    return np.asarray(coco.iou(ours, theirs, crowd))


def mask_overlap(predictions: Sequence[Side], references: Sequence[Side], parameters: IouParameters) -> Overlap:
    """Intersection over union; over the detection alone where the truth is a crowd."""
    del parameters
    detected, true = ([mask for side in sides for mask in side.shape] for sides in (predictions, references))
    crowd = np.concatenate([side.crowd for side in references]).astype(np.uint8)
    owner = np.repeat(np.arange(len(predictions)), [len(side.labels) for side in predictions])

    def some(ours: Places, theirs: Places) -> NDArray[np.float64]:
        return table([detected[i] for i in ours], [true[i] for i in theirs], crowd[theirs])

    def overlap(detection: Places, truth: Places, group: Places) -> NDArray[np.float64]:
        values = np.empty(len(detection))
        cuts = _starts(owner[detection])  # detections come picture by picture
        for start, end in pairwise([*cuts.tolist(), len(detection)]):
            ours, theirs = detection[start:end], truth[start:end]
            first, low = int(ours.min()), int(theirs.min())
            height, width = int(ours.max()) - first + 1, int(theirs.max()) - low + 1
            # One table of all classes of a picture costs less than one of each, as long as not most of it is in vain.
            if height * width <= max(_SMALL, 4 * len(ours)):
                whole = table(detected[first : first + height], true[low : low + width], crowd[low : low + width])
                values[start:end] = whole[ours - first, theirs - low]
            else:
                values[start:end] = _by_class(ours, theirs, group[start:end], some)
        return values

    return overlap


def _starts(numbers: Places) -> Places:
    """Where runs of equal numbers begin."""
    return np.flatnonzero(np.r_[np.ones(min(1, len(numbers)), bool), numbers[1:] != numbers[:-1]])


def _by_class(ours: Places, theirs: Places, group: Places, some: Callable[[Places, Places], NDArray[np.float64]]) -> NDArray[np.float64]:
    values = np.empty(len(ours))
    order = np.argsort(group, kind="stable")  # all pairs of a picture and class are there, so they make a table
    for pairs in np.split(order, _starts(group[order])[1:]):
        rows, row = np.unique(ours[pairs], return_inverse=True)
        columns, column = np.unique(theirs[pairs], return_inverse=True)
        values[pairs] = some(rows, columns)[row, column]
    return values


MASKS: Shapes[IouParameters] = Shapes(side=mask_side, overlap=mask_overlap)
