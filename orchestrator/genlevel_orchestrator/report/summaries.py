"""Counts and means over groups of tasks: the whole, each workbook sheet, each skill."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from genlevel_orchestrator.catalogue import Catalogue

STATUSES = ("scored", "undefined", "not_submitted", "not_scorable", "failed")


def coverage(tasks: list[dict[str, Any]]) -> dict[str, int]:
    """Return how many tasks ended in which way."""
    counts = {status: sum(task["status"] == status for task in tasks) for status in STATUSES}
    return {
        "tasks": len(tasks),
        "submitted": len(tasks) - counts["not_submitted"],
        **counts,
        "wins": sum(task["win"] for task in tasks),
        "not_comparable": sum(_stand_in(task) for task in tasks),
        "provisional": sum(task["provisional"] for task in tasks),
    }


def groups(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one summary for each modality and paradigm, in catalogue order."""
    members: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for task in tasks:
        members.setdefault((task["modality"], task["paradigm"]), []).append(task)
    return [
        {"modality": modality, "paradigm": paradigm, **coverage(group), **_means(group)}
        for (modality, paradigm), group in members.items()
    ]


def skills(tasks: list[dict[str, Any]], catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return one summary for each skill of the catalogue."""
    members: dict[str, list[dict[str, Any]]] = {}
    for task in tasks:
        members.setdefault(task["skill_id"], []).append(task)
    return [
        {
            "skill_id": skill.skill_id,
            "name": skill.name,
            "modality": skill.modality,
            "paradigm": skill.paradigm,
            **coverage(members[skill.skill_id]),
            **_means(members[skill.skill_id]),
        }
        for skill in catalogue.skills.values()
        if skill.skill_id in members
    ]


def _means(group: list[dict[str, Any]]) -> dict[str, float | None]:
    """Return means of scores in 0 to 100; the SoTA's mean is over the same scored tasks, so that the two can be held together."""
    scored = [task for task in group if task["normalised"] is not None]
    total = math.fsum(task["normalised"] for task in scored)
    return {
        "score_mean_all": total / len(group) if group else None,
        "score_mean_scored": total / len(scored) if scored else None,
        "sota_mean_scored": _mean(task["sota_normalised"] for task in scored),
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _stand_in(task: dict[str, Any]) -> bool:
    return task["status"] == "scored" and task["comparable"] is False
