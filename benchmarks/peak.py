"""Peaks of resident memory, as the kernel tells them.

Not `resource.getrusage`: its largest set is handed down, so a process begins with the peak of the one that started it.
"""

from __future__ import annotations

from pathlib import Path


def peak_bytes(pid: int | str = "self") -> int:
    """Largest resident set of a process since it began, or since the last call of `forget_peak`."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def forget_peak(pid: int | str = "self") -> int:
    """Begins a new peak; returns what is resident now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peak_bytes(pid)
