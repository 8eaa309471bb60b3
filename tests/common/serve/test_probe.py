"""The probe against a real health server, and against ports where there is none."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from genlevel_evaluator.serve import loopback
from genlevel_evaluator.serve.health import LIVE, READY, HealthServer
from genlevel_evaluator.serve.probe import ask


@pytest.fixture
def server() -> Iterator[HealthServer]:
    started = HealthServer(0)
    yield started
    started.stop()


def test_it_says_what_the_server_says(server: HealthServer) -> None:
    for service, serving, expected in ((READY, False, "NOT_SERVING"), (READY, True, "SERVING"), (LIVE, False, "NOT_SERVING"), (LIVE, True, "SERVING")):
        server.set(service, serving)
        assert ask("127.0.0.1", server.port, service, 5) == expected
    assert ask("127.0.0.1", server.port, "", 5) == "SERVING"
    assert ask("127.0.0.1", server.port, "nobody", 5) in ("UNKNOWN", "SERVICE_UNKNOWN")


def test_an_ordinary_client_reads_the_same(server: HealthServer) -> None:
    server.set(READY, True)
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        states = {name: stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=5).status for name in ("", READY, LIVE)}
        watched = next(iter(stub.Watch(health_pb2.HealthCheckRequest(service=READY), timeout=5)))
    assert set(states.values()) == {health_pb2.HealthCheckResponse.SERVING}
    assert watched.status == health_pb2.HealthCheckResponse.SERVING


def test_a_taken_port_is_refused(server: HealthServer) -> None:
    with pytest.raises(OSError, match="taken"):
        HealthServer(server.port)


def test_exit_status_and_what_it_prints(server: HealthServer) -> None:
    server.set(READY, True)
    for arguments, line, code in (
        (["--port", str(server.port)], "ready: SERVING", 0),
        (["--port", str(loopback.free_port())], "ready: no answer from 127.0.0.1", 1),
        (["--port", str(server.port), "--host", "host.invalid"], "ready: no answer from host.invalid", 1),
    ):
        command = [sys.executable, "-m", "genlevel_evaluator.serve.probe", *arguments]
        found = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert found.stdout.startswith(line)
        assert "\n" not in found.stdout.strip()
        assert (found.returncode, found.stderr) == (code, "")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_a_port_that_speaks_something_else(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        assert "no answer" in ask("127.0.0.1", listener.getsockname()[1], READY, 5)
        thread.join(5)


def test_a_silent_port_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert "timed out" in ask("127.0.0.1", listener.getsockname()[1], READY, 0.3)


def test_it_imports_nothing_large() -> None:
    code = "import sys, genlevel_evaluator.serve.probe; print(sorted({'grpc', 'numpy', 'google.protobuf', 'ray'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
