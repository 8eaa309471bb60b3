"""Levels as the JSON document that ``genlevel levels --json`` prints and reports store."""

from __future__ import annotations

import math
from typing import Any

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.levels import Drift, Group, Levels, ModalityLevels, Outcome


def levels_document(levels: Levels, catalogue: Catalogue, sota: str) -> dict[str, Any]:
    """Return the levels of one model: overall, by modality and by task.

    JSON has no infinity: a perfect PSNR is written as null with ``"infinite": true``.
    """
    return {
        "policy": levels.policy,
        "sota": sota,
        "levels": level_numbers(levels),
        "highest_level": levels.highest,
        "status": levels.status,
        "modalities": {name: _modality(modality) for name, modality in levels.modalities.items()},
        "language": {"weight": levels.language_weight, **_group(levels.language)},
        "tasks": [_task(outcome, catalogue) for outcome in levels.outcomes],
    }


def level_numbers(levels: Levels | ModalityLevels) -> dict[str, float]:
    """Return the level scores by number; a modality has no level 5."""
    numbers = {"2": levels.level_2, "3": levels.level_3, "4": levels.level_4}
    if isinstance(levels, Levels):
        numbers["5"] = levels.level_5
    return numbers


def _modality(modality: ModalityLevels) -> dict[str, Any]:
    return {
        "levels": level_numbers(modality),
        "status": modality.status,
        "comprehension": _group(modality.comprehension),
        "generation": _group(modality.generation),
    }


def _group(group: Group) -> dict[str, Any]:
    return group._asdict()


def _task(outcome: Outcome, catalogue: Catalogue) -> dict[str, Any]:
    task = catalogue.tasks[outcome.task_id]
    infinite = outcome.value is not None and math.isinf(outcome.value)
    entry = {
        "task_id": task.task_id,
        "modality": task.modality,
        "paradigm": task.paradigm,
        "task": task.name,
        "skill_id": task.skill_id,
        "metric_id": task.metric_id,
        "unit": catalogue.metric_of(task).unit,
        "state": outcome.state,
        "value": None if infinite else outcome.value,
        "score": outcome.score,
        "sota": outcome.sota,
        "sota_score": outcome.sota_score,
        "won": outcome.won,
        "comparable": outcome.comparable,
        "coverage": outcome.coverage,
    }
    if infinite:
        entry["infinite"] = True
    return entry


def drift_document(drift: Drift) -> dict[str, Any]:
    """Return both policies' levels and every task on which they part."""
    return {
        "levels": {
            name: None if levels is None else level_numbers(levels)
            for name, levels in (("paper", drift.paper), ("upstream", drift.upstream))
        },
        "tasks": [
            {
                "task_id": difference.task_id,
                "label": difference.label,
                "paper": _side(difference.paper),
                "upstream": _side(difference.upstream),
                "reasons": list(difference.reasons),
            }
            for difference in drift.differences
        ],
    }


def _side(outcome: Outcome | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    return {"score": outcome.score, "sota_score": outcome.sota_score, "won": outcome.won}
