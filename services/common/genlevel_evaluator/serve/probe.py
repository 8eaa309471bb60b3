"""Asks the health port of a container: `python -m genlevel_evaluator.serve.probe [--host H] [--port 9001] [live|ready]`.

Prints the state and exits with 0 when it is SERVING. It runs every few seconds, so it imports gRPC and nothing else that is large; the two
messages of grpc.health.v1 have one field each and are written by hand.
"""

from __future__ import annotations

import argparse
import sys

import grpc

STATES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
SERVING = STATES[1]


def ask(host: str, port: int, service: str, timeout: float) -> str:
    """The state of a service, or why there is none."""
    name = service.encode()
    with grpc.insecure_channel(f"{host}:{port}") as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        try:
            reply: bytes = check(b"\x0a" + bytes([len(name)]) + name, timeout=timeout)
        except grpc.RpcError as error:
            return f"no answer from {host}:{port}: {error.code().name}; see whether the container runs and listens there"
    return STATES[reply[1]] if reply[:1] == b"\x08" and reply[1] < len(STATES) else STATES[0]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Ask a container of GenLevel how it is.")
    parser.add_argument("service", nargs="?", default="ready", choices=("live", "ready"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9001)
    parser.add_argument("--timeout", type=float, default=5.0, help="seconds to wait for the answer")
    given = parser.parse_args()
    state = ask(given.host, given.port, given.service, given.timeout)
    print(f"{given.service}: {state}")
    sys.exit(0 if state == SERVING else 1)


if __name__ == "__main__":
    main()
