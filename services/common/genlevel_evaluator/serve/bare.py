"""The evaluators on bare grpc.aio servers: for tests, small set-ups and callers without Ray.

`python -m genlevel_evaluator.serve.bare --only language --roots DIR` prints one JSON line with the endpoints, serves on loopback, and
ends when its standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from genlevel.v1 import evaluator_pb2_grpc
from genlevel_evaluator.evaluator import Evaluator, installed, load
from genlevel_evaluator.handlers import MAX_MESSAGE_BYTES, Handlers
from genlevel_evaluator.media_roots import MediaRoots

OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),  # two servers never share a port in silence
]
SERVICE = "genlevel.v1.EvaluatorService"


class Servicer(evaluator_pb2_grpc.EvaluatorServiceServicer):
    """The handlers under the names of the generated service."""

    def __init__(self, handlers: Handlers) -> None:
        self.DescribeEvaluator: Any = handlers.describe_evaluator
        self.EvaluateShard: Any = handlers.evaluate_shard
        self.EvaluateShardStream: Any = handlers.evaluate_shard_stream
        self.CombineStates: Any = handlers.combine_states
        self.FinalizeMetric: Any = handlers.finalize_metric
        self.FinalizeStates: Any = handlers.finalize_states
        self.EvaluateMetric: Any = handlers.evaluate_metric


async def start(
    evaluator: Evaluator, address: str = "127.0.0.1:0", roots: Sequence[str | Path] = (), parallel: int = 1
) -> tuple[grpc.aio.Server, int]:
    """A started server of one evaluator, with its port.

    Raises:
        RuntimeError: the address is in use.
    """
    server = grpc.aio.server(options=OPTIONS)
    evaluator_pb2_grpc.add_EvaluatorServiceServicer_to_server(Servicer(Handlers(evaluator, roots, parallel)), server)
    status = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(status, server)
    port = server.add_insecure_port(address)
    if not port:
        raise RuntimeError(f"cannot listen on {address}")
    await server.start()
    for service in ("", SERVICE):
        await status.set(service, health_pb2.HealthCheckResponse.SERVING)
    return server, port


async def serve(names: Sequence[str], roots: Sequence[str | Path], host: str = "127.0.0.1", port: int = 0, parallel: int = 1) -> None:
    """Serves evaluators until standard input closes or a signal comes."""
    servers = []
    endpoints = {}
    for offset, name in enumerate(names):
        server, bound = await start(load(name), f"{host}:{port + offset if port else 0}", roots, parallel)
        servers.append(server)
        endpoints[name] = f"{host}:{bound}"
    print(json.dumps({"endpoints": endpoints}), flush=True)
    await until_asked_to_stop()
    await asyncio.gather(*(server.stop(grace=5) for server in servers))


async def until_asked_to_stop() -> None:
    """Returns when standard input closes, or on SIGINT or SIGTERM."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    # os.read in a daemon-like thread would keep the process alive; a reader on the descriptor does not.
    with contextlib.suppress(OSError, ValueError):  # a regular file or a closed descriptor cannot be watched: signals remain
        loop.add_reader(sys.stdin.fileno(), lambda: stop.set() if not os.read(sys.stdin.fileno(), 4096) else None)
    await stop.wait()


def root(text: str) -> str:
    """A value of `--roots`, checked before anything is served."""
    try:
        MediaRoots.of([text])
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def parser(description: str) -> argparse.ArgumentParser:
    """The options that both ways of serving share."""
    result = argparse.ArgumentParser(description=description)
    result.add_argument("--only", default="", help="names of evaluators, separated by commas; all installed ones by default")
    result.add_argument("--roots", nargs="*", default=[], type=root, help="folders, or URLs such as s3://bucket/prefix, media may be read from")
    result.add_argument("--port", type=int, default=0, help="port (of the first evaluator); 0 lets the system choose")
    return result


def chosen(only: str) -> list[str]:
    """Evaluator names of an `--only` option."""
    return [name.strip() for name in only.split(",") if name.strip()] or sorted(installed())


def main() -> None:
    """Command line."""
    options = parser("Serve evaluators on grpc.aio, on loopback.")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--parallel", type=int, default=1)
    given = options.parse_args()
    asyncio.run(serve(chosen(given.only), given.roots, given.host, given.port, given.parallel))


if __name__ == "__main__":
    main()
