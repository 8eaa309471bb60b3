"""A port of this machine that leads to a Service, kept open: kubectl port-forward ends with its pod and is started again."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
import time
from types import TracebackType

from k8s.cluster.kubectl import Kubectl
from k8s.cluster.problem import Problem
from k8s.cluster.refusals import tidy

_START_SECONDS = 30.0
_PAUSE = 1.0


class Forward:
    """Use as a context manager; `port` leads to the Service while inside.

    Args:
        kubectl: The cluster.
        service: Name of the Service.
        port: Its port.
    """

    def __init__(self, kubectl: Kubectl, service: str, port: int) -> None:
        self._kubectl = kubectl
        self._service = service
        self._target = port
        self._child: subprocess.Popen[str] | None = None
        self._closed = threading.Event()
        self._errors = ""
        self.port = 0
        self.restarts = -1

    def __enter__(self) -> Forward:
        deadline = time.monotonic() + _START_SECONDS
        while not self._start():
            if time.monotonic() > deadline:
                raise Problem(
                    f"no connection to service/{self._service} through kubectl port-forward: {self._errors}",
                    "`make status` must show a ready orchestrator; or name its address: `make smoke ENDPOINT=grpcs://HOST:PORT`.",
                )
            time.sleep(_PAUSE)
        threading.Thread(target=self._keep, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._closed.set()
        if self._child is not None:
            self._child.terminate()
            self._child.wait(10)

    def _start(self) -> bool:
        """Start kubectl; true when it says that it listens. The port stays the same over restarts."""
        self.restarts += 1
        command = self._kubectl.arguments(
            "port-forward", "-n", self._kubectl.namespace, "--address", "127.0.0.1", f"service/{self._service}", f"{self.port}:{self._target}"
            if self.port else f":{self._target}",
        )  # fmt: skip
        self._child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        timer = threading.Timer(_START_SECONDS, self._child.kill)
        timer.start()
        assert self._child.stdout is not None
        assert self._child.stderr is not None
        line = self._child.stdout.readline()
        timer.cancel()
        found = re.search(r"127\.0\.0\.1:(\d+) ->", line)
        if not found:
            self._child.kill()
            self._errors = tidy(self._child.communicate()[1]) or "it ended without a word"
            return False
        self.port = int(found[1])
        for stream in (self._child.stdout, self._child.stderr):
            threading.Thread(target=stream.read, daemon=True).start()  # an unread pipe would stop kubectl
        return True

    def _keep(self) -> None:
        while not self._closed.is_set():
            assert self._child is not None
            if self._child.poll() is not None or not self._leads_somewhere():
                self._child.kill()
                self._child.wait()
                self._start()
            self._closed.wait(_PAUSE)

    def _leads_somewhere(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 2).close()
        except OSError:
            return False
        return True
