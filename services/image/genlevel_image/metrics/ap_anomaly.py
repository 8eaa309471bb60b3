"""Pixel AP of anomaly maps: average precision over all pixels of all pictures of a category.

    AP = sum over thresholds of (recall - last recall) * precision, all pixels of all pictures in one ranking
    ap_anomaly = 100 * AP, maps and masks at 256 x 256

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     corpus: one ranking of all pixels, those of normal pictures included
    Sample      prediction a map or one score, reference a mask, or 0 for a normal picture; the first reference counts
    State       a row of (histograms of the anomalous regions, their lengths, of normal pixels, top score, truth) of each picture, keyed by sample
    Undefined   no reference, or no anomalous pixel in any: single_class
    Source      pixel AP as in Zavrtanik et al. 2021 and DeSTSeg (Zhang et al. 2023) on MVTec AD
    Checked with  sklearn.metrics.average_precision_score and roc_auc_score 1.9; aupro by the steps of MVTec's evaluation in SciPy 1.17
    Differs from  the area by trapezoids, the mean over pictures, and the AP of pictures (beside it as image_ap). Scores are kept to 16 bits, which
                is exact for maps of 8 and 16 bits (the warning coarse_scores says that all lie within 1/256 of the range). A missing map finds no anomalous pixel and raises an alarm on every normal one.

Beside it: the ROC area of pixels; AP and ROC area of pictures by their highest score; aupro, the area under the mean overlap of anomalous regions (connected
by sides or corners) up to 30 % of false alarms among normal pixels, as a share of it.

    >>> import numpy as np
    >>> from genlevel_image.pixels.score_histograms import average_precision
    >>> round(float(average_precision(np.array([0.0, 1, 0, 1]), np.array([0.0, 1, 1, 0]))), 4)  # 1 of 1, then 2 of 4
    0.75
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.pixels.grey import same_size
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval
from genlevel_image.forms.masks import lossy_remarks
from genlevel_image.forms.score_maps import ScoreMap, TrueMask
from genlevel_image.pixels import score_histograms as histograms
from genlevel_image.pixels.region_overlap import overlap_area, packed_regions

COLUMNS = {"anomalous": Column("i8", ragged=True), "normal": Column("i8", ragged=True), "top": Column("f8"), "truth": Column("u1")}
_DEFAULT_SIDE = 256


@dataclass(frozen=True)
class AnomalyParameters(Parameters):
    """Parameters of pixel AP.

    Attributes:
        size: pixels a side that maps (bilinear) and masks (nearest) are scaled to; 0 compares maps of the mask's size as they are.
        alarms: share of false alarms among normal pixels up to which aupro is taken.
    """

    size: int = _DEFAULT_SIDE
    alarms: float = 0.3

    def __post_init__(self) -> None:
        if not 0 <= self.size <= 8192:
            raise ValueError("size must be 0 to 8192")
        if not 0 < self.alarms <= 1:
            raise ValueError("alarms must be above 0, at most 1")


def observe(sample: Sample, parameters: AnomalyParameters) -> Row:
    """Histograms of the scores of anomalous and of normal pixels."""
    mask = mask_of(sample.reference, parameters.size, sample.prediction)
    scores = scores_of(sample.prediction, mask, parameters.size)
    bins = histograms.bins_of(scores)
    anomalous, regions = packed_regions(bins, mask)
    normal = histograms.packed(bins[~mask])
    return {"anomalous": anomalous, "regions": regions, "normal": normal, "top": float(scores.max()), "truth": int(len(regions) > 0)}


def missing(sample: Sample, parameters: AnomalyParameters) -> Row:
    """The worst map: nothing found, and every normal pixel an alarm."""
    mask = mask_of(sample.reference, parameters.size, None)
    found, total = int(mask.sum()), mask.size
    anomalous, regions = packed_regions(np.full(mask.shape, histograms.NEVER), mask)
    return {
        "anomalous": anomalous, "regions": regions, "normal": histograms.constant(histograms.ALWAYS, total - found),
        "top": histograms.LOST if found else histograms.ALARM, "truth": int(found > 0),
    }


def score(rows: Rows, parameters: AnomalyParameters) -> Score:
    """One ranking of all pixels."""
    anomalous, normal = rows.values["anomalous"], rows.values["normal"]
    overlap = overlap_area(anomalous, rows.values["regions"], normal, parameters.alarms)
    companions = {
        "pixel_auroc": histograms.percent(anomalous, normal, "roc"), "aupro": None if overlap is None else 100.0 * overlap, **_pictures(rows),
    }
    shown = {name: value for name, value in companions.items() if value is not None}
    value = histograms.percent(anomalous, normal, "precision")
    if value is None:
        return Score(None, "single_class", companions=shown)
    return Score(value, companions=shown, warnings=histograms.coarse(anomalous, normal))


def interval(rows: Rows, parameters: AnomalyParameters) -> Interval | None:
    """Bootstrap over pictures."""
    del parameters
    return histograms.interval(rows.keys, rows.ragged("anomalous"), rows.ragged("normal"), "precision")


def samples(rows: Rows, parameters: AnomalyParameters) -> NDArray[np.float64]:
    """AP of the pixels of each picture; none where nothing in it is anomalous."""
    del parameters
    return histograms.alone(rows.ragged("anomalous"), rows.ragged("normal"), "precision")


def mask_of(reference: TrueMask, side: int, prediction: ScoreMap | None) -> NDArray[np.bool_]:
    """The mask at the size of comparison.

    Raises:
        SampleError: an anomalous picture without a mask.
    """
    if reference.mask is None:
        if reference.truth:
            raise SampleError("NO_MASK", "an anomalous picture has no mask", remedy="give the mask, or use level=image", side="reference")
        width, height = (side, side) if side or prediction is None or prediction.grey is None else prediction.grey.size
        return np.zeros((height or _DEFAULT_SIDE, width or _DEFAULT_SIDE), dtype=bool)
    if not side or reference.mask.shape == (side, side):
        return reference.mask
    import cv2

    resized = cv2.resize(reference.mask.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(resized > 0)


def scores_of(prediction: ScoreMap, mask: NDArray[np.bool_], side: int) -> NDArray[np.float32]:
    """The scores at the size of the mask."""
    if prediction.grey is None:
        return np.full(mask.shape, prediction.score, dtype=np.float32)
    scores: NDArray[np.float32] = prediction.grey.shares(np.float32)
    if not side:
        same_size(prediction.grey.size, (mask.shape[1], mask.shape[0]))
        return scores
    if scores.shape == mask.shape:
        return scores
    import cv2

    resized = np.asarray(cv2.resize(scores, (side, side), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
    return np.clip(resized, 0.0, 1.0)


def _pictures(rows: Rows) -> dict[str, float | None]:
    """AP and ROC area of pictures, each by its highest score."""
    places, truth = histograms.places(rows.column("top")), rows.column("truth") > 0
    ours, theirs = histograms.packed(places[truth]), histograms.packed(places[~truth])
    return {"image_ap": histograms.percent(ours, theirs, "precision"), "image_auroc": histograms.percent(ours, theirs, "roc")}


METRIC = Metric(
    id="ap_anomaly", version=2, input_kind="maps", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="corpus",
    parameters=AnomalyParameters, columns={**COLUMNS, "regions": Column("i8", ragged=True)}, observe=observe, score=score, missing=missing, interval=interval, samples=samples,
    remarks=lossy_remarks,
)
