"""`genlevel serve` and `genlevel` commands as processes of their own."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

GENLEVEL = (sys.executable, "-m", "genlevel_orchestrator.cli.main")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def genlevel(arguments: list[str], variables: dict[str, str], seconds: float = 60) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    done = subprocess.run(
        [*GENLEVEL, *arguments], env={**os.environ, **variables}, capture_output=True, text=True, timeout=seconds, check=False
    )
    return done.returncode, done.stdout, done.stderr


@dataclass
class Serving:
    """A server that can be killed and started again on the same ports. Only variables say what it does, as in a container."""

    state: Path
    variables: dict[str, str]
    port: int = field(default_factory=free_port)
    health_port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None
    log: list[str] = field(default_factory=list)

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, ready: bool = True) -> None:
        """Start it; wait for its line of addresses unless it is to wait for something itself."""
        own = {
            "GENLEVEL_STATE_DIR": str(self.state), "XDG_CONFIG_HOME": str(self.state), "GENLEVEL_SERVE_PORT": str(self.port),
            "GENLEVEL_SERVE_HEALTH_PORT": str(self.health_port),
        }  # fmt: skip
        self.process = subprocess.Popen(
            [*GENLEVEL, "serve", "--json"], env={**os.environ, **own, **self.variables}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, args=(self.process.stderr, self.log.append), daemon=True).start()
        threading.Thread(target=self._read, args=(self.process.stdout, lambda line: (lines.put(line), self.log.append(line))), daemon=True).start()
        if ready:
            assert json.loads(lines.get(timeout=60))["orchestrator"] == self.endpoint

    @staticmethod
    def _read(stream: Any, take: Callable[[str], Any]) -> None:
        for line in stream:
            take(line)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    def health(self, service: str) -> str:
        """What the health port says."""
        from genlevel_orchestrator.api.probe import probe

        return probe(service, self.health_port)[1]
