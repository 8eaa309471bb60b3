"""`python -m genlevel_evaluator.serve.deployed` as a child, as a container runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import grpc
import psutil

from genlevel.v1 import evaluator_pb2_grpc
from genlevel_evaluator.serve import loopback
from genlevel_evaluator.serve.probe import ask

COMMAND = [sys.executable, "-m", "genlevel_evaluator.serve.deployed"]


class Deployed:
    """One evaluator, its ports and what it writes."""

    def __init__(self, evaluator: str, folder: Path, services: str, **environment: str) -> None:
        (folder / "services.toml").write_text(services)
        self.port, self.health_port = loopback.free_port(), loopback.free_port()
        command = [*COMMAND, "--evaluator", evaluator, "--port", str(self.port), "--health-port", str(self.health_port)]
        own = {**os.environ, "GENLEVEL_SERVICES": str(folder / "services.toml"), **environment}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=own)
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def state(self, service: str) -> str:
        return ask("127.0.0.1", self.health_port, service, 5)

    def wait_for(self, state: str, seconds: float = 150) -> float:
        """Waits until `ready` has that state; returns how long it took."""
        begin = time.monotonic()
        while (found := self.state("ready")) != state:
            assert self.process.poll() is None, "".join(self.lines)
            assert time.monotonic() - begin < seconds, f"still {found}\n{''.join(self.lines)}"
            time.sleep(0.1)
        return time.monotonic() - begin

    def wait_for_line(self, text: str, seconds: float = 150) -> str:
        """The first line that holds `text`."""
        end = time.monotonic() + seconds
        while True:
            for line in list(self.lines):
                if text in line:
                    return line
            assert time.monotonic() < end, "".join(self.lines)
            time.sleep(0.1)

    def processes(self) -> list[psutil.Process]:
        """The child and all that it started."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def replica(self) -> psutil.Process:
        (found,) = [process for process in self.processes() if "ServeReplica" in " ".join(process.cmdline())]
        return found

    def channel(self) -> grpc.Channel:
        return grpc.insecure_channel(f"127.0.0.1:{self.port}")

    def stub(self, channel: grpc.Channel) -> evaluator_pb2_grpc.EvaluatorServiceStub:
        return evaluator_pb2_grpc.EvaluatorServiceStub(channel)

    def tell(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        """Tells it to end, twice, so that it does not wait for clients."""
        for _ in range(2):
            if self.process.poll() is None:
                self.tell()
                time.sleep(0.3)
        code = self.process.wait(60)
        self._reader.join(10)
        return code
