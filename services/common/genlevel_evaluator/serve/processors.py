"""How many processors this process may use: a pod limited to one must not start a thread for each core of its node."""

from __future__ import annotations

import math
import os
from pathlib import Path

CONTROL_GROUPS = Path("/sys/fs/cgroup")
# What the numerical libraries below read for their pools of threads.
VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def count(groups: Path = CONTROL_GROUPS) -> int:
    """Processors this process may run on, at most what its control group grants, rounded up."""
    allowed = len(os.sched_getaffinity(0))
    return max(1, math.ceil(min(allowed, _quota(groups))))


def _quota(groups: Path) -> float:
    """Processors granted by version 2 or version 1 of control groups; infinity where there is no limit."""
    for read in (_second, _first):
        try:
            return read(groups)
        except (OSError, ValueError):  # that version is not mounted, or no limit is written there
            continue
    return math.inf


def _second(groups: Path) -> float:
    quota, period = (groups / "cpu.max").read_text().split()
    return math.inf if quota == "max" else int(quota) / int(period)


def _first(groups: Path) -> float:
    quota = int((groups / "cpu" / "cpu.cfs_quota_us").read_text())
    period = int((groups / "cpu" / "cpu.cfs_period_us").read_text())
    return math.inf if quota <= 0 else quota / period


def limit_threads(replicas: int = 1) -> None:
    """Tells the numerical libraries, unless the environment already does. Call it before they are imported.

    Replicas share the processors: two that start a thread for each would wait for one another at every layer of a network.
    """
    for variable in VARIABLES:
        os.environ.setdefault(variable, str(max(1, count() // replicas)))
