"""Intersection over union of masks kept as COCO run lengths."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Sample
from genlevel_image.average_precision import IouParameters, Shapes
from genlevel_image.matching import Overlap, Side
from genlevel_image.media import Instances


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
    crowd = np.concatenate([side.crowd for side in references])

    def overlap(detection: NDArray[np.int64], truth: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.float64]:
        from pycocotools import mask as coco

        values = np.empty(len(detection))
        order = np.argsort(group, kind="stable")  # all pairs of a picture and class are there, so they make a table
        cuts = np.flatnonzero(np.r_[True, np.diff(group[order]) != 0]) if len(order) else np.zeros(0, np.int64)
        for pairs in np.split(order, cuts[1:]) if len(order) else []:
            ours, row = np.unique(detection[pairs], return_inverse=True)
            theirs, column = np.unique(truth[pairs], return_inverse=True)
            table = coco.iou([detected[i] for i in ours], [true[i] for i in theirs], crowd[theirs].astype(np.uint8))
            values[pairs] = table[row, column]
        return values

    return overlap


MASKS: Shapes[IouParameters] = Shapes(side=mask_side, overlap=mask_overlap)
