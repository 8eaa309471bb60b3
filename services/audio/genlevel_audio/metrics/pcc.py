"""Pitch-class consistency: how alike the bars of a piece are in the tones they use.

    pcc = 100 * mean over pieces of the mean over pairs of bars of sum over pitch classes of min(h, h')

h is the histogram of a bar's twelve pitch classes, weighted by duration and of unit sum. Bars come from the time signatures of a MIDI
file (four quarter notes to a bar without one); tempo plays no part. Notes over a bar line are cut there, drums and empty bars left out.

Of a recording, the power of each pitch class between 110 and 2,100 Hz stands for duration, and a bar lasts `seconds_per_bar`; half a
bar or more at the end is one, a constant level is no sound. That measures the extractor as much as the music: such values are never comparable.

    Direction       higher is better
    Range           [0, 100]
    Unit            percent
    Pooling         sample: the mean over pieces
    Sample          prediction: a MIDI file, notes, or a recording; no reference
    State           rows (sum of overlaps, pairs, bars, recording), keyed by sample
    Undefined when  no sample: no_reference. A piece with fewer than two bars that sound is an issue, TOO_FEW_BARS, and counts 0
    Source          overlap of bars' histograms as in Wu and Yang 2020; the protocol behind the published value is not known
    Checked with    pretty_midi 0.2.11 (histograms), loops over all pairs
    Differs from    Pearson's coefficient, which shares the name. A drone scores 100, so the value alone says nothing of quality

    >>> round(overlaps(np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 2.0]]), "all")[0], 3), overlaps(np.eye(3), "adjacent")
    (1.0, (0.0, 2))
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_audio.audio import Audio
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_mean


@dataclass(frozen=True)
class PccParameters(Parameters):
    """Parameters of pitch-class consistency.

    Attributes:
        bars: which pairs: `all` of bars that sound, or those `adjacent` in the piece.
        seconds_per_bar: length of a bar of a recording; 2 s is four beats at 120 a minute.
    """

    bars: Literal["all", "adjacent"] = "all"
    seconds_per_bar: float = 2.0

    def __post_init__(self) -> None:
        if not 0.25 <= self.seconds_per_bar <= 60.0:
            raise ValueError("seconds_per_bar is not from 0.25 to 60")


def overlaps(classes: NDArray[np.float64], bars: str) -> tuple[float, int]:
    """Sum of the overlaps of pairs of bars, and the number of pairs."""
    sums = classes.sum(axis=1)
    sounding = sums > 0
    shares = classes / np.where(sounding, sums, 1.0)[:, None]
    if bars == "adjacent":
        both = sounding[1:] & sounding[:-1]
        return math.fsum(np.minimum(shares[1:], shares[:-1])[both].ravel()), int(both.sum())
    count = int(sounding.sum())
    # Of k bars in ascending order of a class, the i-th is the smaller one in k - i of its pairs.
    ascending = np.sort(shares[sounding], axis=0)
    return math.fsum((ascending * np.arange(count - 1, -1, -1)[:, None]).ravel()), count * (count - 1) // 2


def _classes(given: Any, parameters: PccParameters) -> NDArray[np.float64]:
    if isinstance(given, Audio):
        from genlevel_audio.music import chroma

        return chroma.bar_classes(given, parameters.seconds_per_bar)
    return np.asarray(given.classes())


def observe(sample: Sample, parameters: PccParameters) -> Row:
    """Overlaps of one piece."""
    classes = _classes(sample.prediction, parameters)
    total, pairs = overlaps(classes, parameters.bars)
    if not pairs:
        sounding = int((classes.sum(axis=1) > 0).sum())
        raise SampleError(
            "TOO_FEW_BARS", f"the piece has {sounding} bars that sound and no pair of them to compare", remedy="give a piece of two bars or more"
        )
    return {"overlap": total, "pairs": pairs, "bars": len(classes), "recording": int(isinstance(sample.prediction, Audio))}


def missing(sample: Sample, parameters: PccParameters) -> Row:
    """No piece is consistent in nothing."""
    del sample, parameters
    return {"overlap": 0.0, "pairs": 1, "bars": 0, "recording": 0}


def _each(rows: Rows) -> NDArray[np.float64]:
    return np.asarray(rows.column("overlap") / rows.column("pairs"))


def score(rows: Rows, parameters: PccParameters) -> Score:
    """Mean over pieces; beside it the ratio of sums over all pairs."""
    overlap, pairs = rows.column("overlap"), rows.column("pairs")
    recordings = int(rows.column("recording").sum())
    companions = {
        "pair_mean": 100.0 * math.fsum(overlap) / float(pairs.sum()), "bars": float(rows.column("bars").sum()), "recordings": float(recordings),
    }
    warnings = ("pcc_of_recordings", "not_comparable") if recordings else ()
    return Score(min(100.0, 100.0 * math.fsum(_each(rows)) / len(rows)), companions=companions, warnings=warnings)


def interval(rows: Rows, parameters: PccParameters) -> Interval | None:
    """Bootstrap over pieces."""
    del parameters
    return bootstrap_mean(rows.keys, _each(rows), scale=100.0)


METRIC = Metric(
    id="pcc", version=2, input_kind="midi", unit="percent", higher_is_better=True, value_range=(0.0, 100.0), pooling="sample",
    parameters=PccParameters, columns={"overlap": Column("f8"), "pairs": Column("i8"), "bars": Column("i8"), "recording": Column("u1")},
    observe=observe, score=score, missing=missing, interval=interval, samples=lambda rows, _: 100.0 * _each(rows), reference_free=True,
)
