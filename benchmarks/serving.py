"""What the serving benchmarks share: the embedded evaluators as a child process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def embedded(*options: str) -> Iterator[tuple[dict[str, str], int]]:
    """Endpoints of a started child and its process number."""
    command = [sys.executable, "-m", "genlevel_evaluator.serve.embedded", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            yield json.loads(child.stdout.readline())["endpoints"], child.pid
        finally:
            child.stdin.close()
            child.wait(60)


def proportional_bytes(pid: int) -> int:
    """Proportional set size of a process and all that it started; Ray's workers have process groups of their own."""
    root = psutil.Process(pid)
    total = 0
    for process in [root, *root.children(recursive=True)]:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return int(total)
