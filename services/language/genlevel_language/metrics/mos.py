"""Mean opinion score: the mean over items of the mean rating people gave, from 1 to 5.

    MOS = mean over items of (sum of the ratings of the item / number of its ratings)

A rating is a whole or half step. Beside the value stand the numbers of items, raters and ratings, Krippendorff's alpha of the ratings
(interval level), `rater_std`, the mean over raters of the standard deviation of their ratings (near 0: the scale was not used), and
`rater_bias`, the mean over raters of how far they lie, up or down, from the means of the items they rated.

    Direction     higher is better
    Range         [1, 5]
    Unit          MOS 1..5
    Pooling       sample: mean over items, however many rated each
    Sample        ratings of one item, each with its rater; there are no references. system=NAME takes the ratings of that system
                  out of a file that holds those of several
    State         rows (raters, ratings, system), keyed by item
    Undefined     no item has ratings that can be used: no_reference; items of several systems: not_comparable
    Source        metric-decisions, section 4; ITU-T P.800 and P.808
    Checked with  means worked out with fractions; the package krippendorff for alpha
    Differs from  predicted opinion (DNSMOS, UTMOS and others), comparison ratings (CMOS) and scales such as 0 to 100: all are
                  refused, and none is rescaled. An item without usable ratings lowers the coverage

The interval draws raters and items anew, so it needs two of each; with one rater a warning stands in its place (`single_rater`), and below
five it is too narrow, which a warning says (`few_raters`).

>>> observe(Sample("1", (Rating("a", "", 4.0), Rating("b", "", 3.5))), MosParameters())["score"]
[4.0, 3.5]
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.digests import word_digest
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.metric import Metric, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows
from genlevel_evaluator.statistics.agreement import krippendorff_alpha
from genlevel_evaluator.statistics.intervals import Interval, bootstrap_two_way
from genlevel_language.judgements import Rating, name_of, rater_warnings


@dataclass(frozen=True)
class MosParameters(Parameters):
    """Parameters of MOS."""

    system: str | None = None


def observe(sample: Sample, parameters: MosParameters) -> Row:
    """One item."""
    ratings: tuple[Rating, ...] = sample.prediction
    wanted = name_of(parameters.system or "")
    chosen = [rating for rating in ratings if not wanted or rating.system == wanted]
    systems = sorted({rating.system for rating in (chosen or ratings)})
    if not chosen:
        raise SampleError("SYSTEM_NOT_RATED", f"no rating is of system {wanted!r}", remedy="correct the parameter `system`", side="prediction")
    if len(systems) > 1:
        raise SampleError(
            "SEVERAL_SYSTEMS", f"the ratings are of {len(systems)} systems: {', '.join(map(repr, systems[:5]))}",
            remedy="choose one with the parameter `system`", side="prediction",
        )  # fmt: skip
    return {
        "rater": [word_digest(rating.rater) for rating in chosen],
        "score": [rating.score for rating in chosen],
        "system": word_digest(systems[0]) if systems[0] else 0,
    }


def item_means(rows: Rows) -> NDArray[np.float64]:
    """Mean rating of each item; exact sums, as half steps are exact."""
    sizes = rows.lengths["score"]
    return np.asarray(np.add.reduceat(rows.values["score"], np.cumsum(sizes) - sizes) / sizes)


def score(rows: Rows, parameters: MosParameters) -> Score:
    """Mean of the items' means, with what is known of the raters."""
    del parameters
    if len(set(rows.column("system").tolist())) > 1:
        return Score(None, "not_comparable", warnings=("several_systems",))
    means = item_means(rows)
    item = np.repeat(np.arange(len(rows)), rows.lengths["score"])
    ratings = rows.values["score"]
    _, rater = np.unique(rows.values["rater"], return_inverse=True)
    companions = {"items": float(len(rows)), "raters": float(rater.max() + 1), "ratings": float(len(ratings))}
    agreement = krippendorff_alpha(item, ratings, "interval")
    found = {"krippendorff_alpha": agreement, "rater_std": _spread(rater, ratings), "rater_bias": _bias(rater, ratings - means[item])}
    companions.update({name: value for name, value in found.items() if value is not None})
    return Score(math.fsum(means) / len(rows), companions=companions, warnings=tuple(rater_warnings(companions["raters"])))


def _spread(rater: NDArray[np.int64], ratings: NDArray[np.float64]) -> float | None:
    """Mean standard deviation of the raters with two ratings or more."""
    counts = np.bincount(rater)
    centred = ratings - (np.bincount(rater, weights=ratings) / counts)[rater]
    several = counts >= 2
    if not several.any():
        return None
    deviations = np.sqrt(np.bincount(rater, weights=centred**2)[several] / (counts[several] - 1))
    return math.fsum(deviations) / len(deviations)


def _bias(rater: NDArray[np.int64], differences: NDArray[np.float64]) -> float | None:
    """Mean over raters of the size of their mean difference from the items' means."""
    counts = np.bincount(rater)
    if len(counts) < 2:
        return None
    return math.fsum(np.abs(np.bincount(rater, weights=differences) / counts)) / len(counts)


def interval(rows: Rows, parameters: MosParameters) -> Interval | None:
    """Bootstrap over raters and items."""
    del parameters
    cells = np.column_stack([rows.values["score"], np.ones(len(rows.values["score"]))])
    return bootstrap_two_way(rows.keys, rows.lengths["score"], rows.values["rater"], cells, _means, lambda totals: totals[:, 0] / totals[:, 1])


def _means(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of each item that any rater was drawn for, and a one to count it by."""
    rated = sums[..., 1] > 0
    return np.stack([np.where(rated, sums[..., 0] / sums[..., 1], 0.0), rated], axis=2)


METRIC = Metric(
    id="mos",
    version=2,
    input_kind="ratings",
    unit="MOS 1..5",
    higher_is_better=True,
    value_range=(1.0, 5.0),
    pooling="sample",
    parameters=MosParameters,
    columns={"rater": Column("i8", ragged=True), "score": Column("f8", ragged=True), "system": Column("i8")},
    observe=observe,
    score=score,
    interval=interval,
    samples=lambda rows, parameters: item_means(rows),
    reference_free=True,
)
