"""Policy ``paper``: the paper's rules with every unit put right.

A win is decided on raw values in the metric's direction, and a tie wins. A value that is not comparable never wins.
"""

from __future__ import annotations

import math

from genlevel_orchestrator.levels.mappings import clip, mapping
from genlevel_orchestrator.levels.model import Invalid, LevelTask, Outcome, Result

# A percentage is a quotient of sums: rounding may carry it past its bound by a few units in the last place.
_SLACK = 1e-9


class PaperScorer:
    """Scores the results of one task; made once per task and used for any number of models."""

    __slots__ = ("_higher", "_map", "_task", "sota_score")

    def __init__(self, task: LevelTask) -> None:
        self._task = task
        self._map = mapping(task.mapping, task.scale)
        self._higher = task.higher_is_better
        self.sota_score = clip(self._map(task.sota))

    def fault(self, result: Result) -> Invalid | None:
        """Return what makes a result impossible, or None."""
        problem = self._problem(result)
        return None if problem is None else Invalid(self._task.task_id, problem)

    def _problem(self, result: Result) -> str | None:
        value = result.value
        if value is None:
            return None if result.state != "scored" else "a scored result has no value"
        if not 0.0 <= result.coverage <= 1.0:
            return f"coverage {result.coverage} lies outside 0..1"
        if math.isnan(value):
            return "the value is not a number (NaN)"
        if math.isinf(value) and not (self._task.mapping == "tanh" and value > 0.0):
            return "the value is infinite; leave it empty when the task is not supported"
        return self._range_problem(value)

    def _range_problem(self, value: float) -> str | None:
        task = self._task
        if task.lower is not None and value < task.lower - _SLACK:
            kind = "an error cannot be negative" if task.lower == 0.0 and not self._higher else "too small"
            return f"{value} lies below {task.lower}: {kind}"
        if task.upper is not None and value > task.upper + _SLACK:
            return f"{value} lies above {task.upper}, the largest possible value"
        return None

    def score(self, result: Result) -> Outcome:
        """Return the outcome of a result that has no fault."""
        task = self._task
        value, state, coverage, comparable = result
        if value is None or state != "scored":
            score, won = None, False
        else:
            score = clip(self._map(value))
            won = comparable and (value >= task.sota if self._higher else value <= task.sota)
            if task.scaled_by_coverage and coverage < 1.0:
                score *= coverage
                won = False
        return Outcome(
            task.task_id, task.modality, task.paradigm, state, value, score,
            task.sota, self.sota_score, won, comparable, coverage,
        )  # fmt: skip
