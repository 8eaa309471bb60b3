"""What must be the same however a run was made: values, signatures, levels. Times, shard counts and paths may differ."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from typing import Any

# The same wheels on the same machine give the same bits; another number of threads may move the last ones of a network's sums.
TOLERANCE = 1e-9
KEPT = (
    "status", "evaluator", "metric", "value", "unit", "comparable", "signature", "interval", "companions", "warnings", "expected", "present",
    "excluded", "normalised", "win", "provisional", "issues", "samples",
)  # fmt: skip

Report = dict[str, Any]


def scores(report: Report, tasks: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """By task: all that is said of its score. Tasks that were not submitted are left out."""
    return {
        task["task_id"]: {key: task[key] for key in KEPT}
        for task in report["tasks"]
        if task["status"] != "not_submitted" and (not tasks or task["task_id"] in tasks)
    }


def differences(ours: Any, theirs: Any, where: str = "") -> Iterator[str]:
    """Every place where two documents differ by more than the tolerance."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            if key not in ours or key not in theirs:
                yield f"{where}.{key}: only on one side"
            else:
                yield from differences(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(one, other, f"{where}[{index}]")
    elif isinstance(ours, float) and isinstance(theirs, float):
        if not math.isclose(ours, theirs, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield f"{where}: {ours!r} and {theirs!r}"
    elif ours != theirs:
        yield f"{where}: {ours!r} and {theirs!r}"


def assert_equal_scores(report: Report, reference: Report, tasks: Collection[str] = ()) -> None:
    """The scores of a run are those of the reference; of all tasks and then levels too, or of the tasks named.

    Raises:
        AssertionError: names every place that differs.
    """
    chosen = set(tasks)
    ours, theirs = scores(report, chosen), scores(reference, chosen)
    assert ours, "no task was scored"
    assert ours.keys() == theirs.keys(), f"tasks differ: {sorted(ours.keys() ^ theirs.keys())}"
    found = list(differences(ours, theirs))
    if not chosen:
        found += differences(report["levels"], reference["levels"], "levels")
    assert not found, "\n".join(found)


def exact(report: Report, reference: Report) -> bool:
    """Whether two reports' values have the same bits."""
    pick = {task: entry["value"] for task, entry in scores(report).items()}
    return pick == {task: entry["value"] for task, entry in scores(reference).items()}
