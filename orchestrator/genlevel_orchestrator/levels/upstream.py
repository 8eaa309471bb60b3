"""Policy ``upstream``: the public scorer as it is, faults included.

Its rules differ from the paper's in these points, each kept on purpose:

* The label as printed decides the mapping, so Chamfer distance and RTE, whose labels are longer, stay raw, higher counting
  as better.
* WER is mapped as a fraction although the table holds percent.
* Missing, 0 and infinity of a mapped metric become 0; a value of 0 counts against the SoTA like any other.
* A negative value of a mapped metric stops the program.
* Nothing is clipped, and a win is decided after the mapping.
* In level 5 language values stay raw, except the model's value (not the SoTA) in the first row labelled RMSE.
* Level 4 has 1e-6 in its denominator (see ``compute``).
"""

from __future__ import annotations

import math

from genlevel_orchestrator.levels.model import Invalid, LevelTask, Outcome, Result

_ERROR_SCALES = {
    "MAE": 50.0,
    "RMS": 50.0,
    "MSE": 5.0,
    "RMSE": 5.0,
    "ABSREL": 0.1,
    "EPE": 1.0,
    "FID": 25.0,
    "FVD": 100.0,
    "FAD": 10.0,
    "SAD": 10.0,
    "RTE": 0.5,
    "CD": 1.0,
    "MCD": 5.0,
}
_OTHERS = ("PSNR", "WER", "MS-SSIM", "MOS")


def _sigmoid_score(value: float, scale: float) -> float:
    return (2.0 / (1.0 + math.exp(-scale / value)) - 1.0) * 100.0


def _mapped(label: str, value: float) -> float:
    if label in _ERROR_SCALES:
        return _sigmoid_score(value, _ERROR_SCALES[label])
    if label == "PSNR":
        return math.tanh(value / 20.0) * 100.0
    if label == "WER":
        return (1.0 - value) * 100.0
    if label == "MS-SSIM":
        return (value + 1.0) / 2.0 * 100.0
    return (value - 1.0) / 4.0 * 100.0


class UpstreamScorer:
    """Scores the results of one task as the public scorer would.

    Args:
        task: The task.
        first_language_rmse: Whether this is the one language row whose model value is mapped.
    """

    __slots__ = ("_first_rmse", "_label", "_special", "_task", "sota_score")

    def __init__(self, task: LevelTask, first_language_rmse: bool = False) -> None:
        self._task = task
        self._label = task.label.upper()
        known = self._label in _ERROR_SCALES or self._label in _OTHERS
        self._special = known and task.modality != "language"
        self._first_rmse = first_language_rmse
        self.sota_score = self._normalise(task.sota_cell)

    def _normalise(self, value: float) -> float:
        if not self._special:
            return value
        if value == 0.0 or math.isinf(value):
            return 0.0
        return _mapped(self._label, value)

    def fault(self, result: Result) -> Invalid | None:
        """Return what stops the public scorer at this result, or None."""
        value = result.value
        if value is None:
            return None
        problem = None
        if math.isnan(value):
            problem = "the value is not a number (NaN)"
        elif self._special and value < 0.0:
            problem = f"{value} is negative, which stops the public scorer"
        elif self._first_rmse and value == 0.0:
            problem = "an RMSE of 0 makes the public scorer divide by zero"
        return None if problem is None else Invalid(self._task.task_id, problem)

    def score(self, result: Result) -> Outcome:
        """Return the outcome of a result that has no fault; coverage and comparability are not looked at."""
        task = self._task
        value = result.value
        missing = value is None or math.isinf(value)
        score = self._score(math.inf if value is None else value)
        won = score is not None and score >= self.sota_score
        return Outcome(
            task.task_id, task.modality, task.paradigm, "unsupported" if missing else "scored",
            None if missing else value, score, task.sota_cell, self.sota_score, won, True, 1.0,
        )  # fmt: skip

    def _score(self, value: float) -> float | None:
        if self._first_rmse:
            return 0.0 if math.isinf(value) else _sigmoid_score(value, _ERROR_SCALES["RMSE"])
        if self._special:
            return self._normalise(value)
        return None if math.isinf(value) else value
