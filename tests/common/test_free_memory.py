"""Memory that is free leaves the process."""

from __future__ import annotations

import subprocess
import sys

from genlevel_evaluator import free_memory

PROGRAM = """
import os
from pathlib import Path
from genlevel_evaluator import free_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

blocks = [bytes([1]) * 100_000 for _ in range(2000)]  # too small to be mapped on their own
kept = blocks[::50]
full = resident()
del blocks
freed = resident()
free_memory.give_back()
print(full, freed, resident(), sum(map(len, kept)))
"""


def test_blocks_between_living_ones_go_back() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    full, freed, after, _ = map(int, done.stdout.split())
    assert freed > full - 20e6, "without it the process keeps nearly all"
    assert after < full - 150e6


def test_it_may_be_called_at_any_time() -> None:
    for _ in range(3):
        free_memory.give_back()
