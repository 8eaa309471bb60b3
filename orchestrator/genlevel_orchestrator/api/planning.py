"""What a run would do, without doing it: the bundle's tasks, and everything wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from genlevel_orchestrator.api.backend import RunSpec, RunView
from genlevel_orchestrator.bundle.layout import TaskSource
from genlevel_orchestrator.bundle.samples import FileFault, TaskSamples
from genlevel_orchestrator.bundle.violations import Violations
from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.runs.results import RunState, Violation
from genlevel_orchestrator.runs.service import open_sources, temporary_work


def plan(catalogue: Catalogue, spec: RunSpec) -> tuple[RunView, Sequence[Violation]]:
    """Return the run as it would begin, without a name, and the violations of its bundle."""
    with temporary_work() as work:
        opened = open_sources(catalogue, spec.bundle, spec.references, spec.tasks, Path(work))
        for source in opened.sources:
            _check(source, opened.violations)
        submitted = sum(source.predictions is not None for source in opened.sources)
        return RunView("", spec.model, RunState.QUEUED, tasks_total=submitted), list(opened.violations)


def _check(source: TaskSource, violations: Violations) -> None:
    try:
        TaskSamples(source).load(violations)
    except FileFault as error:
        file = source.annotation if error.side == "annotation" else source.predictions
        violations.fault(file or Path(source.label), error.fault, task_id=source.task.task_id)
