"""Keypoint AP50: COCO average precision of keypoints at object keypoint similarity 0.50.

    ap_50_keypoint = 100 * mean over classes of the mean of interpolated precision at recall 0, 0.01, ..., 1
    OKS = mean over labelled points of exp(-d² / (2 * area * (2 * sigma)²))

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     class: the mean over classes with ground truth of the AP over all pictures
    Sample      prediction and reference, people of one picture; scores belong to predictions
    State       rows of (class, score, outcome at eleven thresholds in four area ranges) and ground truth counts by class, keyed by sample
    Undefined   no class has ground truth: no_reference
    Source      COCO keypoint evaluation, with its 17 sigmas and 20 detections a picture
    Checked with  pycocotools 2.0.11, COCOeval with iouType keypoints
    Differs from  where no detection has a score, equal scores are one operating point (`ties=auto`); among equal scores otherwise the order
                of samples and of the list decides. pycocotools never matches an annotation whose id is 0; there are no ids here. A reference without
                area is refused (`area_from=box` takes 0.53 of its box).

Beside it stand AP over the thresholds 0.50 to 0.95 (`ap_50_95`), at 0.75, by area, average recall, and the best F1 with its score.

    >>> import numpy as np
    >>> from genlevel_image.detection.keypoint_similarity import similarity
    >>> found, true = np.zeros((1, 8)), np.array([[3.0, 4.0, 2.0, 0.0, 0.0, 0.0, 0.0, 625.0]])  # 5 pixels off, a person of 25 x 25
    >>> round(float(similarity(found, true, np.array([(2 * 0.1) ** 2]))[0]), 6)  # exp(-1/2)
    0.606531
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from genlevel_evaluator.metric import Metric, Sample
from genlevel_evaluator.states import Row
from genlevel_image.detection.average_precision import COLUMNS, interval, observed, samples, score
from genlevel_image.detection.keypoint_similarity import KEYPOINTS, KeypointParameters


def observe(sample: Sample, parameters: KeypointParameters) -> Row:
    """Matches of one picture."""
    return observed([sample], parameters, KEYPOINTS)[0]


def missing(sample: Sample, parameters: KeypointParameters) -> Row:
    """A picture without detections."""
    return observed([replace(sample, prediction=None)], parameters, KEYPOINTS)[0]


def observe_many(pictures: Sequence[Sample], parameters: KeypointParameters) -> list[Row]:
    """The same for many pictures."""
    return observed(pictures, parameters, KEYPOINTS)


METRIC = Metric(
    id="ap_50_keypoint", version=1, input_kind="keypoints", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="class",
    parameters=KeypointParameters, columns=COLUMNS, observe=observe, observe_many=observe_many, score=score, missing=missing, interval=interval,
    samples=samples,
)
