"""Asks the health port of a container: `python -m genlevel_evaluator.serve.probe [--host H] [--port 9001] [live|ready]`.

Prints the state and exits with 0 when it is SERVING. It runs every few seconds beside an evaluator that computes, and importing gRPC alone
would cost more than all the rest. So the one call it makes, Check of grpc.health.v1, is written to a socket as HTTP/2 by hand.
"""

from __future__ import annotations

import argparse
import socket
import sys
from typing import BinaryIO

STATES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
SERVING = STATES[1]

DATA, HEADERS, SETTINGS, GOAWAY = 0, 1, 4, 7
END_STREAM, END_HEADERS = 1, 4


def ask(host: str, port: int, service: str, timeout: float) -> str:
    """The state of a service, or why there is none."""
    try:
        with socket.create_connection((host, port), timeout) as connection, connection.makefile("rb") as incoming:
            connection.sendall(_check(f"{host}:{port}".encode(), service.encode()))
            return _state(incoming)
    except (OSError, EOFError) as error:
        return f"no answer from {host}:{port} ({error}); see whether the container runs and listens there"


def _check(authority: bytes, service: bytes) -> bytes:
    """Preface, settings, and one request on stream 1."""
    headers = (
        b"\x83\x86\x04" + _text(b"/grpc.health.v1.Health/Check")  # :method POST, :scheme http and :path, of the static table
        + b"\x01" + _text(authority)
        + b"\x0f\x10" + _text(b"application/grpc")
        + b"\x00" + _text(b"te") + _text(b"trailers")
    )  # fmt: skip
    message = b"\x0a" + _text(service)
    return (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        + _frame(SETTINGS, 0, 0, b"")
        + _frame(HEADERS, END_HEADERS, 1, headers)
        + _frame(DATA, END_STREAM, 1, b"\x00" + len(message).to_bytes(4, "big") + message)
    )


def _text(value: bytes) -> bytes:
    """Length and bytes: a string of HPACK and a field of protobuf look alike while they are short."""
    return bytes([len(value)]) + value


def _frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


def _state(incoming: BinaryIO) -> str:
    """The state in the first message that comes back."""
    while True:
        head = _exactly(incoming, 9)
        body = _exactly(incoming, int.from_bytes(head[:3], "big"))
        kind, flags = head[3], head[4]
        if kind == DATA and len(body) >= 5:
            message = body[5:]  # behind the flag and the length of gRPC; an empty message is the state 0
            return STATES[message[1]] if message[:1] == b"\x08" and message[1] < len(STATES) else STATES[0]
        if kind == GOAWAY or (kind == HEADERS and flags & END_STREAM):
            return STATES[3]  # a status without a message: the server does not know this service


def _exactly(incoming: BinaryIO, count: int) -> bytes:
    found = incoming.read(count)
    if len(found) < count:
        raise EOFError("the connection was closed")
    return found


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
