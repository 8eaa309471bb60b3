"""A made-up run over the whole catalogue: every status, an infinite value, a stand-in, issues, and text that tries to be markup."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.catalogue.level_tasks import level_tasks
from genlevel_orchestrator.catalogue.model import Task
from genlevel_orchestrator.levels import LevelCalculator, Levels, Outcome, Policy, Result
from genlevel_orchestrator.runs.results import (
    BackboneRecord,
    IntervalRecord,
    IssueRecord,
    LevelSet,
    ModalityLevels,
    RunResult,
    RunState,
    SampleScore,
    SignatureRecord,
    TaskOutcome,
    TaskStatus,
    ValueRecord,
    Violation,
)

HOSTILE = '<script>alert("x")</script>&<img src=x onerror=alert(1)>'
WEIGHTS = hashlib.sha256(b"weights").hexdigest()


def signature(metric: str, version: int = 1, stand_in: bool = False, **parameters: Any) -> SignatureRecord:
    backbones = (BackboneRecord("inception-tiny", WEIGHTS, False),) if stand_in else ()
    words = "|".join(f"{key}:{value}" for key, value in parameters.items())
    text = f"{metric}|v:{version}" + (f"|{words}" if words else "")
    digest = hashlib.sha256(f"{text}{backbones}".encode()).hexdigest()
    return SignatureRecord(text, digest, metric, version, parameters, backbones)


def value(task: Task, unit: str, number: float | None, *, stand_in: bool = False, version: int = 1, reason: str = "") -> ValueRecord:
    spread = None if number is None or math.isinf(number) else IntervalRecord(number * 0.95, number * 1.05, 0.95, "poisson_bootstrap_1000")
    return ValueRecord(
        value=number, reason=reason, unit=unit, signature=signature(task.metric_id, version, stand_in, tokenizer="plain"),
        expected=40, present=38, excluded=1, missing_scored_as_worst=True, interval=spread,
        companions={"precision": 61.5, "perfect": math.inf}, warnings=("small_sample",), comparable=not stand_in,
        worst=() if number is None else (SampleScore("17", 0.0), SampleScore(HOSTILE, math.inf)),
    )  # fmt: skip


def raw_values(catalogue: Catalogue, share: float) -> dict[str, float]:
    """A value for every seventh task, a share of the SoTA away from it."""
    values = {}
    for index, task in enumerate(catalogue.tasks.values()):
        metric = catalogue.metric_of(task)
        if index % 7 == 0:
            factor = share if metric.higher_is_better else 1 / share
            wanted = task.sota_raw * factor * (1 + (index % 5 - 2) / 10)
            values[task.task_id] = min(max(wanted, metric.lower or 0.0), metric.upper if metric.upper is not None else wanted)
    return values


def special_cases(catalogue: Catalogue) -> dict[str, str]:
    """One task of each odd kind, by what is odd about it."""
    tasks = [task for index, task in enumerate(catalogue.tasks.values()) if index % 7]
    names = ("undefined", "failed", "not_scorable", "hostile")
    found = dict(zip(names, (task.task_id for task in tasks), strict=False))
    found["infinite"] = next(task.task_id for task in tasks if task.metric_id == "psnr")
    found["stand_in"] = next(task.task_id for task in tasks if task.metric_id == "fid")
    return found


def run_result(
    catalogue: Catalogue, share: float = 0.95, name: str = "run-20260101-120000-ab12", model: str = "A <b>model</b>", version: int = 1,
    overrides: Mapping[str, float] | None = None,
) -> RunResult:  # fmt: skip
    special = special_cases(catalogue)
    values = {**raw_values(catalogue, share), **(overrides or {}), special["infinite"]: math.inf, special["stand_in"]: 20.0, special["hostile"]: 50.0}
    stand_in = special["stand_in"]
    results = {task_id: Result(number, comparable=task_id != stand_in) for task_id, number in values.items()}
    results[special["failed"]] = Result(None, "failed")
    levels = {policy: LevelCalculator(level_tasks(catalogue), policy).levels(results) for policy in ("paper", "upstream")}
    paper = {outcome.task_id: outcome for outcome in levels["paper"].outcomes}
    tasks = tuple(_outcome(catalogue, task, values, paper[task.task_id], special, version) for task in catalogue.tasks.values())
    return RunResult(
        name=name, model=model, state=RunState.PROVISIONAL, bundle="/data/bundle", references=None,
        created="2026-01-01T12:00:00Z", ended="2026-01-01T12:03:20Z", tasks=tasks,
        levels={policy: _level_set(policy, found) for policy, found in levels.items()},
        violations=(Violation("nlp/QA/prediction.json", "/3/id", "DUPLICATE_ID", HOSTILE, "remove one of the two"),),
        violation_count=3, evaluators={"language": "0.1.0", "image": "0.1.0"}, genlevel_version="0.1.0",
    )  # fmt: skip


def _outcome(
    catalogue: Catalogue, task: Task, values: Mapping[str, float], outcome: Outcome, special: Mapping[str, str], version: int
) -> TaskOutcome:
    unit = catalogue.metric_of(task).unit
    common: dict[str, Any] = {"task_id": task.task_id, "evaluator": task.evaluator, "metric": task.metric_id}
    if task.task_id in values:
        hostile = task.task_id == special["hostile"]
        issue = IssueRecord("7", "MEDIA_TRUNCATED", "prediction", HOSTILE if hostile else "ends early", "export it again", "a.png", "/0")
        return TaskOutcome(
            **common, status=TaskStatus.SCORED, normalised=outcome.score, sota_raw=outcome.sota, sota_normalised=outcome.sota_score,
            win=outcome.won, provisional=hostile, issues=(issue,), issue_counts={"MEDIA_TRUNCATED": 1}, samples=40, shards=2, shards_reused=1,
            seconds=1.25, reason=HOSTILE if hostile else "",
            value=value(task, unit, values[task.task_id], stand_in=task.task_id == special["stand_in"], version=version),
        )  # fmt: skip
    for status in (TaskStatus.UNDEFINED, TaskStatus.FAILED, TaskStatus.NOT_SCORABLE):
        if special.get(str(status)) == task.task_id:
            undefined = value(task, unit, None, reason="no_reference") if status is TaskStatus.UNDEFINED else None
            return TaskOutcome(**common, status=status, value=undefined, reason=f"made {status}", samples=40)
    return TaskOutcome(**common, status=TaskStatus.NOT_SUBMITTED)


def _level_set(policy: Policy, levels: Levels) -> LevelSet:
    modalities = {
        name: ModalityLevels(
            found.level_2, found.level_3, found.level_4,
            found.comprehension.supported + found.generation.supported,
            found.comprehension.wins + found.generation.wins,
            found.comprehension.tasks + found.generation.tasks,
        )
        for name, found in levels.modalities.items()
    }  # fmt: skip
    return LevelSet(
        policy, "workbook", levels.level_2, levels.level_3, levels.level_4, levels.level_5, levels.status, modalities,
        levels.language.winning_mean, ("tasks without a submission count as 0",),
    )  # fmt: skip
