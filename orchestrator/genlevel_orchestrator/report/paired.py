"""One task of two runs over the same samples: the interval of the difference, and a test of no difference."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from genlevel_orchestrator.report.numbers import from_json
from genlevel_orchestrator.report.significance import (
    LEVEL,
    Significance,
    mcnemar,
    paired_bootstrap,
    sign_flips,
)
from genlevel_orchestrator.runs.details import SampleDetails

_MEAN_TOLERANCE = 1e-6  # relative; files hold nine digits


class Paired(NamedTuple):
    """What the samples of two runs say about the difference of a task.

    Attributes:
        interval: of the difference; None where there are no replicates.
        test: of no difference; None where there is none.
        samples: in either run; None where they are not the same, or not known.
        reason: why there is no paired interval, or nothing.
    """

    interval: dict[str, Any] | None
    test: Significance | None
    samples: int | None
    reason: str


def pair(first: dict[str, Any], second: dict[str, Any], one: SampleDetails | None, other: SampleDetails | None) -> Paired:
    """Hold two tasks of equal signatures against each other, sample by sample where that is possible."""
    if one is None or other is None or one.signature != first["signature"]["digest"] or other.signature != second["signature"]["digest"]:
        return Paired(None, None, None, "no sample scores")
    if (one.samples, one.keys_digest) != (other.samples, other.keys_digest):
        return Paired(None, None, None, "different samples")
    found = paired_bootstrap(one.replicates, other.replicates)
    test = None if _two_way(first) or _two_way(second) else _test_of_means(from_json(first["value"]), from_json(second["value"]), one, other)
    if found is None:
        return Paired(None, test, one.samples, "no bootstrap replicates")
    interval = {"low": found.low, "high": found.high, "level": LEVEL, "method": found.test.method}
    return Paired(interval, test or found.test, one.samples, "")


def _two_way(task: dict[str, Any]) -> bool:
    """Whether the value varies with its raters, too: a test over its items alone would be too sure."""
    return task["interval"] is not None and str(task["interval"]["method"]).startswith("two_way")


def _test_of_means(first: float | None, second: float | None, one: SampleDetails, other: SampleDetails) -> Significance | None:
    """The test for values that are means of sample scores; None for others."""
    if not _is_mean(first, one.scores) or not _is_mean(second, other.scores):
        return None
    if [math.isnan(score) for score in one.scores] != [math.isnan(score) for score in other.scores]:
        return None
    scores = [(mine, yours) for mine, yours in zip(one.scores, other.scores, strict=True) if not math.isnan(mine)]
    if all(score in (0.0, 100.0) for both in scores for score in both):
        return mcnemar(*zip(*scores, strict=True))
    return sign_flips([yours - mine for mine, yours in scores])


def _is_mean(value: float | None, scores: tuple[float, ...]) -> bool:
    defined = [score for score in scores if not math.isnan(score)]
    if value is None or not defined or not all(map(math.isfinite, (value, *defined))):
        return False
    return math.isclose(value, math.fsum(defined) / len(defined), rel_tol=_MEAN_TOLERANCE, abs_tol=1e-9)
