"""A warning for scores that look like fractions where percent is due; nothing is ever converted."""

from __future__ import annotations

from collections.abc import Mapping

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.levels import Result

_PERCENT_UNITS = ("percent", "cosine x100", "CIDEr x100")
# One accuracy of 0.8 % may be real; a SoTA so much larger makes a slip of the factor more likely.
_SUSPICIOUS_RATIO = 20.0


def fraction_warnings(catalogue: Catalogue, results: Mapping[str, Result]) -> list[str]:
    """Return one line for each score in (0, 1] of a percent metric whose SoTA is at least twenty times as large."""
    warnings = []
    for task_id, task in catalogue.tasks.items():
        metric = catalogue.metric_of(task)
        value = results[task_id].value if task_id in results else None
        if metric.unit not in _PERCENT_UNITS or value is None or not 0.0 < value <= 1.0:
            continue
        if metric.higher_is_better and task.sota_raw >= _SUSPICIOUS_RATIO * value:
            warnings.append(
                f"{task_id}: {value} looks like a fraction, but {task.metric_id} is in {metric.unit}"
            )
    return warnings
