"""Mask AP50: COCO average precision of instance masks at IoU 0.50.

    ap_50_mask = 100 * mean over classes of the mean of interpolated precision at recall 0, 0.01, ..., 1

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     class: the mean over classes with ground truth of the AP over all pictures
    Sample      prediction and reference, labelled masks of one picture; scores belong to predictions
    State       rows of (class, score, outcome at eleven thresholds in four area ranges) and ground truth counts by class, keyed by sample
    Undefined   no class has ground truth: no_reference
    Source      COCO detection evaluation (Lin et al. 2014, arXiv 1405.0312)
    Checked with  pycocotools 2.0.11, COCOeval with iouType segm
    Differs from  where no detection has a score, equal scores are one operating point (`ties=auto`); among equal scores otherwise the order
                of samples and of the list decides. pycocotools never matches an annotation whose id is 0; there are no ids here. The area of a mask is that of its annotation, else its own.

Beside it stand AP over the thresholds 0.50 to 0.95 (`ap_50_95`), at 0.75, by area, average recall, and the best F1 with its score.

    >>> from genlevel_evaluator.engine import RawSample, Scorer
    >>> from genlevel_evaluator.kinds import Content
    >>> from genlevel_image.app import EVALUATOR
    >>> given = [{"label": "cat", "mask": {"size": [2, 3], "counts": [1, 3, 2]}}]  # two of these three pixels are the cat's
    >>> cat = [{"label": "cat", "mask": {"size": [2, 3], "counts": [2, 2, 2]}}]
    >>> scorer = Scorer.of(EVALUATOR, "ap_50_mask", {"iou": 2 / 3})
    >>> scorer.finalize(scorer.observe([RawSample("1", Content(json=given), (Content(json=cat),))])[0]).value
    100.0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from genlevel_evaluator.metric import Metric, Sample
from genlevel_evaluator.states import Row
from genlevel_image.detection.average_precision import COLUMNS, IouParameters, interval, observed, samples, score
from genlevel_image.detection.mask_overlap import MASKS


def observe(sample: Sample, parameters: IouParameters) -> Row:
    """Matches of one picture."""
    return observed([sample], parameters, MASKS)[0]


def missing(sample: Sample, parameters: IouParameters) -> Row:
    """A picture without detections."""
    return observed([replace(sample, prediction=None)], parameters, MASKS)[0]


def observe_many(pictures: Sequence[Sample], parameters: IouParameters) -> list[Row]:
    """The same for many pictures."""
    return observed(pictures, parameters, MASKS)


METRIC = Metric(
    id="ap_50_mask", version=1, input_kind="instances", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="class",
    parameters=IouParameters, columns=COLUMNS, observe=observe, observe_many=observe_many, score=score, missing=missing, interval=interval,
    samples=samples,
)
