"""AP50: COCO average precision of boxes at IoU 0.50.

    ap_50_box = 100 * mean over classes of the mean of interpolated precision at recall 0, 0.01, ..., 1

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     class: the mean over classes with ground truth of the AP over all pictures
    Sample      prediction and reference, labelled boxes of one picture; scores belong to predictions
    State       rows of (class, score, outcome in four area ranges) and ground truth counts by class, keyed by sample
    Undefined   no class has ground truth: no_reference
    Source      COCO detection evaluation (Lin et al. 2014, arXiv 1405.0312)
    Checked with  pycocotools 2.0.11, COCOeval stats[1]
    Differs from  where no detection has a score, equal scores are one operating point (`ties=auto`); among equal scores otherwise the order
                of samples and of the list decides. pycocotools never matches an annotation whose id is 0; there are no ids here.

    >>> import numpy as np
    >>> from genlevel_image.detection import _area
    >>> round(_area(np.array([1.0, 1.0, 2.0]), np.array([0.0, 1.0, 1.0]), 2.0), 6)  # right, wrong, right, of two
    0.834983
"""

from __future__ import annotations

from genlevel_evaluator.metric import Metric
from genlevel_image.average_precision import COLUMNS, BoxParameters, interval, missing, observe, score

METRIC = Metric(
    id="ap_50_box", version=1, input_kind="boxes", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="class",
    parameters=BoxParameters, columns=COLUMNS, observe=observe, score=score, missing=missing, interval=interval,
)
