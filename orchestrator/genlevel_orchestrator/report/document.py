"""The report as one JSON document; docs/report.md describes every key. Workbook, page and comparison are made from it."""

from __future__ import annotations

import dataclasses
from typing import Any

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.report.numbers import json_number, json_value
from genlevel_orchestrator.report.summaries import coverage, groups, skills
from genlevel_orchestrator.runs.results import LevelSet, ModalityLevels, RunResult, TaskOutcome, ValueRecord

SCHEMA = "genlevel.report"
SCHEMA_VERSION = 2


def build_report(result: RunResult, catalogue: Catalogue) -> dict[str, Any]:
    """Return the report of a finished run."""
    tasks = [_task(outcome, catalogue) for outcome in result.tasks]
    return {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "run": _run(result),
        "levels": {policy: _levels(levels) for policy, levels in result.levels.items()},
        "coverage": coverage(tasks),
        "groups": groups(tasks),
        "skills": skills(tasks, catalogue),
        "tasks": tasks,
        "violation_count": result.violation_count,
        "violations": [dataclasses.asdict(violation) for violation in result.violations],
    }


def _run(result: RunResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "model": result.model,
        "state": str(result.state),
        "message": result.message,
        "bundle": result.bundle,
        "references": result.references,
        "created": result.created,
        "ended": result.ended,
        "genlevel_version": result.genlevel_version,
        "evaluators": dict(result.evaluators),
    }


def _levels(levels: LevelSet) -> dict[str, Any]:
    return {
        "policy": levels.policy,
        "sota": levels.sota,
        "status": levels.status,
        "levels": {**_numbers(levels), "5": json_number(levels.level_5)},
        "language_average": json_number(levels.language_average),
        "modalities": {name: _modality(modality) for name, modality in levels.modalities.items()},
        "notes": list(levels.notes),
    }


def _modality(modality: ModalityLevels) -> dict[str, Any]:
    counts = {"scored": modality.scored, "wins": modality.wins, "tasks": modality.tasks}
    return {"levels": _numbers(modality), **counts}


def _numbers(levels: LevelSet | ModalityLevels) -> dict[str, Any]:
    scores = {"2": levels.level_2, "3": levels.level_3, "4": levels.level_4}
    return {number: json_number(score) for number, score in scores.items()}


def _task(outcome: TaskOutcome, catalogue: Catalogue) -> dict[str, Any]:
    task = catalogue.tasks[outcome.task_id]
    metric = catalogue.metric_of(task)
    return {
        "task_id": outcome.task_id,
        "name": task.name,
        "modality": task.modality,
        "paradigm": task.paradigm,
        "skill_id": task.skill_id,
        "skill": catalogue.skills[task.skill_id].name,
        "evaluator": outcome.evaluator or task.evaluator,
        "metric": outcome.metric or task.metric_id,
        "metric_label": task.metric_label,
        "higher_is_better": metric.higher_is_better,
        "status": str(outcome.status),
        "reason": outcome.reason or (outcome.value.reason if outcome.value else ""),
        **_value(outcome.value, metric.unit),
        "normalised": json_number(outcome.normalised),
        "sota": json_number(task.sota_raw if outcome.sota_raw is None else outcome.sota_raw),
        "sota_normalised": json_number(outcome.sota_normalised),
        "sota_protocol": task.sota_protocol,
        "win": outcome.win,
        "provisional": outcome.provisional,
        "flag": task.flag,
        "issues": [dataclasses.asdict(issue) for issue in outcome.issues],
        "issue_counts": dict(outcome.issue_counts),
        "samples": outcome.samples,
        "shards": outcome.shards,
        "shards_reused": outcome.shards_reused,
        "seconds": json_number(outcome.seconds),
    }


def _value(value: ValueRecord | None, unit: str) -> dict[str, Any]:
    """The keys that come from the evaluator; all of them are there without a value too, so readers need no tests."""
    if value is None:
        return {
            "value": None, "unit": unit, "comparable": None, "signature": None, "interval": None, "companions": {},
            "worst": [], "warnings": [], "expected": None, "present": None, "excluded": None, "missing_scored_as_worst": None,
        }  # fmt: skip
    signature = value.signature
    return {
        "value": json_number(value.value),
        "unit": value.unit or unit,
        "comparable": value.comparable,
        "signature": {
            "text": signature.text,
            "digest": signature.digest,
            "metric": signature.metric,
            "metric_version": signature.metric_version,
            "parameters": json_value(signature.parameters),
            "backbones": [dataclasses.asdict(backbone) for backbone in signature.backbones],
        },
        "interval": json_value(dataclasses.asdict(value.interval)) if value.interval else None,
        "companions": json_value(value.companions),
        "worst": [{"sample_id": item.sample_id, "value": json_number(item.value)} for item in value.worst],
        "warnings": list(value.warnings),
        "expected": value.expected,
        "present": value.present,
        "excluded": value.excluded,
        "missing_scored_as_worst": value.missing_scored_as_worst,
    }
