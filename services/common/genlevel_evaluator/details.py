"""What lies behind a value, sample by sample: the worst samples, all scores, and the bootstrap replicates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.metric import Metric
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Rows
from genlevel_evaluator.statistics.intervals import Interval

MAX_SCORES = 100_000
"""Samples whose scores travel; 0.8 MB without keys."""
MAX_WORST = 100
LEFT_OUT = "sample_scores_left_out"
_BLOCK = 4096  # keys digested at a time


@dataclass(frozen=True)
class DetailSpec:
    """Which details to give; mirrors DetailSpec of the contract."""

    worst: int = 0
    scores: bool = False
    keys: bool = False
    replicates: bool = False


@dataclass(frozen=True)
class Details:
    """Details of a value; mirrors ValueDetails of the contract."""

    samples: int
    keys_digest: str
    worst: tuple[tuple[str, float], ...] = ()
    scores: tuple[float, ...] = ()
    keys: tuple[str, ...] = ()
    replicates: tuple[float, ...] = ()


def detailed(
    metric: Metric[Any], parameters: Parameters, rows: Rows, interval: Interval | None, asked: DetailSpec
) -> tuple[Details, tuple[str, ...]]:
    """The details of the value of observed rows, and warnings about what was left out."""
    scores = _scores(metric, parameters, rows)
    replicates = interval.replicates if interval is not None and asked.replicates else None
    short = len(rows) <= MAX_SCORES
    found = Details(
        len(rows),
        keys_digest(rows.keys),
        worst(rows.keys, scores, metric.higher_is_better, asked.worst),
        tuple(scores.tolist()) if asked.scores and short else (),
        tuple(rows.keys) if asked.keys and short else (),
        tuple(replicates.tolist()) if replicates is not None else (),
    )
    return found, (LEFT_OUT,) if (asked.scores or asked.keys) and not short else ()


def _scores(metric: Metric[Any], parameters: Parameters, rows: Rows) -> NDArray[np.float64]:
    if metric.samples is None or not len(rows):
        return np.zeros(0)
    scores = np.asarray(metric.samples(rows, parameters), dtype=np.float64)
    if scores.shape != (len(rows),):
        raise EvaluatorError(Code.INTERNAL, "BAD_SAMPLE_SCORES", f"{metric.id} gave {scores.shape} scores for {len(rows)} samples", "report this task")
    return scores


def worst(keys: Sequence[str], scores: NDArray[np.float64], higher_is_better: bool, count: int) -> tuple[tuple[str, float], ...]:
    """The samples with the worst scores, the worst first, equal ones in key order; those without a score are none of them.

    >>> worst(["a", "b", "c", "d"], np.array([3.0, 1.0, np.nan, 1.0]), True, 2)
    (('b', 1.0), ('d', 1.0))
    """
    badness = scores if higher_is_better else -scores
    order = np.argsort(badness, kind="stable")[: min(count, MAX_WORST)]  # NaN goes last
    return tuple((keys[place], float(scores[place])) for place in order.tolist() if not np.isnan(scores[place]))


def keys_digest(keys: Iterable[str]) -> str:
    """SHA-256 of keys in order, each with a zero byte behind it."""
    digest = hashlib.sha256()
    source = iter(keys)
    while block := list(islice(source, _BLOCK)):
        digest.update(("\0".join(block) + "\0").encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
