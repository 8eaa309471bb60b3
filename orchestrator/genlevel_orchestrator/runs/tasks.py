"""Scoring one task of a bundle, from its files to its value."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from genlevel.v1 import evaluator_pb2 as pb
from genlevel_orchestrator.bundle.content import Reader, Sample
from genlevel_orchestrator.bundle.layout import TaskSource
from genlevel_orchestrator.bundle.samples import FileFault, TaskSamples
from genlevel_orchestrator.bundle.violations import Violations
from genlevel_orchestrator.client import EvaluatorClient
from genlevel_orchestrator.failures import CallFailed
from genlevel_orchestrator.runs import wire
from genlevel_orchestrator.runs.details import SampleDetails, of_message
from genlevel_orchestrator.runs.folding import BAD_STATE, fold
from genlevel_orchestrator.runs.gate import Gate
from genlevel_orchestrator.runs.media_store import MediaStore
from genlevel_orchestrator.runs.plan import MetricFacts, TaskPlan, cut, plan_task
from genlevel_orchestrator.runs.results import ISSUES_KEPT, IssueRecord, TaskOutcome, TaskStatus, ValueRecord
from genlevel_orchestrator.runs.scoring import Memory, ScoredShard, ShardScorer, probe_signature

_PREFETCH = 2
"""Shards of a task read ahead of those that are being scored."""


@dataclass
class Evaluators:
    """The evaluators at hand.

    Attributes:
        clients: by name.
        metrics: what they offer, by (evaluator, metric).
        absent: why one that should be there is not, by name.
        versions: of those that answered.
        store: where files are put for those that do not share ours.
    """

    clients: dict[str, EvaluatorClient] = field(default_factory=dict)
    metrics: dict[tuple[str, str], MetricFacts] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    gates: dict[str, Gate] = field(default_factory=dict)
    store: MediaStore | None = None
    _signatures: dict[str, asyncio.Future[pb.Signature]] = field(default_factory=dict)
    _describing: dict[str, asyncio.Future[None]] = field(default_factory=dict)

    def describe(self) -> None:
        """Begin to ask every client what it is; those that do not answer are noted as absent. One that is missing holds up no other."""
        for name, client in self.clients.items():
            self.gates[name] = Gate(client.dispatch.in_flight)
            self._describing[name] = asyncio.ensure_future(self._describe(name, client))

    async def described(self, name: str) -> None:
        """Wait until an evaluator has said what it is, or is known to be absent."""
        if name in self._describing:
            await asyncio.shield(self._describing[name])

    async def _describe(self, name: str, client: EvaluatorClient) -> None:
        try:
            described = await client.describe()
        except CallFailed as error:
            self.absent[name] = f"{error.failure.message}; {error.failure.remedy}".rstrip("; ")
            return
        if described.evaluator != name:
            self.absent[name] = f"{client.endpoint.target} is evaluator {described.evaluator!r}"
            return
        self.versions[name] = described.version
        for metric in described.metrics:
            self.metrics[name, metric.metric] = wire.metric_facts(name, metric)

    async def signature(self, plan: TaskPlan) -> pb.Signature:
        """The signature of a plan's metric; asked for once."""
        assert plan.facts is not None
        name = plan.facts.evaluator
        key = f"{name} {plan.facts.metric} {sorted(plan.parameters.items())!r}"
        if key not in self._signatures:
            work = probe_signature(self.clients[name], plan.facts.metric, plan.parameters)
            self._signatures[key] = asyncio.ensure_future(work)
        return await asyncio.shield(self._signatures[key])

    async def close(self) -> None:
        """Close all channels."""
        futures: list[asyncio.Future[Any]] = [*self._signatures.values(), *self._describing.values()]
        for future in futures:
            future.cancel()
        await asyncio.gather(*(client.close() for client in self.clients.values()), return_exceptions=True)


@dataclass(frozen=True)
class Progress:
    """What a task tells while it is at work.

    Attributes:
        planned: called with the number of its shards.
        shard: called when a shard is done, with how many leaves were scored and reused.
    """

    planned: Callable[[int], Awaitable[None]]
    shard: Callable[[ScoredShard], Awaitable[None]]


