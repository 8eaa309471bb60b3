"""What every metric module must have, held against the catalogue and its own example."""

from __future__ import annotations

import re
import sys

import pytest

from genlevel_evaluator import score
from genlevel_evaluator.engine import Scorer
from genlevel_evaluator.evaluator import load
from genlevel_orchestrator.catalogue import Catalogue, examples

EVALUATORS = ("language", "image", "video", "audio", "three_d")
METRICS = [(name, metric_id) for name in EVALUATORS for metric_id in load(name).metric_ids]
IDS = [f"{evaluator}.{metric}" for evaluator, metric in METRICS]
LABELS = ("Direction", "Range", "Unit", "Pooling", "Sample", "State", "Undefined", "Source", "Checked with", "Differs from")

each_metric = pytest.mark.parametrize(("evaluator", "metric_id"), METRICS, ids=IDS)


@each_metric
def test_it_agrees_with_the_catalogue(evaluator: str, metric_id: str) -> None:
    metric = load(evaluator).metric(metric_id)
    entry = Catalogue.load().metric(metric_id)
    assert evaluator in entry.evaluators
    assert (metric.unit, metric.higher_is_better) == (entry.unit, entry.higher_is_better)
    assert (metric.missing is not None) == (entry.missing == "worst")
    low, high = metric.value_range
    assert (low, high) == (
        float("-inf") if entry.lower is None else entry.lower,
        float("inf") if entry.upper is None else entry.upper,
    )


@each_metric
def test_its_docstring_says_what_a_reader_looks_for(evaluator: str, metric_id: str) -> None:
    module = sys.modules[load(evaluator).metric(metric_id).observe.__module__]
    text = sys.modules[f"genlevel_{evaluator}.metrics.{metric_id}"].__doc__ or module.__doc__ or ""
    missing = [label for label in LABELS if not re.search(rf"^\s*{label}\b", text, re.MULTILINE)]
    assert missing == []
    assert ">>>" in text


@each_metric
@pytest.mark.weights
def test_its_catalogue_example_gives_the_stated_value(evaluator: str, metric_id: str) -> None:
    example = examples.example(evaluator, metric_id)
    assert example is not None
    result = score(metric_id, example["samples"], evaluator=evaluator, parameters=example["parameters"])
    assert [issue for issue in result.issues if issue.severity != "warning"] == []
    assert result.value == pytest.approx(example["value"], abs=example["tolerance"])


def test_the_parameters_of_every_task_are_accepted_by_its_metric() -> None:
    checked = 0
    for task in Catalogue.load().tasks.values():
        if (task.evaluator, task.metric_id) in METRICS:
            Scorer.of(load(task.evaluator), task.metric_id, task.parameters)
            checked += 1
    assert checked > 300
