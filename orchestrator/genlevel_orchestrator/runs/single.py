"""One metric on one file of samples, without a run and without a journal."""

from __future__ import annotations

import asyncio
import json
import math
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genlevel.v1 import evaluator_pb2 as pb
from genlevel_orchestrator.bundle.content import Sample
from genlevel_orchestrator.bundle.lines import SampleLines
from genlevel_orchestrator.catalogue.names import nearest
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.failures import CallFailed, Kind
from genlevel_orchestrator.runs import wire
from genlevel_orchestrator.runs.details import LEFT_OUT
from genlevel_orchestrator.runs.evaluators import Mode, open_evaluators
from genlevel_orchestrator.runs.folding import fold
from genlevel_orchestrator.runs.plan import DEFAULT_SHARD_SAMPLES, SHARD_BYTES, SHARD_SAMPLES, MetricFacts
from genlevel_orchestrator.runs.results import IssueRecord, ValueRecord, to_plain
from genlevel_orchestrator.runs.scoring import PassingMemory, ScoredShard, ShardScorer, probe_signature
from genlevel_orchestrator.runs.service import temporary_work
from genlevel_orchestrator.runs.tasks import Evaluators
from genlevel_orchestrator.settings import Settings

_Batch = tuple[list[Sample], list[IssueRecord], bool]


@dataclass(frozen=True)
class MetricRequest:
    """What to score.

    Attributes:
        root: folder that media may lie in; the folder of ``samples`` by default.
        sample_scores: file for the value of each sample, as JSON lines.
    """

    metric: str
    evaluator: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    samples: Path = Path()
    root: Path | None = None
    sample_scores: Path | None = None


async def score_file(settings: Settings, request: MetricRequest, mode: Mode) -> dict[str, Any]:
    """The value of a metric over a file of samples, as ``genlevel metric --json`` prints it.

    Raises:
        UserError: the file has bad lines, the evaluator cannot be had, or it refuses the parameters.
    """
    if not request.samples.is_file():
        raise UserError(f"{request.samples}: no such file", "Give a file of sample lines.")
    if request.sample_scores is not None:
        _check_target(request.sample_scores, request.samples)
    root = (request.root or request.samples.parent).resolve()
    with temporary_work() as work:
        async with open_evaluators(settings, [request.evaluator], [root], mode, Path(work) / "evaluators.log") as evaluators:
            await evaluators.described(request.evaluator)
            facts = _facts(evaluators, request)
            if request.sample_scores is not None and facts.form.set_metric:
                raise _without_scores(request.metric)
            try:
                return await _score(evaluators, request, facts, root)
            except CallFailed as error:
                raise _explained(error) from None


def _check_target(path: Path, samples: Path) -> None:
    """Refuse, before hours of scoring, a place that cannot be written or that would cost the user the samples."""
    remedy = "Choose another file with --sample-scores."
    if path.exists() and path.samefile(samples):
        raise UserError(f"{path} holds the samples and would be written over", remedy)
    if path.is_dir() or not path.parent.is_dir():
        raise UserError(f"{path} cannot be written (it is a folder, or its folder does not exist)", remedy)


def _facts(evaluators: Evaluators, request: MetricRequest) -> MetricFacts:
    name = request.evaluator
    if name in evaluators.absent:
        code = ExitCode.PREREQUISITE_MISSING if evaluators.absent[name] == "not installed" else ExitCode.UNREACHABLE
        raise UserError(f"evaluator {name}: {evaluators.absent[name]}", "Install or start it, or correct the settings.", code)
    facts = evaluators.metrics.get((name, request.metric))
    if facts is None:
        offered = [metric for owner, metric in evaluators.metrics if owner == name]
        near = nearest(request.metric, offered) or sorted(offered)
        raise UserError(f"evaluator {name} has no metric {request.metric!r}", f"It has, among others, {', '.join(near[:5])}.")
    return facts


def _explained(error: CallFailed) -> UserError:
    failure = error.failure
    codes = dict.fromkeys(("FAILED_PRECONDITION", "WEIGHTS_MISSING", "WEIGHTS_DIGEST_MISMATCH"), ExitCode.PREREQUISITE_MISSING)
    code = ExitCode.UNREACHABLE if failure.kind.retryable else codes.get(failure.reason, ExitCode.BAD_INPUT)
    if failure.kind in (Kind.OURS, Kind.LATE):
        code = ExitCode.TASKS_FAILED
    # The details already end with the remedy.
    message = failure.message.removesuffix(f"; {failure.remedy}") if failure.remedy else failure.message
    return UserError(f"{error.evaluator}: {message}", failure.remedy or None, code, details={"reason": failure.reason})


