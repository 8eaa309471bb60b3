"""A million samples of accuracy and micro_f1 through `genlevel metric`: time, and peak memory of both processes as the file grows."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

WORK = (("accuracy", 10_000), ("accuracy", 100_000), ("accuracy", 1_000_000), ("micro_f1", 1_000_000))
LABELS = ("entailment", "contradiction", "neutral", "unrelated")


def write(path: Path, metric: str, count: int) -> None:
    """JSON lines of answers of which two thirds are right."""
    source = random.Random(0)
    with path.open("w") as file:
        for place in range(count):
            right = source.choice(LABELS)
            given = right if source.random() < 2 / 3 else source.choice(LABELS)
            wrap = (lambda label: [label]) if metric == "micro_f1" else (lambda label: label)
            file.write(json.dumps({"id": place, "prediction": wrap(given), "reference": wrap(right)}) + "\n")


class Peaks:
    """Largest resident memory of a process, and of all that it started, while they run; and the seconds of processor they took."""

    def __init__(self, process: psutil.Process) -> None:
        self.own = self.started = 0
        self.own_cpu = self.started_cpu = 0.0
        self._process, self._over = process, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            try:
                self.own = max(self.own, self._process.memory_info().rss)
                self.own_cpu = _seconds(self._process)
                children = self._process.children(recursive=True)
                self.started = max(self.started, sum(child.memory_info().rss for child in children))
                self.started_cpu = max(self.started_cpu, sum(map(_seconds, children)))
            except psutil.Error:
                continue

    def stop(self) -> None:
        """No more watching."""
        self._over.set()
        self._thread.join()

    def __str__(self) -> str:
        return (
            f"peak {self.own / 1e6:.0f} MB orchestrator, {self.started / 1e6:.0f} MB evaluator; processor {self.own_cpu:.0f} s and {self.started_cpu:.0f} s; "
            f"load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
        )


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def measured(metric: str, samples: Path, home: str) -> tuple[float, Peaks, dict[str, object]]:
    """Seconds, peaks and the printed document."""
    seconds, peaks, output = watched(["metric", metric, "--samples", str(samples), "--evaluator", "language", "--in-process", "--json"], home)
    return seconds, peaks, json.loads(output)


def watched(arguments: list[str], home: str) -> tuple[float, Peaks, str]:
    """Seconds, peaks and output of `genlevel` with those arguments."""
    command = [str(Path(sys.executable).parent / "genlevel"), *arguments]
    environment = {"GENLEVEL_STATE_DIR": f"{home}/state", "PATH": "/usr/bin:/bin", "HOME": home}
    begin = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True) as process:
        peaks = Peaks(psutil.Process(process.pid))
        output, errors = process.communicate()
        peaks.stop()
    if process.returncode:
        raise RuntimeError(errors[-500:])
    return time.perf_counter() - begin, peaks, output


def main() -> None:
    """Prints a line for each size and metric."""
    for metric, count in WORK:
        with tempfile.TemporaryDirectory() as home:
            samples = Path(home) / "samples.jsonl"
            write(samples, metric, count)
            seconds, peaks, document = measured(metric, samples, home)
        assert document["n"] == count
        print(json.dumps({"name": f"{metric} of {count:,} samples, genlevel metric", "ours_s": seconds, "note": str(peaks)}), flush=True)


if __name__ == "__main__":
    main()
