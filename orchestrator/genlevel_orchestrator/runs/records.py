"""Rows of the journal as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genlevel_orchestrator.runs.results import IssueRecord, RunState


@dataclass(frozen=True)
class RunSpec:
    """What was asked for.

    Attributes:
        bundle: folder or zip, absolute.
        references: folder of the references, where they are not in the bundle.
        tasks: ids, names or globs; empty means all.
        request_id: repeating it gives the run already made.
        origin: ``api`` where an orchestrator made it, which goes on with it after a restart.
    """

    model: str
    bundle: str
    references: str | None = None
    tasks: tuple[str, ...] = ()
    request_id: str = ""
    output: str | None = None
    origin: str = ""


@dataclass(frozen=True)
class RunRecord:
    """A run as it stands."""

    name: str
    spec: RunSpec
    state: RunState
    created: float
    ended: float | None
    tasks_total: int
    tasks_done: int
    shards_total: int
    shards_done: int
    shards_reused: int
    message: str
    cancel_requested: bool = False


@dataclass(frozen=True)
class EventRecord:
    """Something that happened in a run. ``token`` grows; ``counters`` are those of the run after the event."""

    token: int
    run: str
    time: float
    kind: str
    task_id: str
    message: str
    counters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ShardRecord:
    """A scored shard.

    Attributes:
        state: encoded MetricState; None for a shard that was split.
        value: encoded MetricValue, where the shard is its whole task.
        parts: keys of the halves of a shard that was split.
    """

    key: str
    evaluator: str
    signature: str
    samples: int
    state: bytes | None
    issues: tuple[IssueRecord, ...] = ()
    value: bytes | None = None
    parts: tuple[str, ...] = ()
