"""A run at work: all tasks of a bundle through their evaluators, with a bounded number in flight, journalled as they end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from genlevel_orchestrator import __version__
from genlevel_orchestrator.bundle.layout import TaskSource
from genlevel_orchestrator.bundle.violations import Violations
from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.runs.assess import assess
from genlevel_orchestrator.runs.database import DatabaseAway
from genlevel_orchestrator.runs.journal import Journal, RunTaken
from genlevel_orchestrator.runs.patience import Patience
from genlevel_orchestrator.runs.records import EventRecord, RunRecord, ShardRecord
from genlevel_orchestrator.runs.results import (
    VIOLATIONS_KEPT,
    RunResult,
    RunState,
    TaskOutcome,
    TaskStatus,
    Violation,
)
from genlevel_orchestrator.runs.scoring import ScoredShard
from genlevel_orchestrator.runs.tasks import Evaluators, Progress, TaskRun
from genlevel_orchestrator.runs.writer import JournalWriter

BEAT_SECONDS = 1.0
INTERRUPTED = "interrupted"
"""Message of a run whose process was asked to stop."""

Listener = Callable[[EventRecord], None]


class RunCancelled(Exception):
    """Someone asked the run to stop."""


@dataclass
class JournalMemory:
    """The journal as the memory of a run's shards."""

    run: str
    journal: Journal
    writer: JournalWriter
    patience: Patience

    async def find(self, key: str) -> ShardRecord | None:
        """A shard of any run."""
        found = await self.patience(self.journal.shard, key)
        if found is not None:
            self.writer.post(self.journal.put_use(self.run, key))
        return found

    async def keep(self, shard: ShardRecord) -> None:
        """Journal a shard."""
        write = await asyncio.to_thread(self.journal.put_shard, self.run, shard)
        await self.writer.put(write, self.journal.put_use(self.run, shard.key))

    async def state(self, key: str) -> bytes:
        """The state of a shard."""
        return await self.patience(self.journal.state, key)

    async def forget(self, keys: Sequence[str]) -> None:
        """Take shards out of the journal."""
        await self.patience(self.journal.remove_shards, keys)


