"""Two runs side by side: levels, and every task that either of them scored.

Two values are held against each other only when their signatures are equal. Otherwise the row says why not, and no difference is
given.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from genlevel_orchestrator.report.numbers import from_json, json_number

VERDICTS = ("better", "worse", "equal", "undecided", "refused", "only_first", "only_second")


class Comparison(NamedTuple):
    """Two report documents compared.

    Attributes:
        first: Run, model and level status of the first run.
        second: The same of the second.
        levels: One row per policy and level that both runs have.
        tasks: One row per task that either run scored, in catalogue order.
        counts: Rows by verdict; better and worse are said of the second run.
        warnings: What to know before quoting the levels' differences.
    """

    first: dict[str, Any]
    second: dict[str, Any]
    levels: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    counts: dict[str, int]
    warnings: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {"schema": "genlevel.comparison", "schema_version": 1, **self._asdict()}


def compare(first: dict[str, Any], second: dict[str, Any]) -> Comparison:
    """Compare two report documents; differences are second minus first."""
    others = {task["task_id"]: task for task in second["tasks"]}
    pairs = [(task, others[task["task_id"]]) for task in first["tasks"] if task["task_id"] in others]
    tasks = [_task(one, other) for one, other in pairs if _scored(one) or _scored(other)]
    counts = {verdict: sum(row["verdict"] == verdict for row in tasks) for verdict in VERDICTS}
    levels = [
        row
        for policy in first["levels"]
        if policy in second["levels"]
        for row in _levels(policy, first["levels"][policy], second["levels"][policy])
    ]
    return Comparison(_head(first), _head(second), levels, tasks, counts, _warnings(first, second, counts))


def _head(report: dict[str, Any]) -> dict[str, Any]:
    statuses = {policy: levels["status"] for policy, levels in report["levels"].items()}
    return {
        "run": report["run"]["name"],
        "model": report["run"]["model"],
        "status": statuses,
        "scored": report["coverage"]["scored"],
    }


def _levels(policy: str, first: dict[str, Any], second: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "policy": policy,
            "level": number,
            "first": score,
            "second": second["levels"][number],
            "difference": second["levels"][number] - score,
        }
        for number, score in first["levels"].items()
    ]


def _warnings(first: dict[str, Any], second: dict[str, Any], counts: dict[str, int]) -> list[str]:
    warnings = []
    if counts["refused"]:
        warnings.append(
            f"{counts['refused']} task(s) are not compared: their values were made in different ways, and the levels rest on them"
        )
    lonely = counts["only_first"] + counts["only_second"]
    if lonely:
        warnings.append(f"{lonely} task(s) have a score in one run only; the difference of the levels includes them")
    for name, report in (("first", first), ("second", second)):
        for policy, levels in report["levels"].items():
            if levels["status"] in ("provisional", "not_comparable"):
                warnings.append(f"the {name} run's levels under policy {policy} are {levels['status'].replace('_', ' ')}")
    for policy in first["levels"]:
        other = second["levels"].get(policy)
        if other is not None and other["sota"] != first["levels"][policy]["sota"]:
            warnings.append(f"the levels under policy {policy} use different SoTA tables")
    return warnings


def _scored(task: dict[str, Any]) -> bool:
    return bool(task["status"] == "scored")


def _task(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    verdict, reason = _verdict(first, second)
    row = {
        "task_id": first["task_id"],
        "name": first["name"],
        "metric": first["metric"],
        "unit": first["unit"],
        "verdict": verdict,
        "reason": reason,
        "difference": None,
        "difference_interval": None,
        "score_difference": None,
        "first": _side(first),
        "second": _side(second),
    }
    if verdict in ("better", "worse", "equal", "undecided"):
        row["difference"] = _difference(from_json(first["value"]), from_json(second["value"]))
        row["difference_interval"] = _difference_interval(first, second)
        row["score_difference"] = _difference(first["normalised"], second["normalised"])
    return row


def _side(task: dict[str, Any]) -> dict[str, Any]:
    keys = ("status", "value", "normalised", "win", "interval", "comparable", "present", "expected")
    signature = task["signature"]
    return {**{key: task[key] for key in keys}, "signature": signature["digest"] if signature else None}


def _difference(first: float | None, second: float | None) -> float | str | None:
    if first is None or second is None:
        return None
    # Infinity less infinity is no number, but two perfect pictures differ by nothing.
    return 0.0 if first == second else json_number(second - first)


def _verdict(first: dict[str, Any], second: dict[str, Any]) -> tuple[str, str]:
    if not _scored(second):
        return "only_first", f"the second run's task is {second['status'].replace('_', ' ')}"
    if not _scored(first):
        return "only_second", f"the first run's task is {first['status'].replace('_', ' ')}"
    refusal = _refusal(first["signature"], second["signature"])
    if refusal:
        return "refused", refusal
    one, other = from_json(first["value"]), from_json(second["value"])
    if one is None or other is None:
        return "refused", "a value is missing"
    if one == other:
        return "equal", ""
    interval = _difference_interval(first, second)
    if interval is not None and interval["low"] <= 0.0 <= interval["high"]:
        return "undecided", "the interval of the difference holds 0"
    return ("better" if (other > one) == first["higher_is_better"] else "worse"), ""


def _refusal(first: dict[str, Any] | None, second: dict[str, Any] | None) -> str:
    """Return why two values may not be compared, or nothing."""
    if first is None or second is None:
        return "a value has no signature"
    if first["digest"] == second["digest"]:
        return ""
    for key, words in (("metric", "metrics"), ("metric_version", "versions of the metric")):
        if first[key] != second[key]:
            return f"different {words}: {first[key]} and {second[key]}"
    names = sorted({*first["parameters"], *second["parameters"]})
    parts = [name for name in names if first["parameters"].get(name) != second["parameters"].get(name)]
    if parts:
        return f"different parameters: {', '.join(parts)}"
    if first["backbones"] != second["backbones"]:
        return "different network weights"
    return "different signatures"


def _difference_interval(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any] | None:
    """Return an interval for second minus first from the two values' own (MOVER, taking the runs as independent)."""
    one, other = from_json(first["value"]), from_json(second["value"])
    if one is None or other is None or first["interval"] is None or second["interval"] is None:
        return None
    low_1, high_1, low_2, high_2 = (float(side["interval"][end]) for side in (first, second) for end in ("low", "high"))
    ends = (other - one - math.hypot(other - low_2, high_1 - one), other - one + math.hypot(high_2 - other, one - low_1))
    if not all(map(math.isfinite, ends)):
        return None
    level = min(first["interval"]["level"], second["interval"]["level"])
    return {"low": ends[0], "high": ends[1], "level": level, "method": "mover"}
