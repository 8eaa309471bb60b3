"""Who is at work on a run, and whether that process still lives."""

from __future__ import annotations

import functools
import json
import os
import secrets
import socket
import time
from pathlib import Path

STALE_SECONDS = 30.0
"""A run whose process cannot be looked up from here, and that has not shown itself for so long, is taken for dead."""


def owner() -> str:
    """This process, so that others can tell whether it still lives.

    Host, pid, start time, the place where that pid means something (the running kernel and its pid namespace), and a name that no
    other process has: two containers may well agree in all else.
    """
    return _owner(os.getpid())


@functools.lru_cache(maxsize=4)
def _owner(pid: int) -> str:
    return json.dumps([socket.gethostname(), pid, _started(pid), _place(), secrets.token_hex(8)])


def alive(holder: str, beat: float) -> bool:
    """Whether the process that holds a run still lives: looked up where its pid can be seen from here, else by its heartbeat."""
    try:
        host, pid, started, *rest = json.loads(holder)
    except ValueError:
        return False
    here = _place() if rest else socket.gethostname()
    if (rest[0] if rest else host) != here or not here:
        return time.time() - beat < STALE_SECONDS
    return bool(started) and _started(pid) == started


def _started(pid: int) -> str:
    """Start time of a process in ticks since boot; empty when there is no such process. A pid alone may be used again."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


@functools.cache
def _place() -> str:
    """The kernel and the pid namespace of this process; empty where they cannot be read."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""
