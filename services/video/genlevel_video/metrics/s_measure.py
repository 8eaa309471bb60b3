"""Structure measure: how well saliency maps keep the structure of true masks.

    S(frame)  = 1/2 object-aware + 1/2 region-aware similarity
    s_measure = 100 * mean over videos of the mean over frames of S

    Direction   higher is better
    Range       [0, 100]
    Unit        percent
    Pooling     sequence: the mean over videos
    Sample      prediction and reference, grey frames of one clip, of one size; the first reference counts
    State       rows (sums over frames of S, absolute error, alignment and weighted F, frames), keyed by sample
    Undefined   no sample has a reference: no_reference
    Source      Fan et al., Structure-measure, ICCV 2017
    Checked with  PySODMetrics 1.6.2 (Smeasure, MAE, Emeasure, WeightedFmeasure)
    Differs from  the public scorer: constants in its similarity, population deviations, a centroid one pixel nearer and no stretching, under
                `variant=upstream`, there without its NaN where the centroid lies on the border. Empty quarters weigh nothing here.

A true mask is white above 128 of 255. Maps are stretched to 0..1 by their own range first, as the toolbox does, so that a faint map of the right shape
is perfect; `normalise=none` takes them as they are. A frame without foreground is 1 - mean of the map, one that is all foreground its mean.

Beside it: mae, e_measure (mean over 256 thresholds) and weighted_f, each a mean over frames, then videos; of maps stretched likewise.

    >>> from genlevel_evaluator.metric import Sample
    >>> from genlevel_video.forms.grey_frames import GreyFrames
    >>> truth = np.array([[[0, 0, 255], [0, 255, 255]]], np.uint8)
    >>> row = observe(Sample("1", GreyFrames(array=truth // 10), (GreyFrames(array=truth),)), StructureParameters())
    >>> round(row["structure"], 9), row["error"]
    (1.0, 0.0)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.pixels.grey import Grey
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean
from genlevel_video.forms.boxes import count_mismatch
from genlevel_video.forms.grey_frames import GreyFrames, foreground
from genlevel_video.measures import structure as measures

_NAMES = ("structure", "error", "alignment", "weighted")


@dataclass(frozen=True)
class StructureParameters(Parameters):
    """Parameters of the structure measure.

    Attributes:
        normalise: whether maps are stretched to 0..1 by their own range.
        variant: the published formula, or the public scorer's (`upstream`, which never stretches).
        weighted_f: whether the weighted F stands beside the value; it costs more than all else.
    """

    normalise: Literal["minmax", "none"] = "minmax"
    variant: Literal["published", "upstream"] = "published"
    weighted_f: bool = True


def observe(sample: Sample, parameters: StructureParameters) -> Row:
    """Sums over the frames of one clip."""
    prediction: GreyFrames = sample.prediction
    reference: GreyFrames = sample.reference
    if len(prediction) != len(reference):
        raise count_mismatch(len(prediction), len(reference))
    values = [_frame(*pair, parameters) for pair in _pairs(prediction, reference)]
    return {name: math.fsum(column) for name, column in zip(_NAMES, zip(*values, strict=True), strict=True)} | {"frames": len(values)}


def missing(sample: Sample, parameters: StructureParameters) -> Row:
    """As wrong as can be."""
    frames = len(sample.reference)
    return {"structure": 0.0, "error": float(frames), "alignment": 0.0, "weighted": 0.0 if parameters.weighted_f else math.nan, "frames": frames}


def _pairs(prediction: GreyFrames, reference: GreyFrames) -> Iterator[tuple[Grey, NDArray[np.bool_]]]:
    for place, (ours, truth) in enumerate(zip(prediction, _truths(reference), strict=True)):
        if ours.values.shape != truth.shape:
            message = "frame {} of the prediction is {} x {} pixels, of the reference {} x {}".format(place, *ours.size, truth.shape[1], truth.shape[0])
            raise SampleError("SIZE_MISMATCH", message, remedy="give the size of the reference; nothing is resized", side="prediction", pointer=f"/{place}")
        yield ours, truth


def _truths(reference: GreyFrames) -> Iterator[NDArray[np.bool_]]:
    """The masks; their faults are the reference's."""
    try:
        for frame in reference:
            yield foreground(frame)
    except SampleError as error:
        error.side = "reference"
        raise


def _frame(ours: Grey, truth: NDArray[np.bool_], parameters: StructureParameters) -> tuple[float, ...]:
    published = parameters.variant == "published"
    stretched = published and parameters.normalise == "minmax"
    found = measures.table(ours.values, ours.peak, truth, stretched, centre=int(published))
    weighted = math.nan
    if parameters.weighted_f:
        weighted = measures.weighted_f(_shares(ours, stretched), truth)
    return measures.structure(found, published), measures.absolute_error(found), measures.alignment(found), weighted


def _shares(grey: Grey, stretched: bool) -> NDArray[np.float64]:
    values = grey.shares()
    low, high = float(values.min()), float(values.max())
    return (values - low) / (high - low) if stretched and high > low else np.asarray(values)


def samples(rows: Rows, _: object) -> NDArray[np.float64]:
    """The measure of each video."""
    return np.asarray(100.0 * rows.column("structure") / rows.column("frames"))


def score(rows: Rows, parameters: StructureParameters) -> Score:
    """Mean over videos."""
    frames = rows.column("frames")
    names = {"mae": "error", "e_measure": "alignment"} | ({"weighted_f": "weighted"} if parameters.weighted_f else {})
    companions = {name: math.fsum(rows.column(column) / frames) / len(rows) for name, column in names.items()}
    companions |= {"frames": float(frames.sum()), "videos": float(len(rows))}
    return Score(math.fsum(samples(rows, parameters)) / len(rows), companions=companions)


def interval(rows: Rows, parameters: StructureParameters) -> Interval | None:
    """Bootstrap over videos."""
    return bootstrap_mean(rows.keys, samples(rows, parameters))


METRIC = Metric(
    id="s_measure", version=1, input_kind="frames", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sequence",
    parameters=StructureParameters, columns={**{name: Column("f8") for name in _NAMES}, "frames": Column("i8")},
    observe=observe, score=score, missing=missing, interval=interval, samples=samples,
)
