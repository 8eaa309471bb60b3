"""Intersection over union of masks kept as COCO run lengths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Sample
from genlevel_image.average_precision import IouParameters, Shapes
from genlevel_image.matching import Overlap, Side
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

    return np.asarray(coco.area(instances.masks) if instances.masks else [], dtype=np.float64)


def mask_overlap(predictions: Sequence[Side], references: Sequence[Side], parameters: IouParameters) -> Overlap:
    """Intersection over union; over the detection alone where the truth is a crowd."""
    del parameters
    detected, true = ([mask for side in sides for mask in side.shape] for sides in (predictions, references))
    crowd = np.concatenate([side.crowd for side in references]).astype(np.uint8)
    owner = np.repeat(np.arange(len(predictions)), [len(side.labels) for side in predictions])

    def table(ours: Places, theirs: Places) -> NDArray[np.float64]:
        from pycocotools import mask as coco

        values: NDArray[np.float64] = coco.iou([detected[i] for i in ours], [true[i] for i in theirs], crowd[theirs])
        return values

    def overlap(detection: Places, truth: Places, group: Places) -> NDArray[np.float64]:
        values = np.empty(len(detection))
        cuts = _starts(owner[detection])  # detections come picture by picture
        for start, end in pairwise([*cuts.tolist(), len(detection)]):
            ours, theirs = detection[start:end], truth[start:end]
            first, low = int(ours.min()), int(theirs.min())
            height, width = int(ours.max()) - first + 1, int(theirs.max()) - low + 1
            # One table of all classes of a picture costs less than one of each, as long as not most of it is in vain.
            if height * width <= max(_SMALL, 4 * len(ours)):
                values[start:end] = table(np.arange(first, first + height), np.arange(low, low + width))[ours - first, theirs - low]
            else:
                values[start:end] = _by_class(ours, theirs, group[start:end], table)
        return values

    return overlap


def _starts(numbers: Places) -> Places:
    """Where runs of equal numbers begin."""
    return np.flatnonzero(np.r_[np.ones(min(1, len(numbers)), bool), numbers[1:] != numbers[:-1]])


def _by_class(ours: Places, theirs: Places, group: Places, table: Callable[[Places, Places], NDArray[np.float64]]) -> NDArray[np.float64]:
    values = np.empty(len(ours))
    order = np.argsort(group, kind="stable")  # all pairs of a picture and class are there, so they make a table
    for pairs in np.split(order, _starts(group[order])[1:]):
        rows, row = np.unique(ours[pairs], return_inverse=True)
        columns, column = np.unique(theirs[pairs], return_inverse=True)
        values[pairs] = table(rows, columns)[row, column]
    return values


MASKS: Shapes[IouParameters] = Shapes(side=mask_side, overlap=mask_overlap)
