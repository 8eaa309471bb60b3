"""Every task the language evaluator scores is scored from a folder as General-Bench lays it out, to a value derived by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from general_bench import write_task
from general_bench_samples import COUNT

from genlevel_evaluator import codec
from genlevel_evaluator.engine import Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.media_messages import Sources
from genlevel_evaluator.media_roots import MediaRoots
from genlevel_orchestrator.bundle.content import Reader
from genlevel_orchestrator.bundle.layout import discover
from genlevel_orchestrator.bundle.samples import TaskSamples
from genlevel_orchestrator.bundle.violations import Violations
from genlevel_orchestrator.catalogue import Catalogue, Task
from genlevel_orchestrator.runs import wire
from genlevel_orchestrator.runs.carriage import NEAR
from genlevel_orchestrator.runs.installed import installed_facts
from genlevel_orchestrator.runs.plan import plan_task
from genlevel_orchestrator.runs.results import IssueRecord

CATALOGUE = Catalogue.load()
RATED = ("mos", "user_preference")  # from files of ratings and votes: test_ratings
TASKS = [task for task in CATALOGUE.tasks.values() if task.evaluator == "language" and task.metric_id not in RATED]
BEST = {"cider": 1000.0, "mae": 0.0, "rmse": 0.0}
# Half of the answers share nothing with their references: half of every mean and of every count.
HALF = {
    "cider": 500.0,
    "mae": 2.0,  # every second count is off by 4
    "rmse": math.sqrt(2.0),  # every second series is off by 2 throughout
    "f1": 100.0 * 2.0 / 3.0,  # of each class half is found and nothing else called so: P = 1, R = 1/2
    # Half of the programs are empty. Of the 21 words a program has, 22 - n n-grams are matched; each empty one adds one to their number,
    # as in nltk: ((21 / 22) (20 / 21) (19 / 20) (18 / 19)) ** (1 / 4), times the brevity penalty e^(1 - 2). The other parts are recalls.
    "codebleu": 100.0 * (math.exp(-1.0) * (18.0 / 22.0) ** 0.25 + 3 * 0.5) / 4.0,
}
FACTS = installed_facts(CATALOGUE.tasks.values())


def score(root: Path, task: Task | None = None) -> tuple[Value, list[IssueRecord], list[Issue], Violations, Task]:
    """The value of the one task of a bundle, through every step of a run but the network."""
    violations = Violations(root)
    (source,) = discover(root, None, CATALOGUE, violations)
    samples = TaskSamples(source).load(violations)
    plan = plan_task(source.task, FACTS, samples.envelope)
    assert plan.facts is not None
    reader = Reader(
        plan.facts.form, source.prediction_base, source.reference_base, str(samples.envelope.get("type", "")), ("p", "a"),
        frozenset(samples.excluded), samples.envelope,
    )  # fmt: skip
    sources = Sources(MediaRoots.of([root]), pointers=plan.facts.form.media)
    read = [reader.read(raw) for raw in samples.read(0, len(samples.keys))]
    messages = [wire.sample_message(sample, NEAR) for sample, _ in read if sample is not None]
    received = [codec.decode_sample(type(message).FromString(message.SerializeToString()), sources) for message in messages]
    scorer = Scorer.of(load(source.task.evaluator), source.task.metric_id, plan.parameters)
    rows, issues = scorer.observe(received)
    return scorer.finalize(rows), [issue for _, noted in read for issue in noted], issues, violations, source.task


@pytest.mark.parametrize(("number", "task"), list(enumerate(TASKS)), ids=[task.task_id for task in TASKS])
def test_every_task_is_scored_from_its_files(number: int, task: Task, tmp_path: Path) -> None:
    for right, expected in ((COUNT, BEST.get(task.metric_id, 100.0)), (COUNT // 2, HALF.get(task.metric_id, 50.0))):
        root = tmp_path / str(right)
        write_task(root, task, number, right)
        value, noted, issues, violations, found = score(root)
        assert found is task
        assert not violations.errors, list(violations)
        assert noted == []
        assert [issue for issue in issues if issue.severity != "warning"] == [] or task.metric_id == "codebleu"
        assert value.value == pytest.approx(expected, rel=1e-8, abs=1e-9)  # package rouge adds 1e-8
        assert (value.expected, value.excluded) == (COUNT, 0)


def test_no_task_is_left_out() -> None:
    rated = [task for task in CATALOGUE.tasks.values() if task.evaluator == "language" and task.metric_id in RATED]
    assert len(TASKS) + len(rated) == sum(task.evaluator == "language" for task in CATALOGUE.tasks.values()) == 409
    assert sum(task.modality == "language" for task in TASKS) == 115
