"""Folding the states of a task's shards into its value, few at a time."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import IO

from google.protobuf.message import DecodeError

from genlevel.v1 import evaluator_pb2 as pb
from genlevel_orchestrator.client import EvaluatorClient
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.failures import CallFailed, Failure, Kind
from genlevel_orchestrator.runs.gate import Gate

_BATCH_BYTES = 40 << 20
"""Bytes of states that are merged by calls; a message holds 64 MiB, and what is merged may pack less well. More are streamed."""
_UNPACKED_BYTES = 1 << 30
"""The same of what they are when they are read; an evaluator reads 2 GiB in one call."""
_HEAD = 8
BAD_STATE = "BAD_STATE"
"""Reason of an evaluator that cannot read a state, such as one of a version that is too old or too new for it."""


async def fold(
    client: EvaluatorClient, gate: Gate, metric: pb.MetricSpec, states: AsyncIterator[bytes], details: pb.DetailSpec
) -> pb.MetricValue:
    """The value of a task whose shards' states come in shard order.

    Raises:
        CallFailed: the evaluator cannot be had, or refuses.
    """
    fan_in = client.dispatch.combine_fan_in
    # Merged in rounds, each of the results of the one before, so that no state is sent more often than there are rounds.
    rounds: list[list[pb.MetricState]] = [[]]
    async for encoded in states:
        rounds[0].append(_parsed(encoded, client))
        waiting = [state for level in rounds for state in level]
        if sum(state.ByteSize() for state in waiting) > _BATCH_BYTES or sum(map(_unpacked, waiting)) > _UNPACKED_BYTES:
            return await _streamed(client, gate, metric, rounds, states, details)
        for level in range(len(rounds)):
            if len(rounds[level]) < fan_in:
                break
            if level + 1 == len(rounds):
                rounds.append([])
            rounds[level + 1].append((await _combine(client, gate, metric, rounds[level], None)).state)
            rounds[level] = []
    batch: list[pb.MetricState] = []
    for left in rounds:  # the late and small ones first
        batch = [*left, *batch]
        while len(batch) > fan_in:
            batch = [*batch[:-fan_in], (await _combine(client, gate, metric, batch[-fan_in:], None)).state]
    if len(batch) == 1:
        async with gate.pass_through():
            header = client.header(client.dispatch.budget_seconds)
            request = pb.FinalizeMetricRequest(header=header, metric=metric, state=batch[0], details=details)
            return (await client.finalize(request)).value
    return (await _combine(client, gate, metric, batch, details)).value


async def _streamed(
    client: EvaluatorClient, gate: Gate, metric: pb.MetricSpec, rounds: list[list[pb.MetricState]], more: AsyncIterator[bytes],
    details: pb.DetailSpec,
) -> pb.MetricValue:
    """The value of states that no message holds together. They wait in a file, since a call may have to be repeated."""
    with tempfile.TemporaryFile(prefix="genlevel-states-") as file:
        try:
            for level in rounds:
                for state in level:
                    _append(file, state.SerializeToString())
                level.clear()
            async for encoded in more:
                _parsed(encoded, client)
                await asyncio.to_thread(_append, file, encoded)
            file.flush()
        except OSError as error:
            raise UserError(f"states cannot be written to {tempfile.gettempdir()}: {error.strerror}", "Make room there, or set TMPDIR.") from None

        async def parts() -> AsyncIterator[pb.FinalizeStatesRequest]:
            header = client.header(client.dispatch.budget_seconds)
            yield pb.FinalizeStatesRequest(start=pb.FinalizeMetricRequest(header=header, metric=metric, details=details))
            file.seek(0)
            while head := file.read(_HEAD):
                yield pb.FinalizeStatesRequest(state=pb.MetricState.FromString(file.read(int.from_bytes(head, "little"))))

        async with gate.pass_through():
            return (await client.finalize_states(parts)).value


def _parsed(encoded: bytes, client: EvaluatorClient) -> pb.MetricState:
    try:
        return pb.MetricState.FromString(encoded)
    except DecodeError:
        raise CallFailed(client.name, Failure(Kind.REFUSED, BAD_STATE, "a state of the journal is damaged", "score the shard again")) from None


def _unpacked(state: pb.MetricState) -> int:
    """Bytes of its columns that are compressed."""
    return sum(column.size for column in (state.key_column, *state.columns))


def _append(file: IO[bytes], state: bytes) -> None:
    file.write(len(state).to_bytes(_HEAD, "little") + state)


async def _combine(
    client: EvaluatorClient, gate: Gate, metric: pb.MetricSpec, states: list[pb.MetricState], last: pb.DetailSpec | None
) -> pb.CombineStatesResponse:
    """Merged states; with the details of their value where this is the ``last`` merging."""
    header = client.header(client.dispatch.budget_seconds)
    async with gate.pass_through():
        request = pb.CombineStatesRequest(header=header, metric=metric, states=states, finalize=last is not None, details=last)
        return await client.combine(request)
