"""The API's runs: the journal for what is known of them, background tasks for what is at work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime

import grpc

from genlevel_orchestrator.api.backend import EventView, RunSpec, RunView, UnknownRun, UnknownToken
from genlevel_orchestrator.api.errors import ApiError
from genlevel_orchestrator.api.planning import plan
from genlevel_orchestrator.api.workers import Workers
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs import records
from genlevel_orchestrator.runs.assess import assess
from genlevel_orchestrator.runs.database import DatabaseAway
from genlevel_orchestrator.runs.details import SampleDetails
from genlevel_orchestrator.runs.evaluators import Mode
from genlevel_orchestrator.runs.results import LevelSet, RunResult, RunState, TaskOutcome, Violation
from genlevel_orchestrator.runs.runner import INTERRUPTED
from genlevel_orchestrator.runs.service import RunService

POLL_SECONDS = 0.2
_EVENTS = 500


class JournalBackend:
    """Runs of one journal.

    Args:
        service: Makes and executes runs.
        mode: Where runs find their evaluators.
        at_once: Runs at work at the same time; the others wait as queued.
        resume: Take up runs that were queued or cut off.
    """

    def __init__(self, service: RunService, mode: Mode = "configured", at_once: int = 2, resume: bool = False) -> None:
        self._service = service
        self._journal = service.journal
        self._workers = Workers(service, mode, at_once, resume)
        self._started: set[str] = set()
        self._known_levels: dict[tuple[str, float | None], LevelSet | None] = {}

    def start(self) -> None:
        """Begin to look for runs that were left behind."""
        self._workers.start()

    async def create(self, spec: RunSpec, request_id: str) -> RunView:
        """Start a run in the background, or return the one already made for a request id."""
        wanted = _journal_spec(spec, request_id)
        record = await asyncio.to_thread(self._service.create, wanted)
        if record.spec != wanted:
            raise ApiError(
                grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED", f"request_id {request_id} made run {record.name} of another request",
                "choose a new UUID for each run",
            )  # fmt: skip
        # A repeated request must not start the run again, also when its record was read before the first one ended. Nothing awaits
        # between here and the entry in the set.
        if record.state is RunState.QUEUED and record.name not in self._started:
            self._started.add(record.name)
            self._workers.begin(record.name)
        return self._view(record)

    async def resume(self, name: str) -> RunView:
        """Go on with a run that ended otherwise than well."""
        record = await asyncio.to_thread(self._record, name)
        if record.state is RunState.SUCCEEDED:
            raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, "RUN_SUCCEEDED", f"run {name} has ended well", "fetch its report")
        if self._workers.holds(name) or not record.state.ended:
            raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, "RUN_AT_WORK", f"run {name} is at work", "watch it with WatchRun")
        claimed = await asyncio.to_thread(self._journal.claim, name, RunState.QUEUED)
        self._workers.begin(name)
        return self._view(claimed)

    async def validate(self, spec: RunSpec) -> tuple[RunView, Sequence[Violation]]:
        """Check and plan without running."""
        return await asyncio.to_thread(plan, self._service.catalogue, spec)

    async def get(self, name: str) -> RunView:
        """Return a run."""
        return await asyncio.to_thread(self._get, name)

    def _get(self, name: str) -> RunView:
        return self._view(self._record(name))

    def _record(self, name: str) -> records.RunRecord:
        try:
            return self._journal.run(name)
        except DatabaseAway:
            raise
        except UserError as error:
            raise UnknownRun(name) from error

    def _view(self, record: records.RunRecord) -> RunView:
        levels = self._levels(record) if record.state.ended else None
        return RunView(
            name=record.name, model=record.spec.model, state=record.state, created=_time(record.created),
            ended=_time(record.ended) if record.ended else "", tasks_total=record.tasks_total, tasks_done=record.tasks_done,
            shards_total=record.shards_total, shards_done=record.shards_done, shards_reused=record.shards_reused,
            levels=levels, message=record.message,
        )  # fmt: skip

    def _levels(self, record: records.RunRecord) -> LevelSet | None:
        """Return the levels of a run that has ended, remembered, as they lie in a large document."""
        key = (record.name, record.ended)
        if key not in self._known_levels:
            result = self._journal.result(record.name)
            self._known_levels[key] = next(iter(result.levels.values()), None) if result else None
        return self._known_levels[key]

    async def list(self, limit: int, after: str | None) -> Sequence[RunView]:
        """Return runs, newest first, after the run of that name."""
        return await asyncio.to_thread(self._list, limit, after)

    def _list(self, limit: int, after: str | None) -> Sequence[RunView]:
        before = None
        if after is not None:
            try:
                before = (self._record(after).created, after)
            except UnknownRun:
                raise UnknownToken("page_token") from None
        return [self._view(record) for record in self._journal.runs(limit, before)]

    async def watch(self, name: str, token: str) -> AsyncIterator[EventView]:
        """Yield events after a token until the run has ended."""
        last, kind, patience = _event_number(token), "", 2
        while True:
            record = await asyncio.to_thread(self._record, name)
            events = await asyncio.to_thread(self._journal.events, name, last, _EVENTS)
            if any(event.kind == "run_ended" for event in events):
                record = await asyncio.to_thread(self._record, name)  # its state was written before that event, but maybe after our reading
            run, goes_on = await asyncio.to_thread(self._view, record), self._workers.goes_on(record)
            for event in events:
                last, kind = event.token, event.kind
                yield _event(event, run, goes_on)
            if goes_on and self._workers.closing:
                raise _stopping(name)
            if run.state.ended and not events and not goes_on:
                # The last event is written after the state; a run whose process was killed has none.
                patience -= 1
                if kind == "run_ended" or not patience:
                    return
            if len(events) < _EVENTS:
                await asyncio.sleep(POLL_SECONDS)

    async def cancel(self, name: str) -> RunView:
        """Ask a run to stop."""
        return self._view(await asyncio.to_thread(self._journal.request_cancel, name))

    async def result(self, name: str) -> RunResult:
        """Return the result of a run that has ended."""
        found = await asyncio.to_thread(self._journal.result, name)
        if found is None:
            raise UnknownRun(name)
        return found

    async def details(self, name: str) -> Mapping[str, SampleDetails]:
        """Return what lies behind the values of a run, by task id."""
        return await asyncio.to_thread(self._journal.details, name)

    async def outcomes(self, name: str) -> Sequence[TaskOutcome]:
        """Return the outcomes of tasks in catalogue order: all of them, or those there are so far."""
        return await asyncio.to_thread(self._outcomes, name)

    def _outcomes(self, name: str) -> Sequence[TaskOutcome]:
        result = self._journal.result(name)
        if result is not None:
            return result.tasks
        found = self._journal.outcomes(name)
        tasks, _ = assess(self._service.catalogue, found)
        return [task for task in tasks if task.task_id in found]

    async def close(self) -> None:
        """Stop what is at work; the journal keeps it, and the next process or `genlevel runs resume` goes on from there."""
        await self._workers.close()


def _stopping(name: str) -> ApiError:
    return ApiError(
        grpc.StatusCode.UNAVAILABLE, "ORCHESTRATOR_STOPPING", f"the orchestrator stops; run {name} goes on when it is back",
        "watch the run again with the last resume_token",
    )  # fmt: skip


def _journal_spec(spec: RunSpec, request_id: str) -> records.RunSpec:
    references = str(spec.references) if spec.references else None
    return records.RunSpec(spec.model, str(spec.bundle), references, spec.tasks, request_id, origin="api")


def _event_number(token: str) -> int:
    if not token:
        return 0
    if not (token.isascii() and token.isdigit()) or len(token) > 18:
        raise UnknownToken("resume_token")
    return int(token)


def _event(event: records.EventRecord, run: RunView, goes_on: bool) -> EventView:
    counters = {
        name: int(event.counters[name])
        for name in ("tasks_total", "tasks_done", "shards_total", "shards_done", "shards_reused")
        if name in event.counters
    }
    # An event shows the run as it was then; only the last one may show how it ended.
    # An interruption that someone takes up again is no end.
    ended = event.kind == "run_ended" and not goes_on
    state = run.state if ended else RunState.RUNNING
    kind = "note" if event.kind == "run_ended" and event.message == INTERRUPTED else event.kind
    kind = event.kind if ended and run.state is RunState.INTERRUPTED else kind
    view = RunView(
        name=run.name, model=run.model, state=state, created=run.created, ended=run.ended if ended else "",
        levels=run.levels if ended else None, message=run.message if ended else "", **counters,
    )  # fmt: skip
    return EventView(str(event.token), _time(event.time), kind, view, event.task_id, event.message)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
