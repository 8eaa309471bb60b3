"""What the API needs of runs, as plain data and one protocol; ``runs_backend`` fulfils it with the runs module."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from genlevel_orchestrator.runs.details import SampleDetails
from genlevel_orchestrator.runs.results import LevelSet, RunResult, RunState, TaskOutcome, Violation


class UnknownRun(LookupError):
    """There is no such run, or it has no result."""


class UnknownToken(ValueError):
    """A token that this server did not give; ``field`` is the request's field."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True)
class RunSpec:
    """A run to make; paths are checked already."""

    model: str
    bundle: Path
    references: Path | None
    tasks: tuple[str, ...]


@dataclass(frozen=True)
class RunView:
    """A run as it stands. Times are ISO 8601 in UTC."""

    name: str
    model: str
    state: RunState
    created: str = ""
    ended: str = ""
    tasks_total: int = 0
    tasks_done: int = 0
    shards_total: int = 0
    shards_done: int = 0
    shards_reused: int = 0
    levels: LevelSet | None = None
    message: str = ""


@dataclass(frozen=True)
class EventView:
    """Something that happened in a run. ``token`` continues after it."""

    token: str
    time: str
    kind: str
    run: RunView
    task_id: str = ""
    message: str = ""


class RunBackend(Protocol):
    """Runs, as the API sees them. A name that is not there raises UnknownRun."""

    async def create(self, spec: RunSpec, request_id: str) -> RunView:
        """Start a run in the background, or return the one already made for a request id."""
        ...

    async def validate(self, spec: RunSpec) -> tuple[RunView, Sequence[Violation]]:
        """Check and plan without running."""
        ...

    async def get(self, name: str) -> RunView:
        """Return a run."""
        ...

    async def list(self, limit: int, after: str | None) -> Sequence[RunView]:
        """Return runs, newest first, after the run of that name; UnknownToken when there is none."""
        ...

    def watch(self, name: str, token: str) -> AsyncIterator[EventView]:
        """Yield events after a token until the run has ended. UnknownToken for a token that is none."""
        ...

    async def cancel(self, name: str) -> RunView:
        """Ask a run to stop."""
        ...

    async def resume(self, name: str) -> RunView:
        """Go on with a run that ended otherwise than well."""
        ...

    async def result(self, name: str) -> RunResult:
        """Return the result of a run that has ended."""
        ...

    async def details(self, name: str) -> Mapping[str, SampleDetails]:
        """Return what lies behind the values of a run, by task id."""
        ...

    async def outcomes(self, name: str) -> Sequence[TaskOutcome]:
        """Return the outcomes of tasks in catalogue order: all of them, or those there are so far."""
        ...

    async def close(self) -> None:
        """Stop what is at work; runs in progress can be resumed later."""
        ...
