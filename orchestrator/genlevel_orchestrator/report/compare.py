"""Two runs side by side: levels, and every task that either of them scored.

Two values are held against each other only when their signatures are equal. Otherwise the row says why not, and no difference is
given. Where both runs have scores of the same samples, interval and test are paired; else the interval takes the runs as independent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.report.level_intervals import level_intervals, resampled
from genlevel_orchestrator.report.numbers import from_json, json_number
from genlevel_orchestrator.report.paired import Paired, pair
from genlevel_orchestrator.report.significance import holm
from genlevel_orchestrator.runs.details import SampleDetails

SCHEMA_VERSION = 2
VERDICTS = ("better", "worse", "equal", "undecided", "refused", "only_first", "only_second")


_UNPAIRED = Paired(None, None, None, "")


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
        return {"schema": "genlevel.comparison", "schema_version": SCHEMA_VERSION, **self._asdict()}


def compare(
    first: dict[str, Any],
    second: dict[str, Any],
    first_samples: Mapping[str, SampleDetails] | None = None,
    second_samples: Mapping[str, SampleDetails] | None = None,
    catalogue: Catalogue | None = None,
) -> Comparison:
    """Compare two report documents; differences are second minus first.

    Args:
        first: Report of the first run.
        second: Report of the second.
        first_samples: What lies behind the first run's values, by task; without it nothing is paired.
        second_samples: The same of the second.
        catalogue: What the levels are computed with; without it their differences get no intervals.
    """
    one, other = first_samples or {}, second_samples or {}
    others = {task["task_id"]: task for task in second["tasks"]}
    pairs = [(task, others[task["task_id"]]) for task in first["tasks"] if task["task_id"] in others]
    tasks = [
        _task(mine, yours, one.get(mine["task_id"]), other.get(mine["task_id"]))
        for mine, yours in pairs
        if _scored(mine) or _scored(yours)
    ]
    _adjust(tasks)
    counts = {verdict: sum(row["verdict"] == verdict for row in tasks) for verdict in VERDICTS}
    intervals = level_intervals(first, second, one, other, catalogue) if catalogue is not None else {}
    levels = [
        {**row, "difference_interval": intervals.get((policy, row["level"]))}
        for policy in first["levels"]
        if policy in second["levels"]
        for row in _levels(policy, first["levels"][policy], second["levels"][policy])
    ]
    warnings = _warnings(first, second, counts)
    if intervals:
        warnings += _fixed(tasks, resampled(first, one) | resampled(second, other))
    return Comparison(_head(first), _head(second), levels, tasks, counts, warnings)


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


def _adjust(tasks: list[dict[str, Any]]) -> None:
    """Give every p-value the one that holds for all tasks together."""
    tests = [row["test"] for row in tasks if row["test"] is not None]
    for test, adjusted in zip(tests, holm([test["p"] for test in tests]), strict=True):
        test["p_holm"] = adjusted


def _fixed(tasks: list[dict[str, Any]], drawn: set[str]) -> list[str]:
    count = sum(row["task_id"] not in drawn for row in tasks)
    return [f"{count} scored task(s) have no bootstrap replicates: the intervals of the levels take their values as fixed"] if count else []


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


def _task(
    first: dict[str, Any], second: dict[str, Any], one: SampleDetails | None, other: SampleDetails | None
) -> dict[str, Any]:
    refusal = _refusal_of(first, second)
    paired = pair(first, second, one, other) if refusal is None else _UNPAIRED
    interval = (paired.interval or _difference_interval(first, second)) if refusal is None else None
    verdict, reason = refusal or _verdict(first, second, interval)
    row = {
        "task_id": first["task_id"],
        "name": first["name"],
        "metric": first["metric"],
        "unit": first["unit"],
        "verdict": verdict,
        "reason": reason,
        "difference": None,
        "difference_interval": interval,
        "paired": paired.interval is not None,
        "unpaired_reason": paired.reason,
        "samples": paired.samples,
        "test": None if paired.test is None else {"method": paired.test.method, "p": paired.test.p, "p_holm": paired.test.p},
        "score_difference": None,
        "first": _side(first),
        "second": _side(second),
    }
    if refusal is None:
        row["difference"] = _difference(from_json(first["value"]), from_json(second["value"]))
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


def _refusal_of(first: dict[str, Any], second: dict[str, Any]) -> tuple[str, str] | None:
    """Return verdict and reason of two tasks that cannot be held against each other."""
    if not _scored(second):
        return "only_first", f"the second run's task is {second['status'].replace('_', ' ')}"
    if not _scored(first):
        return "only_second", f"the first run's task is {first['status'].replace('_', ' ')}"
    refusal = _refusal(first["signature"], second["signature"])
    if refusal:
        return "refused", refusal
    if first["value"] is None or second["value"] is None:
        return "refused", "a value is missing"
    return None


def _verdict(first: dict[str, Any], second: dict[str, Any], interval: dict[str, Any] | None) -> tuple[str, str]:
    one, other = from_json(first["value"]), from_json(second["value"])
    assert one is not None
    assert other is not None
    if one == other:
        return "equal", ""
    if interval is not None and interval["low"] <= 0.0 <= interval["high"]:
        return "undecided", "the interval of the difference holds 0"
    ahead = (other > one) == first["higher_is_better"]
    best, rest = (second, first) if ahead else (first, second)
    if _coverage(best) < _coverage(rest):
        return "undecided", f"the better value is of {best['present']} of {best['expected']} samples: leaving out samples is no gain"
    return ("better" if ahead else "worse"), ""


def _coverage(task: dict[str, Any]) -> float:
    """Share of the samples in a value that missing predictions do not lower."""
    return task["present"] / task["expected"] if task["expected"] and task["missing_scored_as_worst"] is False else 1.0


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
