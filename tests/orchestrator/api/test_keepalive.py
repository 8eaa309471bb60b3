"""The server lets its own clients ask whether it lives: a wrong option name would end long watches with `too_many_pings`."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from genlevel_orchestrator.api.client import _OPTIONS as CLIENT_OPTIONS
from genlevel_orchestrator.api.server import OPTIONS as SERVER_OPTIONS

FASTER = 50
"""Both intervals are divided by this, so that a minute and a half of silence takes two seconds."""


def _faster(options: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [(name, value // FASTER if "ping_interval" in name or "keepalive_time_ms" in name else value) for name, value in options]


async def _silent_watch(server_options: list[tuple[str, Any]]) -> grpc.StatusCode | None:
    """Follow a stream that says nothing for two seconds; returns how it was cut off, or None."""
    server = grpc.aio.server(options=server_options)
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=_faster(list(CLIENT_OPTIONS)))
    try:
        call = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        await call.read()
        silence = asyncio.ensure_future(call.read())
        done, _ = await asyncio.wait([silence], timeout=4.0)
        if not done:
            silence.cancel()
            return None
        error = silence.exception()
        assert isinstance(error, grpc.aio.AioRpcError)
        return error.code()
    finally:
        await channel.close()
        await server.stop(0)


def test_a_silent_watch_is_not_cut_off() -> None:
    assert asyncio.run(_silent_watch(_faster(SERVER_OPTIONS))) is None


def test_without_the_option_it_would_be() -> None:
    without = [option for option in SERVER_OPTIONS if "ping_interval" not in option[0]]
    assert asyncio.run(_silent_watch(_faster(without))) is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("name", ["grpc.keepalive_time_ms", "grpc.http2.max_pings_without_data"])
def test_the_client_asks(name: str) -> None:
    assert name in dict(CLIENT_OPTIONS)
