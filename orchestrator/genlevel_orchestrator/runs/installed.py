"""What the evaluators installed on this machine offer, without starting them: for ``validate`` and ``--dry-run``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import Any

from genlevel_orchestrator.bundle.fields import form_of
from genlevel_orchestrator.catalogue import Task
from genlevel_orchestrator.runs.plan import MetricFacts

GROUP = "genlevel.evaluators"


def installed_facts(tasks: Iterable[Task]) -> dict[tuple[str, str], MetricFacts]:
    """Facts of the metrics of some tasks, as far as evaluators are installed that have them."""
    entries = {entry.name: entry for entry in entry_points(group=GROUP)}
    loaded: dict[str, Any] = {}
    facts: dict[tuple[str, str], MetricFacts] = {}
    for task in tasks:
        name, metric_id = task.evaluator, task.metric_id
        if (name, metric_id) in facts or name not in entries:
            continue
        try:
            evaluator = loaded.setdefault(name, entries[name].load())
            if metric_id in evaluator.metric_ids:
                facts[name, metric_id] = _facts(name, evaluator, metric_id)
        except ImportError:
            continue  # an evaluator whose libraries are missing offers nothing here; `genlevel doctor` says so
    return facts


def _facts(name: str, evaluator: Any, metric_id: str) -> MetricFacts:
    metric = evaluator.metric(metric_id)
    kind = evaluator.kinds[metric.input_kind]
    form = form_of(kind.name, kind.takes_paths("prediction"), kind.takes_paths("reference"), metric.set_metric)
    parameters = frozenset(field.name for field in dataclasses.fields(metric.parameters))
    return MetricFacts(name, metric_id, metric.version, form, parameters)
