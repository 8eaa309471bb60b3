"""Asks a health port, for health checks of containers: ``python -m genlevel_orchestrator.api.probe [--port P] [live|ready]``.

Prints one line and exits with 0 when the service serves, with 1 when it does not or nobody answers.
"""

from __future__ import annotations

import argparse
import os
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

PORT = 9101
PORT_VARIABLE = "GENLEVEL_SERVE_HEALTH_PORT"


def probe(service: str = "ready", port: int | None = None, host: str = "127.0.0.1", seconds: float = 4.0) -> tuple[bool, str]:
    """Whether a service serves, and the line that says so; the same as the evaluators' probe prints."""
    address = f"{host}:{port or int(os.environ.get(PORT_VARIABLE) or PORT)}"
    with grpc.insecure_channel(address) as channel:
        try:
            request = health_pb2.HealthCheckRequest(service=service)
            status = health_pb2_grpc.HealthStub(channel).Check(request, timeout=seconds).status
        except grpc.RpcError as error:
            return False, f"no answer from {address} ({error.code().name}: {error.details()}); see whether the container runs and listens there"
    name = health_pb2.HealthCheckResponse.ServingStatus.Name(status)
    return name == "SERVING", name


def main() -> int:
    """Entry point of the module."""
    parser = argparse.ArgumentParser(prog="python -m genlevel_orchestrator.api.probe", description="Ask a health port.")
    parser.add_argument("service", nargs="?", default="ready", help="live or ready")
    parser.add_argument("--port", type=int, help=f"port of the health service; {PORT_VARIABLE}, else {PORT}")
    given = parser.parse_args()
    serving, line = probe(given.service, given.port)
    print(line)
    return 0 if serving else 1


if __name__ == "__main__":
    sys.exit(main())
