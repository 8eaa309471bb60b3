"""Predicted mean opinion score: what listeners would say of speech, by DNSMOS. Not what listeners said.

    mos = mean over recordings of the mean over windows of the predicted score, brought to listeners' scale by the published polynomial

Ratings of listeners are scored by the metric of the same name of the language evaluator. This value is marked predicted and is never
comparable with theirs, so it never wins and never counts for a level.

    Direction       higher is better
    Range           [1, 5]
    Unit            MOS 1..5
    Pooling         sample: the mean over recordings
    Sample          prediction: a recording of speech; no reference
    State           rows (signal, background, overall, P.808, windows), keyed by sample
    Undefined when  no recording could be heard: no_reference
    Source          Reddy et al. 2021, arXiv 2010.15258 (P.808); Reddy et al. 2022, arXiv 2110.01763 (P.835)
    Checked with    speechmos 0.0.1.1 on the same samples (windows, polynomial, both networks), librosa 0.11.0 (its mels)
    Differs from    speechmos in the resampler. The networks were trained on 16 kHz speech with noise: of singing, of effects and of what lies
                    above 8 kHz they know nothing

Windows last 9.01 s, one a second; a shorter recording is doubled until it is long enough. A recording in which nothing is heard is an
issue, SILENT; a missing one lowers the coverage.

    >>> import numpy as np
    >>> row = observe(Sample("1", None, features={("dnsmos", "prediction"): np.array([[3.0, 4.0, 3.2, 3.5], [3.2, 4.0, 3.4, 3.5]])}), PredictedMosParameters())
    >>> round(row["overall"], 6), row["windows"]
    (3.3, 2)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean

SCALES = ("signal", "background", "overall", "p808")


@dataclass(frozen=True)
class PredictedMosParameters(Parameters):
    """Parameters of the predicted mean opinion score.

    Attributes:
        scale: `overall`, `signal` and `background` are those of P.835, `p808` is the one scale of P.808.
    """

    scale: Literal["overall", "signal", "background", "p808"] = "overall"


def observe(sample: Sample, parameters: PredictedMosParameters) -> Row:
    """The scores of one recording."""
    del parameters
    if sample.prediction is not None and sample.prediction.silent:
        raise SampleError("SILENT", "nothing is heard in the recording", remedy="leave the sample out, or give a recording with sound")
    windows = np.asarray(sample.features["dnsmos", "prediction"], dtype=np.float64)
    means = (min(5.0, max(1.0, math.fsum(column) / len(windows))) for column in windows.T)  # noise falls a little below the scale
    return {**dict(zip(SCALES, means, strict=True)), "windows": len(windows)}


def score(rows: Rows, parameters: PredictedMosParameters) -> Score:
    """Mean over recordings, the other scales beside it."""
    means = {name: math.fsum(rows.column(name)) / len(rows) for name in SCALES}
    return Score(means.pop(parameters.scale), companions={**means, "windows": float(rows.column("windows").sum())}, warnings=("predicted", "not_comparable"))


def interval(rows: Rows, parameters: PredictedMosParameters) -> Interval | None:
    """Bootstrap over recordings; how far the network is from listeners is not in it."""
    return bootstrap_mean(rows.keys, rows.column(parameters.scale))


METRIC = Metric(
    id="mos", version=1, input_kind="audio_alone", unit="MOS 1..5", higher_is_better=True, value_range=(1.0, 5.0), pooling="sample",
    parameters=PredictedMosParameters, columns={**{name: Column("f8") for name in SCALES}, "windows": Column("i8")},
    observe=observe, score=score, interval=interval, samples=lambda rows, parameters: rows.column(parameters.scale),
    backbones=lambda _: ("dnsmos",), reference_free=True,
)
