"""AP75: COCO average precision of boxes at IoU 0.75.

    ap_75_box = 100 * mean over classes of the mean of interpolated precision at recall 0, 0.01, ..., 1

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     class: the mean over classes with ground truth of the AP over all pictures
    Sample      prediction and reference, labelled boxes of one picture; scores belong to predictions
    State       rows of (class, score, outcome at eleven thresholds in four area ranges) and ground truth counts by class, keyed by sample
    Undefined   no class has ground truth: no_reference
    Source      COCO detection evaluation (Lin et al. 2014, arXiv 1405.0312)
    Checked with  pycocotools 2.0.11, COCOeval with iouType bbox
    Differs from  where no detection has a score, equal scores are one operating point (`ties=auto`); among equal scores otherwise the order
                of samples and of the list decides. pycocotools never matches an annotation whose id is 0; there are no ids here.

Beside it stand AP over the thresholds 0.50 to 0.95 (`ap_50_95`), at 0.50, by area, average recall, and the best F1 with its score.

    >>> import numpy as np
    >>> from genlevel_image.detection.curves import area_under
    >>> round(area_under(np.array([1.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0]), 2.0), 6)  # right, wrong, right, of two
    0.834983
"""

from __future__ import annotations

from dataclasses import dataclass

from genlevel_evaluator.metric import Metric, Sample
from genlevel_evaluator.states import Row
from genlevel_image.detection.average_precision import COLUMNS, interval, observed, samples, score
from genlevel_image.detection.box_overlap import BOXES, BoxParameters
from genlevel_image.metrics.ap_50_box import missing, observe_many, remarks


@dataclass(frozen=True)
class StrictBoxParameters(BoxParameters):
    """Parameters of box AP, with IoU 0.75 by default."""

    iou: float = 0.75


def observe(sample: Sample, parameters: BoxParameters) -> Row:
    """Matches of one picture."""
    return observed([sample], parameters, BOXES)[0]


METRIC = Metric(
    id="ap_75_box", version=2, input_kind="boxes", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="class",
    parameters=StrictBoxParameters, columns=COLUMNS, observe=observe, observe_many=observe_many, score=score, missing=missing, interval=interval,
    samples=samples, remarks=remarks,
)
