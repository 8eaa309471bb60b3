"""Folding the states of a task's shards into its value, few at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator

from genlevel.v1 import evaluator_pb2 as pb
from genlevel_orchestrator.client import EvaluatorClient
from genlevel_orchestrator.runs.gate import Gate

_BATCH_BYTES = 48 << 20
"""States after which no more are added to a call; a message holds 64 MiB."""


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
        rounds[0].append(pb.MetricState.FromString(encoded))
        for level in range(len(rounds)):
            if not _full(rounds[level], fan_in):
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


def _full(states: list[pb.MetricState], fan_in: int) -> bool:
    return len(states) >= fan_in or (len(states) > 1 and sum(state.ByteSize() for state in states) > _BATCH_BYTES)


async def _combine(
    client: EvaluatorClient, gate: Gate, metric: pb.MetricSpec, states: list[pb.MetricState], last: pb.DetailSpec | None
) -> pb.CombineStatesResponse:
    """Merged states; with the details of their value where this is the ``last`` merging."""
    header = client.header(client.dispatch.budget_seconds)
    async with gate.pass_through():
        request = pb.CombineStatesRequest(header=header, metric=metric, states=states, finalize=last is not None, details=last)
        return await client.combine(request)
