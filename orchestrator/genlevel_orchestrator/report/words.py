"""The words of the page: what states, statuses and modalities are called before a person."""

from __future__ import annotations

from typing import Any

MODALITIES = {"image": "Image", "video": "Video", "audio": "Audio", "three_d": "3D", "language": "Language"}
PARADIGMS = {"comprehension": "comprehension", "generation": "generation", "language": ""}

STATUSES = {
    "scored": "scored",
    "undefined": "undefined",
    "not_submitted": "not submitted",
    "not_scorable": "not scorable",
    "failed": "failed",
}

LEVEL_STATUSES = {
    "complete": ("complete", "Every task of the benchmark has a comparable score."),
    "partial": ("partial", "Tasks without a submission count as 0 in every mean."),
    "provisional": ("provisional", "Some tasks failed for reasons that are not the model's. Score them again before quoting the levels."),
    "not_comparable": ("not comparable", "Some scores come from stand-in networks, or from other networks than the published ones. They never win and must not be held against those."),
}

LEVEL_MEANINGS = {
    "2": "mean score of comprehension and generation",
    "3": "only tasks that reach the specialist count",
    "4": "comprehension and generation in harmony",
    "5": "level 4 weighted by language wins",
}

RUN_STATES = {
    "succeeded": "every submitted task has a result",
    "provisional": "some task failed for a reason that is not the model's",
    "failed": "the run ended by an error of its own",
    "cancelled": "the run was cancelled before its end",
    "interrupted": "the orchestrator died; the run can be resumed",
}


def group_name(modality: str, paradigm: str) -> str:
    """Return the name of a group of tasks.

    >>> group_name("three_d", "generation"), group_name("language", "language")
    ('3D generation', 'Language')
    """
    return f"{MODALITIES.get(modality, modality)} {PARADIGMS.get(paradigm, paradigm)}".strip()


def task_kind(task: dict[str, Any]) -> str:
    """Return how a task is drawn: win, model, stand-in or its status."""
    if task["status"] != "scored":
        return str(task["status"])
    if task["comparable"] is False:
        return "stand-in"
    return "win" if task["win"] else "model"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> plural(1, "task"), plural(0, "task")
    ('1 task', '0 tasks')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
