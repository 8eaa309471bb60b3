"""Every installed metric agrees with the catalogue on unit and direction, and takes the parameters the tasks set."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

import pytest

from genlevel_evaluator.parameters import parse
from genlevel_orchestrator.catalogue import Catalogue, installed_metrics


def metrics() -> Iterator[tuple[str, str]]:
    yield from sorted(installed_metrics().pairs)


def load(evaluator: str, metric_id: str) -> Any:
    (entry,) = entry_points(group="genlevel.evaluators", name=evaluator)
    return entry.load().metric(metric_id)


@pytest.mark.parametrize(("evaluator", "metric_id"), metrics())
def test_unit_direction_and_missing_rule(evaluator: str, metric_id: str) -> None:
    ours, theirs = Catalogue.load().metrics[metric_id], load(evaluator, metric_id)
    assert theirs.unit == ours.unit
    assert theirs.higher_is_better == ours.higher_is_better
    assert (theirs.missing is None) == (ours.missing != "worst")
    lowest, highest = theirs.value_range
    assert ours.lower is None or lowest >= ours.lower
    assert ours.upper is None or highest <= ours.upper


@pytest.mark.parametrize(("evaluator", "metric_id"), metrics())
def test_parameters_of_tasks(evaluator: str, metric_id: str) -> None:
    declared = load(evaluator, metric_id).parameters
    for task in Catalogue.load().tasks.values():
        if (task.evaluator, task.metric_id) == (evaluator, metric_id):
            parse(declared, task.parameters, metric_id)
