"""ROC AUC of score maps: the area under the ROC curve over the pixels of all pictures.

    roc_auc = 100 * P(an affected pixel has a higher score than another one), ties half

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     corpus: one ranking of all pixels (`level=pixel`) or of all pictures (`level=image`)
    Sample      prediction a map or one score, reference a mask, or 0 or 1; the first reference counts. Maps have the size of the mask
    State       a row of (histogram of affected pixels, of others, top score, truth) of each picture, keyed by sample
    Undefined   no reference, or only one class: single_class
    Source      Hanley and McNeil 1982
    Checked with  sklearn.metrics.roc_auc_score 1.9
    Differs from  the mean over pictures. Scores of pixels are kept to 16 bits, which is exact for maps of 8 and 16 bits (the warning
                coarse_scores says that all lie within 1/256 of the range). Under `level=image` a map counts by its highest score,
                of which every bit counts. What is missing counts as wrong beside everything.

    >>> import numpy as np
    >>> from genlevel_image.pixels.score_histograms import roc_area
    >>> float(roc_area(np.array([0.0, 1, 1]), np.array([1.0, 1, 0])))
    0.875
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row, Rows
from genlevel_evaluator.statistics.intervals import Interval
from genlevel_image.forms.masks import lossy_remarks
from genlevel_image.metrics.ap_anomaly import COLUMNS, mask_of, scores_of
from genlevel_image.pixels import score_histograms as histograms

_NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class RocParameters(Parameters):
    """Parameters of ROC AUC.

    Attributes:
        level: rank every `pixel`, or every `image` by its highest score.
        size: of `level=pixel`: pixels a side that maps (bilinear) and masks (nearest) are scaled to; 0 compares maps of the mask's size as they are.
    """

    level: Literal["pixel", "image"] = "pixel"
    size: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.size <= 8192:
            raise ValueError("size must be 0 to 8192")


def observe(sample: Sample, parameters: RocParameters) -> Row:
    """Histograms of the scores of affected pixels and of others."""
    if parameters.level == "image":
        given, truth = sample.prediction, _truth(sample)
        return _row(_NONE, _NONE, given.score if given.grey is None else float(given.grey.shares(np.float64).max()), truth)
    mask = mask_of(sample.reference, parameters.size, sample.prediction)
    scores = scores_of(sample.prediction, mask, parameters.size)
    bins = histograms.bins_of(scores)
    return _row(histograms.packed(bins[mask]), histograms.packed(bins[~mask]), float(scores.max()), bool(mask.any()))


def missing(sample: Sample, parameters: RocParameters) -> Row:
    """Wrong beside everything."""
    if parameters.level == "image":
        truth = _truth(sample)
        return _row(_NONE, _NONE, histograms.LOST if truth else histograms.ALARM, truth)
    mask = mask_of(sample.reference, parameters.size, None)
    ours, theirs = int(mask.sum()), int((~mask).sum())
    lost = histograms.constant(histograms.NEVER, ours), histograms.constant(histograms.ALWAYS, theirs)
    return _row(*lost, histograms.LOST if ours else histograms.ALARM, ours > 0)


def score(rows: Rows, parameters: RocParameters) -> Score:
    """One ranking."""
    ours, theirs = (np.concatenate(side) if side else _NONE for side in _histograms(rows, parameters))
    value = histograms.percent(ours, theirs, "roc")
    if value is None:
        return Score(None, "single_class")
    precision = histograms.percent(ours, theirs, "precision")
    share = histograms.totals(ours).sum() / (histograms.totals(ours).sum() + histograms.totals(theirs).sum())
    return Score(value, companions={"average_precision": precision or 0.0, "affected": 100.0 * float(share)}, warnings=() if parameters.level == "image" else histograms.coarse(ours, theirs))


def interval(rows: Rows, parameters: RocParameters) -> Interval | None:
    """Bootstrap over pictures."""
    return histograms.interval(rows.keys, *_histograms(rows, parameters), "roc")


def samples(rows: Rows, parameters: RocParameters) -> NDArray[np.float64]:
    """ROC AUC of the pixels of each picture; none where it has one class."""
    del parameters
    return histograms.alone(rows.ragged("anomalous"), rows.ragged("normal"), "roc")


def _histograms(rows: Rows, parameters: RocParameters) -> tuple[list[histograms.Packed], list[histograms.Packed]]:
    """Of each picture: its affected pixels and its others; or itself, on one of the sides."""
    if parameters.level == "pixel":
        return rows.ragged("anomalous"), rows.ragged("normal")
    places, truths = histograms.places(rows.column("top")).tolist(), rows.column("truth").tolist()
    ours, theirs = ([histograms.constant(place, int(truth == side)) for place, truth in zip(places, truths, strict=True)] for side in (1, 0))
    return ours, theirs


def _truth(sample: Sample) -> bool:
    reference = sample.reference
    return bool(reference.truth if reference.mask is None else reference.mask.any())


def _row(ours: histograms.Packed, theirs: histograms.Packed, top: float, truth: bool) -> Row:
    return {"anomalous": ours, "normal": theirs, "top": top, "truth": int(truth)}


METRIC = Metric(
    id="roc_auc", version=2, input_kind="maps", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="corpus",
    parameters=RocParameters, columns=COLUMNS, observe=observe, score=score, missing=missing, interval=interval, samples=samples,
    remarks=lossy_remarks,
)
