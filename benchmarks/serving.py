"""What the serving benchmarks share: the embedded evaluators as a child process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def embedded(*options: str) -> Iterator[tuple[dict[str, str], int]]:
    """Endpoints of a started child and its process group."""
    command = [sys.executable, "-m", "genlevel_evaluator.serve.embedded", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            yield json.loads(child.stdout.readline())["endpoints"], child.pid
        finally:
            child.stdin.close()
            child.wait(60)


def proportional_bytes(group: int) -> int:
    """Proportional set size of all processes of a group."""
    total = 0
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group:
                total += process.memory_full_info().pss
        except (ProcessLookupError, psutil.Error):
            continue
    return total
