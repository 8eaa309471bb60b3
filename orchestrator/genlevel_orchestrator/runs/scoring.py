"""Scoring one shard: from the journal if it is there, else by a call; halved when the evaluator cannot take it whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import sample_pb2
from genlevel_orchestrator.bundle.content import Sample
from genlevel_orchestrator.client import MAX_MESSAGE_BYTES, EvaluatorClient
from genlevel_orchestrator.failures import CallFailed, Failure, Kind
from genlevel_orchestrator.runs import wire
from genlevel_orchestrator.runs.carriage import NEAR, Carriage, Carrier, FilesLost
from genlevel_orchestrator.runs.details import ASKED
from genlevel_orchestrator.runs.gate import Gate
from genlevel_orchestrator.runs.media_store import FileChanged, MediaStore, changed
from genlevel_orchestrator.runs.plan import shard_key
from genlevel_orchestrator.runs.records import ShardRecord
from genlevel_orchestrator.runs.results import IssueRecord

DEATHS = 2
"""Dead replicas after which a shard is suspected."""
_LATE_HALVINGS = 3
"""How often a shard that is late is halved before the evaluator itself is held to be stuck."""
PASSING = frozenset({"JUDGE_UNAVAILABLE", "JUDGE_UNPARSABLE", "JUDGE_REFUSED"})
"""Issues of a service that the evaluator asks, which may be gone the next time: such a shard is scored again, and remembered anew."""
_SPLITTING = (Kind.DEAD, Kind.LARGE, Kind.LATE)
_SINGLE_ISSUES = {
    Kind.DEAD: ("EVALUATOR_CRASHED", "the evaluator died twice on this sample alone"),
    Kind.LARGE: ("SAMPLE_TOO_LARGE", "the sample is too large for the evaluator"),
    Kind.LATE: ("EVALUATOR_LATE", "the evaluator did not finish this sample within its budget"),
}


class Memory(Protocol):
    """What remembers shards: the journal, or the process."""

    async def find(self, key: str) -> ShardRecord | None:
        """A shard scored before, without its state."""

    async def keep(self, shard: ShardRecord) -> None:
        """Remember a shard; returns when it is safe."""

    async def state(self, key: str) -> bytes:
        """The state of a shard that was kept."""

    async def forget(self, keys: Sequence[str]) -> None:
        """Shards that were kept are to be scored again when they are next asked for."""


class ProcessMemory:
    """Remembers shards as long as the process lives."""

    def __init__(self) -> None:
        self._shards: dict[str, ShardRecord] = {}

    async def find(self, key: str) -> ShardRecord | None:
        """A shard scored before."""
        return self._shards.get(key)

    async def keep(self, shard: ShardRecord) -> None:
        """Remember a shard."""
        self._shards[shard.key] = shard

    async def state(self, key: str) -> bytes:
        """The state of a shard."""
        return self._shards[key].state or b""

    async def forget(self, keys: Sequence[str]) -> None:
        """Remember shards no longer."""
        for key in keys:
            self._shards.pop(key, None)


class PassingMemory(ProcessMemory):
    """Hands out each state once and keeps nothing of it: for states that are folded as they come."""

    async def state(self, key: str) -> bytes:
        """The state of a shard, which is forgotten."""
        return self._shards.pop(key).state or b""


@dataclass
class ScoredShard:
    """What became of a shard: the keys and values of its leaves, and the issues of its samples.

    Attributes:
        leaves: records whose states make up the shard, in sample order; the states themselves lie in the memory.
        issues: of all its samples.
        scored: leaves scored by a call; ``reused``: leaves found in the memory.
    """

    leaves: list[ShardRecord] = field(default_factory=list)
    issues: list[IssueRecord] = field(default_factory=list)
    scored: int = 0
    reused: int = 0

    def add(self, other: ScoredShard) -> None:
        """Append the second half."""
        self.leaves += other.leaves
        self.issues += other.issues
        self.scored += other.scored
        self.reused += other.reused


@dataclass
class ShardScorer:
    """Scores shards of one task.

    Attributes:
        signature: digest that the evaluator's signature must have.
        gate: shared by all that call this evaluator.
        store: where files are put for an evaluator that does not share ours.
        details: what a value should carry.
    """

    client: EvaluatorClient
    metric: str
    parameters: Mapping[str, Any]
    signature: str
    gate: Gate
    memory: Memory = field(default_factory=ProcessMemory)
    store: MediaStore | None = None
    details: pb.DetailSpec = field(default_factory=lambda: ASKED)

    @property
    def carrier(self) -> Carrier:
        """What brings files to the evaluator."""
        return Carrier(self.client.name, not self.client.endpoint.remote, self.store)

    async def score(self, samples: Sequence[Sample], finalize: bool = False) -> ScoredShard:
        """Score a shard.

        Raises:
            CallFailed: the evaluator cannot be had, or refuses.
        """
        return await self._score(samples, finalize, suspect=False, late=0)

    async def _score(self, samples: Sequence[Sample], finalize: bool, suspect: bool, late: int) -> ScoredShard:
        key = shard_key(self.client.name, self.signature, (sample.digest() for sample in samples))
        known = await self.memory.find(key)
        if known is not None and any(issue.code in PASSING for issue in known.issues):
            known = None
        if known is not None and known.parts:
            return await self._halves(samples, suspect, late)
        if known is not None:
            return ScoredShard([known], list(known.issues), reused=1)
        try:
            response = await self._delivered(samples, finalize, suspect)
        except CallFailed as error:
            return await self._survive(error, samples, suspect, late, key)
        record = self._record(key, samples, response)
        await self.memory.keep(record)
        return ScoredShard([replace(record, state=None)], list(record.issues), scored=1)

    async def _survive(
        self, error: CallFailed, samples: Sequence[Sample], suspect: bool, late: int, key: str
    ) -> ScoredShard:
        """Halve a shard that failed whole; note a single sample that did."""
        kind = error.failure.kind
        if kind not in _SPLITTING or not samples or (kind is Kind.LATE and late >= _LATE_HALVINGS):
            raise error
        if len(samples) == 1 and (suspect or kind is not Kind.DEAD):
            code, message = _SINGLE_ISSUES[kind]
            remedy = error.failure.remedy or "look at the sample's files; the evaluator's log says more"
            issue = IssueRecord(samples[0].key, code, "infrastructure", f"{message} ({error.failure.message})", remedy)
            # Not journalled: what an evaluator could not do today it may do tomorrow.
            return ScoredShard([], [issue], scored=1)
        if len(samples) == 1:
            return await self._score(samples, False, True, late)
        result = await self._halves(samples, suspect or kind is Kind.DEAD, late + (kind is Kind.LATE))
        middle = len(samples) // 2
        parts = tuple(
            shard_key(self.client.name, self.signature, (sample.digest() for sample in half))
            for half in (samples[:middle], samples[middle:])
        )
        await self.memory.keep(ShardRecord(key, self.client.name, self.signature, len(samples), None, (), None, parts))
        return result

    async def _halves(self, samples: Sequence[Sample], suspect: bool, late: int) -> ScoredShard:
        middle = len(samples) // 2
        result = ScoredShard()
        for half in (samples[:middle], samples[middle:]):
            result.add(await self._score(half, False, suspect, late))
        return result

    async def _delivered(self, samples: Sequence[Sample], finalize: bool, suspect: bool) -> pb.EvaluateShardResponse:
        """The answer to a shard whose files all arrived."""
        try:
            return await self._arrived(samples, finalize, suspect)
        except FilesLost:
            if self.store is None or self.carrier.near:
                raise
            # What was removed from the store meanwhile can be put there again.
            return await self._arrived(samples, finalize, suspect, anew=True)

    async def _arrived(
        self, samples: Sequence[Sample], finalize: bool, suspect: bool, anew: bool = False
    ) -> pb.EvaluateShardResponse:
        carriage = await self.carrier.load(samples, anew)
        async with self.gate.pass_through(alone=suspect):
            response = await self._evaluate(samples, finalize, carriage)
        await self.carrier.check(response.issues, samples)
        return response

    async def _evaluate(
        self, samples: Sequence[Sample], finalize: bool, carriage: Carriage = NEAR
    ) -> pb.EvaluateShardResponse:
        request = pb.EvaluateShardRequest(
            header=self.client.header(self.client.dispatch.budget_seconds), metric=self.spec(), finalize=finalize,
            details=self.details if finalize else None,
        )
        try:
            messages = await asyncio.to_thread(lambda: [wire.sample_message(sample, carriage) for sample in samples])
        except FileChanged as error:
            raise self.carrier.changed([error.name]) from None
        if carriage.blobs:
            response = await self._stream(request, messages, carriage)
        else:
            request.samples.extend(messages)
            if (size := request.ByteSize()) > MAX_MESSAGE_BYTES:
                failure = Failure(Kind.LARGE, "MESSAGE_TOO_LARGE", f"the shard has {size} bytes", "keep media in files of their own")
                raise CallFailed(self.client.name, failure)
            response = await self.client.evaluate(request, DEATHS)
        self._same_signature(response.signature.digest)
        return response

    async def _stream(
        self, request: pb.EvaluateShardRequest, messages: Sequence[sample_pb2.Sample], carriage: Carriage
    ) -> pb.EvaluateShardResponse:
        files = list(carriage.blobs.values())

        def parts() -> AsyncIterator[pb.EvaluateShardStreamRequest]:
            return wire.stream(request, messages, files)

        try:
            return await self.client.evaluate(request, DEATHS, parts)
        except CallFailed:
            if names := await asyncio.to_thread(changed, files):
                raise self.carrier.changed(names) from None
            raise

    def spec(self) -> pb.MetricSpec:
        """The metric as a message."""
        return pb.MetricSpec(metric=self.metric, parameters=wire.struct(self.parameters))

    def _same_signature(self, digest: str) -> None:
        if self.signature and digest != self.signature:
            failure = Failure(
                Kind.REFUSED, "SIGNATURE_CHANGED", f"{self.metric} was updated during the run", "resume the run: what is scored already is kept"
            )
            raise CallFailed(self.client.name, failure)

    def _record(self, key: str, samples: Sequence[Sample], response: pb.EvaluateShardResponse) -> ShardRecord:
        value = response.value.SerializeToString(deterministic=True) if response.HasField("value") else None
        issues = tuple(wire.issue_record(issue) for issue in response.issues)
        state = response.state.SerializeToString(deterministic=True)
        return ShardRecord(key, self.client.name, self.signature, len(samples), state, issues, value)


async def probe_signature(client: EvaluatorClient, metric: str, parameters: Mapping[str, Any]) -> pb.Signature:
    """The signature of a metric under parameters: what an empty shard answers. It is known before anything is scored, so keys can
    be made of it.

    Raises:
        CallFailed: the evaluator cannot be had, or refuses the parameters.
    """
    scorer = ShardScorer(client, metric, parameters, "", Gate(1))
    response = await scorer._evaluate([], finalize=False)
    return response.signature
