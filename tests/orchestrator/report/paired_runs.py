"""Made-up details of tasks: scores of samples, and replicates drawn with the same weights for every run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_orchestrator.runs.details import SampleDetails
from genlevel_orchestrator.runs.results import IntervalRecord, RunResult

REPLICATES = 1000


def mean(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(scores.mean(axis=-1))


def details_of(
    signature: str, scores: NDArray[np.float64], value_of: Callable[[NDArray[np.float64]], NDArray[np.float64]] = mean, keys: str = "1 to n"
) -> SampleDetails:
    """Details of a value that is a function of the scores, over multinomial resamples that depend on the number of samples alone."""
    places = np.random.default_rng(len(scores)).integers(0, len(scores), (REPLICATES, len(scores)))
    digest = hashlib.sha256(keys.encode()).hexdigest()
    return SampleDetails(signature, len(scores), digest, tuple(scores.tolist()), tuple(value_of(scores[places]).tolist()))


def with_scores(
    result: RunResult, task_id: str, scores: Any, value_of: Callable[[NDArray[np.float64]], NDArray[np.float64]] = mean, keys: str = "1 to n"
) -> tuple[RunResult, SampleDetails]:
    """The run with that task's value made of scores, and its details."""
    outcome = result.outcome(task_id)
    assert outcome.value is not None
    scores = np.asarray(scores, dtype=np.float64)
    details = details_of(outcome.value.signature.digest, scores, value_of, keys)
    low, high = np.percentile(details.replicates, [2.5, 97.5])
    value = replace(outcome.value, value=float(value_of(scores)), interval=IntervalRecord(float(low), float(high), 0.95, "poisson_bootstrap_1000"))
    tasks = tuple(replace(outcome, value=value) if task.task_id == task_id else task for task in result.tasks)
    return replace(result, tasks=tasks), details
