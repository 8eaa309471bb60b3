"""Whether two reports give the same levels and the same value for every task."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from k8s.cluster.problem import Problem

TOLERANCE = 1e-9
_FIELDS = ("status", "value", "normalised", "win", "comparable")


def load(path: Path) -> dict[str, Any]:
    """Read a report.

    Raises:
        Problem: it is not one.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Problem(f"{path} is not a report: {error}", "Remove it and let it be made anew.") from error
    if not isinstance(report, dict) or report.get("schema") != "genlevel.report":
        raise Problem(f"{path} is not a report of GenLevel", "Remove it and let it be made anew.")
    return report


def differences(here: dict[str, Any], there: dict[str, Any]) -> list[str]:
    """Return every level and every task that differs by more than the tolerance, one line each."""
    found = []
    expected = dict(_numbers(here["levels"]))
    got = dict(_numbers(there["levels"]))
    for key in sorted(set(expected) | set(got)):
        if not same(expected.get(key), got.get(key)):
            found.append(f"level {key}: {got.get(key)} instead of {expected.get(key)}")
    tasks_here = {task["task_id"]: task for task in here["tasks"]}
    tasks_there = {task["task_id"]: task for task in there["tasks"]}
    for task_id in sorted(set(tasks_here) | set(tasks_there)):
        one, other = tasks_here.get(task_id), tasks_there.get(task_id)
        if one is None or other is None:
            found.append(f"task {task_id}: only in the {'other' if one is None else 'embedded'} run")
            continue
        wrong = [
            f"{field} {other.get(field)} instead of {one.get(field)}"
            for field in _FIELDS
            if not same(one.get(field), other.get(field))
        ]
        if wrong:
            reason = f" ({other['reason']})" if other.get("reason") else ""
            found.append(f"task {task_id} ({other.get('metric')}): {', '.join(wrong)}{reason}")
    return found


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal, numbers up to the tolerance."""
    numbers = (int, float)
    if isinstance(one, numbers) and isinstance(other, numbers) and not isinstance(one, bool) and not isinstance(other, bool):
        return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(one == other)


def _numbers(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of the levels, each with its path; notes are prose."""
    if isinstance(value, dict):
        for key, child in value.items():
            if key != "notes":
                yield from _numbers(child, f"{path}.{key}" if path else str(key))
    else:
        yield path, value