@dataclass
class Runner:
    """Executes one run.

    Attributes:
        listener: told of every event, as WatchRun tells others.
    """

    record: RunRecord
    journal: Journal
    catalogue: Catalogue
    sources: Sequence[TaskSource]
    evaluators: Evaluators
    violations: Violations
    listener: Listener = lambda _: None
    sota: str = "workbook"
    _counters: dict[str, int] = field(default_factory=dict)
    _outcomes: dict[str, TaskOutcome] = field(default_factory=dict)
    _kept: list[Violation] = field(default_factory=list)
    _violation_count: int = 0

    def __post_init__(self) -> None:
        self._patience = Patience(self.journal.retry_seconds)

    async def run(self) -> RunResult:
        """Score everything and journal the result.

        Raises:
            RunCancelled: someone asked the run to stop; what is journalled stays.
            asyncio.CancelledError: this process was asked to; the run is marked as interrupted.
            DatabaseAway: the journal's database stayed away for too long; the run can be resumed once it is back.
            RunTaken: another process goes on with the run.
        """
        self._counters = {
            "tasks_total": len(self.sources), "tasks_done": 0, "shards_total": 0, "shards_done": 0, "shards_reused": 0,
        }  # fmt: skip
        self._take(self.violations)
        async with self._writing() as writer:
            self._tell(writer, "run_started", "", f"{len(self.sources)} tasks")
            try:
                await self._until_done_or_cancelled(writer)
            except RunCancelled:
                await self._end(writer, RunState.CANCELLED, "cancelled by request", None)
                raise
            except asyncio.CancelledError:
                self._patience.hurry()
                await asyncio.shield(self._end(writer, RunState.INTERRUPTED, INTERRUPTED, None))
                raise
            except (DatabaseAway, RunTaken):
                self._patience.hurry()
                raise
            except Exception as error:
                await self._end(writer, RunState.FAILED, f"{type(error).__name__}: {error}", None)
                raise
            result = await asyncio.to_thread(self._result)
            await self._end(writer, result.state, result.message, result)
            return result

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[JournalWriter]:
        writer = JournalWriter(self.journal, self._patience)
        try:
            yield writer
        finally:
            await asyncio.shield(writer.close())

    async def _until_done_or_cancelled(self, writer: JournalWriter) -> None:
        work = asyncio.create_task(self._all(writer))
        watch = asyncio.create_task(self._beat())
        try:
            await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                watch.result()
                raise RunCancelled
            work.result()
        finally:
            for task in (work, watch):
                task.cancel()
            with suppress(BaseException):
                await asyncio.gather(work, watch, return_exceptions=True)

    async def _beat(self) -> None:
        """Show that we live; return when someone asks the run to stop."""
        while not await self._patience(self.journal.beat, self.record.name):
            await asyncio.sleep(BEAT_SECONDS)

    async def _all(self, writer: JournalWriter) -> None:
        """All tasks; each evaluator has its own queue, so that a slow one keeps no other waiting."""
        queues: dict[str, list[TaskSource]] = {}
        for source in self.sources:
            queues.setdefault(source.task.evaluator, []).append(source)
        try:
            async with asyncio.TaskGroup() as group:
                for name, queue in queues.items():
                    client = self.evaluators.clients.get(name)
                    width = client.dispatch.tasks_open if client else 1
                    waiting = iter(queue)
                    for _ in range(min(width, len(queue))):
                        group.create_task(self._worker(waiting, writer))
        except BaseExceptionGroup as errors:
            # What the others raised while they were stopped says no more.
            raise errors.exceptions[0] from None

    async def _worker(self, waiting: object, writer: JournalWriter) -> None:
        for source in waiting:  # type: ignore[attr-defined]
            await self._task(source, writer)

    async def _task(self, source: TaskSource, writer: JournalWriter) -> None:
        task_id = source.task.task_id
        self._tell(writer, "task_started", task_id, source.label)

        async def planned(shards: int) -> None:
            self._counters["shards_total"] += shards

        async def shard_done(shard: ScoredShard) -> None:
            self._counters["shards_done"] += 1
            self._counters["shards_reused"] += bool(shard.reused and not shard.scored)
            self._tell(writer, "shard_done", task_id, "reused" if shard.reused and not shard.scored else "scored")

        violations = Violations(self.violations.root, VIOLATIONS_KEPT)
        memory = JournalMemory(self.record.name, self.journal, writer, self._patience)
        task = TaskRun(source, self.evaluators, memory, Progress(planned, shard_done), violations)
        outcome = await task.run()
        self._take(violations)
        self._outcomes[task_id] = outcome
        self._counters["tasks_done"] += 1
        writes = [self.journal.put_outcome(self.record.name, outcome)]
        if task.details is not None:
            writes.append(self.journal.put_details(self.record.name, task_id, task.details))
        await writer.put(*writes)
        self._tell(writer, "task_done", task_id, f"{outcome.status}{': ' + outcome.reason if outcome.reason else ''}")

    def _take(self, violations: Violations) -> None:
        self._violation_count += len(violations)
        self._kept += list(violations)[: VIOLATIONS_KEPT - len(self._kept)]

    def _tell(self, writer: JournalWriter, kind: str, task_id: str, message: str) -> None:
        counters = dict(self._counters)
        writer.post(self.journal.put_event(self.record.name, kind, task_id, message, counters))
        self.listener(EventRecord(0, self.record.name, time.time(), kind, task_id, message, counters))

    async def _end(self, writer: JournalWriter, state: RunState, message: str, result: RunResult | None) -> None:
        # The state goes first: whoever sees the last event finds the run ended.
        await self._patience(self.journal.finish, self.record.name, state, message, result)
        event = self.journal.put_event(self.record.name, "run_ended", "", str(state), dict(self._counters))
        await writer.put(event)
        self.listener(EventRecord(0, self.record.name, time.time(), "run_ended", "", str(state), dict(self._counters)))

    def _result(self) -> RunResult:
        tasks, levels = assess(self.catalogue, self._outcomes, self.sota)
        failed = [task for task in tasks if task.status is TaskStatus.FAILED]
        state = RunState.PROVISIONAL if failed or any(task.provisional for task in tasks) else RunState.SUCCEEDED
        return RunResult(
            name=self.record.name,
            model=self.record.spec.model,
            state=state,
            bundle=self.record.spec.bundle,
            references=self.record.spec.references,
            created=_iso(self.record.created),
            ended=_iso(time.time()),
            tasks=tasks,
            levels=levels,
            violations=tuple(self._kept),
            violation_count=self._violation_count,
            evaluators=dict(sorted(self.evaluators.versions.items())),
            message=f"{len(failed)} tasks failed" if failed else "",
            genlevel_version=__version__,
        )


def _iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
