"""Folding the states of a task's shards into its value, few at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator

from genlevel.v1 import evaluator_pb2 as pb
from genlevel_orchestrator.client import EvaluatorClient
from genlevel_orchestrator.runs.gate import Gate

_BATCH_BYTES = 48 << 20
"""States of one call; a message holds 64 MiB."""


async def fold(
    client: EvaluatorClient, gate: Gate, metric: pb.MetricSpec, states: AsyncIterator[bytes], details: pb.DetailSpec
) -> pb.MetricValue:
    """The value of a task whose shards' states come in shard order.

    Raises:
        CallFailed: the evaluator cannot be had, or refuses.
    """
    batch: list[pb.MetricState] = []
    size = 0
    async for encoded in states:
        full = len(batch) >= client.dispatch.combine_fan_in or (len(batch) > 1 and size + len(encoded) > _BATCH_BYTES)
        if full:
            batch = [(await _combine(client, gate, metric, batch, None)).state]
            size = batch[0].ByteSize()
        batch.append(pb.MetricState.FromString(encoded))
        size += len(encoded)
    if len(batch) == 1:
        async with gate.pass_through():
            header = client.header(client.dispatch.budget_seconds)
            request = pb.FinalizeMetricRequest(header=header, metric=metric, state=batch[0], details=details)
            return (await client.finalize(request)).value
    return (await _combine(client, gate, metric, batch, details)).value


async def _combine(
    client: EvaluatorClient, gate: Gate, metric: pb.MetricSpec, states: list[pb.MetricState], last: pb.DetailSpec | None
) -> pb.CombineStatesResponse:
    """Merged states; with the details of their value where this is the ``last`` merging."""
    header = client.header(client.dispatch.budget_seconds)
    async with gate.pass_through():
        request = pb.CombineStatesRequest(header=header, metric=metric, states=states, finalize=last is not None, details=last)
        return await client.combine(request)
