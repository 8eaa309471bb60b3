"""The catalogue: look-ups over the tables, with the nearest names when a look-up fails."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from genlevel_orchestrator.catalogue.loader import Tables, load_tables
from genlevel_orchestrator.catalogue.model import Metric, PaperMetric, Skill, Task
from genlevel_orchestrator.catalogue.names import (
    MODALITIES,
    modality_name,
    name_key,
    nearest,
    paradigm_name,
)
from genlevel_orchestrator.errors import UserError


class Catalogue:
    """All tasks, metrics and skills of General-Bench.

    Attributes:
        tasks: By task id, in the order of the published workbook.
        metrics: By canonical id.
        skills: By skill id.
        labels: Printed metric label to the ids it stands for; more than one means the task decides.
        paper_metrics: The paper's table of 58, by number.
    """

    def __init__(self, tables: Tables) -> None:
        self.tasks: Mapping[str, Task] = MappingProxyType(tables.tasks)
        self.metrics: Mapping[str, Metric] = MappingProxyType(tables.metrics)
        self.skills: Mapping[str, Skill] = MappingProxyType(tables.skills)
        self.labels: Mapping[str, tuple[str, ...]] = MappingProxyType(tables.labels)
        self.paper_metrics: Mapping[int, PaperMetric] = MappingProxyType(tables.paper_metrics)
        self._by_key = _index_names(tables.tasks.values())

    @staticmethod
    def load(path: str | Path | None = None) -> Catalogue:
        """Read the catalogue of this package, or of a folder laid out like it.

        Raises:
            CatalogueError: With every fault of every file.
        """
        return _packaged() if path is None else Catalogue(load_tables(Path(path)))

    def task(self, name: str) -> Task:
        """Return a task by id or by its name where that is unique over all groups.

        Raises:
            UserError: When there is none or more than one; names the nearest.
        """
        found = self.tasks.get(name)
        if found is not None:
            return found
        matches = {task.task_id: task for keys in self._by_key.values() if (task := keys.get(name_key(name)))}
        if len(matches) == 1:
            return next(iter(matches.values()))
        if matches:
            ids = ", ".join(matches)
            raise UserError(f"task name {name!r} occurs {len(matches)} times", f"Use the id: {ids}.")
        raise _unknown("task", name, self.task_names())

    def task_names(self) -> list[str]:
        """Return every id, name and alias of a task, for suggestions."""
        names = [name for task in self.tasks.values() for name in (task.name, *task.aliases)]
        return [*self.tasks, *names]

    def metric(self, name: str) -> Metric:
        """Return a metric by canonical id, or by a printed label that has one meaning.

        Raises:
            UserError: When there is none, or the label has several meanings.
        """
        found = self.metrics.get(name)
        if found is not None:
            return found
        ids = self.labels.get(name, ())
        if len(ids) == 1:
            return self.metrics[ids[0]]
        if ids:
            raise UserError(f"label {name!r} stands for {len(ids)} metrics", f"Use one of: {', '.join(ids)}.")
        raise _unknown("metric", name, [*self.metrics, *self.labels])

    def metric_of(self, task: Task) -> Metric:
        """Return the metric of a task."""
        return self.metrics[task.metric_id]

    def resolve_task(self, modality: str, paradigm: str, name: str) -> Task:
        """Return the task of a modality and paradigm whose name, alias or folder has the key of ``name``.

        Raises:
            UserError: With the nearest names when nothing matches.
        """
        canonical = modality_name(modality)
        if canonical is None:
            names = ", ".join(nearest(modality, MODALITIES) or MODALITIES)
            raise UserError(f"unknown modality {modality!r}", f"Write one of: {names}.")
        canonical_paradigm = paradigm_name(paradigm, canonical)
        if canonical_paradigm is None:
            raise UserError(f"unknown paradigm {paradigm!r}", "Write comprehension or generation.")
        group = canonical if canonical == "language" else f"{canonical}.{canonical_paradigm}"
        task = self._by_key[group].get(name_key(name))
        if task is None:
            tasks = [task for task in self.tasks.values() if task.group == group]
            candidates = [name for task in tasks for name in (task.name, *task.aliases)]
            raise _unknown(f"{group} task", name, candidates)
        return task

    def group_tasks(self, modality: str, paradigm: str) -> list[Task]:
        """Return the tasks of one workbook sheet, in its order."""
        return [t for t in self.tasks.values() if t.modality == modality and t.paradigm == paradigm]

    def scorable(self, task: Task, installed: Container[tuple[str, str]]) -> bool:
        """Whether one of the installed (evaluator, metric id) pairs scores the task."""
        return (task.evaluator, task.metric_id) in installed


@lru_cache(maxsize=1)
def _packaged() -> Catalogue:
    return Catalogue(load_tables())


def _index_names(tasks: Iterable[Task]) -> dict[str, dict[str, Task]]:
    """Index tasks by group and name key; a full name goes before an alias, an alias before a short name."""
    index: dict[str, dict[str, Task]] = {}
    everything = list(tasks)
    for task in everything:
        index.setdefault(task.group, {})[name_key(task.name)] = task
    for task in everything:
        for alias in _aliases(task):
            index[task.group].setdefault(name_key(alias), task)
    for group, keys in index.items():
        shorts: dict[str, list[Task]] = {}
        for task in everything:
            if task.group == group:
                shorts.setdefault(name_key(task.short_name), []).append(task)
        for key, owners in shorts.items():
            if len(owners) == 1:
                keys.setdefault(key, owners[0])
    return index


def _aliases(task: Task) -> tuple[str, ...]:
    slug = task.task_id.rsplit(".", 1)[-1]
    return (task.name_raw, *((task.folder,) if task.folder else ()), *task.aliases, task.task_id, slug)


def _unknown(kind: str, name: str, candidates: Iterable[str]) -> UserError:
    suggestions = nearest(name, candidates)
    remedy = (
        f"Did you mean {', '.join(suggestions)}?" if suggestions else "List names with `genlevel catalogue`."
    )
    return UserError(f"unknown {kind} {name!r}", remedy, details={"name": name, "suggestions": suggestions})