@dataclass
class TaskRun:
    """One task at work.

    Attributes:
        details: what lies behind its value, once it has one.
    """

    source: TaskSource
    evaluators: Evaluators
    memory: Memory
    progress: Progress
    violations: Violations
    details: SampleDetails | None = None
    _issues: list[IssueRecord] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _severities: Counter[str] = field(default_factory=Counter)
    _scored: int = 0
    _reused: int = 0

    async def run(self) -> TaskOutcome:
        """Score the task. Whatever goes wrong becomes part of the outcome."""
        begun = time.monotonic()
        try:
            outcome = await self._run()
        except CallFailed as error:
            outcome = self._failed(f"{error.failure.reason}: {error.failure.message}; {error.failure.remedy}".rstrip("; "))
        except FileFault as fault:
            outcome = self._file_fault(fault)
        return replace(outcome, seconds=round(time.monotonic() - begun, 3))

    async def _run(self) -> TaskOutcome:
        task = self.source.task
        samples = TaskSamples(self.source)
        await self.evaluators.described(task.evaluator)
        if (task.evaluator, task.metric_id) not in self.evaluators.metrics:
            return self._not_scorable()
        await asyncio.to_thread(samples.load, self.violations)
        plan = plan_task(task, self.evaluators.metrics, samples.envelope)
        assert plan.facts is not None
        signature = await self.evaluators.signature(plan)
        client = self.evaluators.clients[task.evaluator]
        scorer = ShardScorer(
            client, task.metric_id, plan.parameters, signature.digest, self.evaluators.gates[task.evaluator], self.memory,
            self.evaluators.store,
        )  # fmt: skip
        ranges = cut(samples.sizes(), plan.facts.form.kind)
        await self.progress.planned(len(ranges))
        reader = self._reader(samples, plan)
        shards = await self._score_all(scorer, samples, reader, ranges)
        value = await self._value(scorer, shards)
        if value.HasField("details"):
            self.details = of_message(signature.digest, value.details)
        return self._outcome(wire.value_record(value), len(samples.keys))

    def _reader(self, samples: TaskSamples, plan: TaskPlan) -> Reader:
        assert plan.facts is not None
        assert self.source.annotation is not None
        names = (self.violations.shown(self.source.predictions), self.violations.shown(self.source.annotation))
        return Reader(
            plan.facts.form, self.source.prediction_base, self.source.reference_base, str(samples.envelope.get("type", "")), names,
            frozenset(samples.excluded), samples.envelope,
        )  # fmt: skip

    async def _score_all(
        self, scorer: ShardScorer, samples: TaskSamples, reader: Reader, ranges: list[tuple[int, int]]
    ) -> list[ScoredShard]:
        """Score all shards, a bounded number in memory at a time."""
        window = asyncio.Semaphore(scorer.client.dispatch.in_flight + _PREFETCH)
        results: list[ScoredShard | None] = [None] * len(ranges)

        async def one(index: int) -> None:
            try:
                batch, issues = await asyncio.to_thread(_read, samples, reader, *ranges[index])
                self._note(issues)
                results[index] = shard = await scorer.score(batch, finalize=len(ranges) == 1)
                self._note(shard.issues)
                self._scored += shard.scored
                self._reused += shard.reused
                await self.progress.shard(shard)
            finally:
                window.release()

        try:
            async with asyncio.TaskGroup() as group:
                for index in range(len(ranges)):
                    await window.acquire()
                    group.create_task(one(index))
        except BaseExceptionGroup as errors:
            # One shard that failed ends the task; what the others raised while they were stopped says no more.
            raise errors.exceptions[0] from None
        return [shard for shard in results if shard is not None]

    async def _value(self, scorer: ShardScorer, shards: list[ScoredShard]) -> pb.MetricValue:
        leaves = [leaf for shard in shards for leaf in shard.leaves]
        if len(leaves) == 1 and leaves[0].value is not None:
            known = pb.MetricValue.FromString(leaves[0].value)
            # What an older version journalled has no details; they are made of its state.
            if known.HasField("details") or not self._reused:
                return known
        if not leaves:
            leaves = (await scorer.score([])).leaves

        async def states() -> AsyncIterator[bytes]:
            for leaf in leaves:
                yield await scorer.memory.state(leaf.key)

        try:
            return await fold(scorer.client, scorer.gate, scorer.spec(), states(), scorer.details)
        except CallFailed as error:
            if error.failure.reason != BAD_STATE:
                raise
            # Which of them it was is not known; kept, they would fail every later run too.
            await scorer.memory.forget([leaf.key for leaf in leaves])
            message = error.failure.message.removesuffix(f"; {error.failure.remedy}")
            failure = replace(error.failure, message=message, remedy="resume the run: the shards of this task are scored again")
            raise CallFailed(error.evaluator, failure) from None

    def _note(self, issues: list[IssueRecord]) -> None:
        for issue in issues:
            self._counts[issue.code] += 1
            self._severities[issue.severity] += 1
            if len(self._issues) < ISSUES_KEPT:
                self._issues.append(issue)

    def _outcome(self, value: ValueRecord, samples: int) -> TaskOutcome:
        status = TaskStatus.SCORED if value.value is not None else TaskStatus.UNDEFINED
        hurt = self._severities["reference"] + self._severities["infrastructure"]
        reason = value.reason
        if self._severities["infrastructure"] and not value.present:
            value = replace(value, value=None, interval=None)  # what is left are missing predictions: their 0 would be no score of the others
        if value.value is None and hurt:
            status, reason = TaskStatus.FAILED, f"no sample could be scored ({', '.join(sorted(self._counts))})"
        elif hurt:
            reason = f"{hurt} of {samples} samples were left out for reasons that are not the model's"
        return self._make(status, reason, value, bool(hurt), samples)

    def _make(
        self, status: TaskStatus, reason: str, value: ValueRecord | None = None, provisional: bool = False, samples: int = 0
    ) -> TaskOutcome:
        task = self.source.task
        kept = tuple(sorted(self._issues, key=lambda issue: (len(issue.sample_id), issue.sample_id, issue.code)))
        return TaskOutcome(
            task.task_id, status, task.evaluator, task.metric_id, value, reason=reason, provisional=provisional, issues=kept,
            issue_counts=dict(sorted(self._counts.items())), samples=samples, shards=self._scored + self._reused,
            shards_reused=self._reused,
        )  # fmt: skip

    def _failed(self, reason: str) -> TaskOutcome:
        return self._make(TaskStatus.FAILED, reason, provisional=True)

    def _not_scorable(self) -> TaskOutcome:
        task = self.source.task
        if task.evaluator in self.evaluators.absent:
            return self._failed(f"EVALUATOR_ABSENT: {self.evaluators.absent[task.evaluator]}")
        return self._make(TaskStatus.NOT_SCORABLE, f"evaluator {task.evaluator} has no metric {task.metric_id}")

    def _file_fault(self, error: FileFault) -> TaskOutcome:
        """Predictions that cannot be read were not submitted; an annotation that cannot be read is not the model's fault."""
        path = self.source.predictions if error.side == "predictions" else self.source.annotation
        fault, file = error.fault, path or f"{self.source.label}/{error.side}"
        self.violations.fault(file, fault, task_id=self.source.task.task_id)
        reason = f"{self.violations.shown(file)}: {fault.message}"
        if error.side == "predictions" and fault.code != "FILE_CHANGED":
            return self._make(TaskStatus.NOT_SUBMITTED, reason)
        return self._failed(reason)


def _read(samples: TaskSamples, reader: Reader, first: int, last: int) -> tuple[list[Sample], list[IssueRecord]]:
    batch: list[Sample] = []
    noted: list[IssueRecord] = []
    for raw in samples.read(first, last):
        sample, issues = reader.read(raw)
        noted += issues
        if sample is not None:
            batch.append(sample)
    return batch, noted