async def _score(
    evaluators: Evaluators, request: MetricRequest, facts: MetricFacts, root: Path
) -> dict[str, Any]:
    lines = SampleLines(request.samples, root, facts.form)
    await asyncio.to_thread(lines.check)
    client, gate = evaluators.clients[request.evaluator], evaluators.gates[request.evaluator]
    signature = await probe_signature(client, request.metric, request.parameters)
    asked = pb.DetailSpec(worst=10, scores=request.sample_scores is not None, keys=request.sample_scores is not None)
    scorer = ShardScorer(
        client, request.metric, request.parameters, signature.digest, gate, store=evaluators.store, details=asked, memory=PassingMemory(),
    )  # fmt: skip
    issues: list[IssueRecord] = []
    async with aclosing(_shards(scorer, _batches(lines, facts.form.kind), issues)) as shards:
        value = await _value(scorer, shards)
    if request.sample_scores is not None:
        await asyncio.to_thread(_write_scores, request.sample_scores, request.metric, value)
    return _document(request, wire.value_record(value), issues)


async def _value(scorer: ShardScorer, shards: AsyncIterator[ScoredShard]) -> pb.MetricValue:
    """The value of all shards; their states are folded as they come, so that none waits in memory for the last."""
    first = await anext(shards)
    if len(first.leaves) == 1 and first.leaves[0].value is not None:
        return pb.MetricValue.FromString(first.leaves[0].value)

    async def states() -> AsyncIterator[bytes]:
        count = 0
        for leaf in first.leaves:
            count += 1
            yield await scorer.memory.state(leaf.key)
        async for shard in shards:
            for leaf in shard.leaves:
                count += 1
                yield await scorer.memory.state(leaf.key)
        if not count:
            (leaf,) = (await scorer.score([])).leaves
            yield await scorer.memory.state(leaf.key)

    return await fold(scorer.client, scorer.gate, scorer.spec(), states(), scorer.details)


async def _shards(scorer: ShardScorer, batches: Iterator[_Batch], issues: list[IssueRecord]) -> AsyncGenerator[ScoredShard, None]:
    """The batches scored, in order, a few at a time, so that lines are read while the evaluator works. A single one has its value, too."""
    waiting: deque[tuple[list[IssueRecord], asyncio.Task[ScoredShard]]] = deque()
    more, alone = True, True
    try:
        while more or waiting:
            if more:
                samples, noted, last = await asyncio.to_thread(next, batches)
                more = not last
                waiting.append((noted, asyncio.create_task(scorer.score(samples, finalize=last and alone))))
                alone = False
            if not more or len(waiting) > scorer.client.dispatch.in_flight:
                noted, task = waiting.popleft()
                scored = await task
                issues += [*noted, *scored.issues]
                yield scored
    finally:
        for _, task in waiting:
            task.cancel()
        await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)


def _write_scores(path: Path, metric: str, value: pb.MetricValue) -> None:
    details = value.details
    if details.samples and not details.scores:
        if LEFT_OUT not in value.warnings:
            raise _without_scores(metric)
        raise UserError(f"{details.samples} samples are too many for --sample-scores", "Leave --sample-scores out, or score fewer samples.")
    lines = (json.dumps({"id": key, "value": _number(score)}, ensure_ascii=False) for key, score in zip(details.keys, details.scores, strict=True))
    try:
        path.write_bytes("".join(line + "\n" for line in lines).encode("utf-8", "surrogatepass"))
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error})", "Choose another file with --sample-scores.") from None


def _without_scores(metric: str) -> UserError:
    return UserError(f"{metric} has no value for one sample alone", "Leave --sample-scores out.")


def _batches(lines: SampleLines, kind: str) -> Iterator[_Batch]:
    """Samples in shards, each with whether it is the last."""
    count = SHARD_SAMPLES.get(kind, DEFAULT_SHARD_SAMPLES)
    batch: list[Sample] = []
    issues: list[IssueRecord] = []
    size = 0
    for sample, noted in lines.samples():
        if len(batch) >= count or size > SHARD_BYTES:
            yield batch, issues, False
            batch, issues, size = [], [], 0
        issues += noted
        if sample is not None:
            batch.append(sample)
            size += 200 + sum(len(str(side.text or side.json)) for side in (sample.prediction, *sample.references) if side)
    yield batch, issues, True


def _document(request: MetricRequest, value: ValueRecord, issues: list[IssueRecord]) -> dict[str, Any]:
    document: dict[str, Any] = {
        "metric": request.metric,
        "value": _number(value.value),
        "reason": value.reason,
        "unit": value.unit,
        "signature": value.signature.text,
        "n": value.expected,
        "present": value.present,
        "excluded": value.excluded,
        "comparable": value.comparable,
        "interval": to_plain(value.interval),
        "companions": to_plain(value.companions),
        "warnings": list(value.warnings),
        "worst": [{"id": item.sample_id, "value": _number(item.value)} for item in value.worst],
        "issues": [to_plain(issue) for issue in issues],
    }
    return document


def _number(value: float | None) -> float | str | None:
    """A number as JSON has it: infinity in a word, what is undefined as null."""
    if value is None or math.isnan(value):
        return None
    return value if math.isfinite(value) else "inf" if value > 0 else "-inf"
