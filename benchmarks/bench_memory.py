"""Memory: each evaluator with its offline backbones loaded, and the orchestrator on a run of 100,000 samples."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

EVALUATORS = ("image", "video", "audio")
SAMPLES = 100_000
LOADED = """
import json, psutil, sys
from pathlib import Path
from genlevel_evaluator import score
from genlevel_evaluator.evaluator import load
import genlevel_orchestrator.catalogue as catalogue
name = sys.argv[1]
for metric in load(name).metric_ids:
    path = Path(catalogue.__file__).parent / "data" / "examples" / f"{name}.{metric}.json"
    example = json.loads(path.read_text())
    score(metric, example["samples"], evaluator=name, parameters=example["parameters"])
print(psutil.Process().memory_full_info().pss)
"""


def loaded(name: str) -> int:
    """Proportional set size of a process in which every metric of the evaluator has scored its example."""
    return int(subprocess.run([sys.executable, "-c", LOADED, name], capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def write_bundle(folder: Path) -> None:
    """A task with many samples."""
    generator = random.Random(0)
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
    answers = [" ".join(generator.choices(words, k=8)) for _ in range(SAMPLES)]
    task = folder / "nlp" / "Commonsense Reasoning"
    task.mkdir(parents=True)
    data = [{"id": i, "input": {"question": "?"}, "output": {"answer": text}} for i, text in enumerate(answers)]
    (task / "annotation.json").write_text(json.dumps({"task": "Commonsense Reasoning", "type": "OpenQA", "data": data}))
    guesses = [{"id": i, "prediction": generator.choice(answers)} for i in range(SAMPLES)]
    (task / "prediction.json").write_text(json.dumps(guesses))


def orchestrator() -> tuple[int, float]:
    """Peak resident memory of the command itself (not of the evaluators it starts), and the time taken."""
    with tempfile.TemporaryDirectory() as name:
        write_bundle(Path(name) / "bundle")
        environment = {"GENLEVEL_STATE_DIR": f"{name}/state", "PATH": "/usr/bin:/bin", "HOME": name}
        command = [str(Path(sys.executable).parent / "genlevel"), "run", f"{name}/bundle", "--model", "bench", "--in-process", "--output", f"{name}/out", "--json"]
        begin = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
            peak = 0
            watched = psutil.Process(process.pid)
            while process.poll() is None:
                try:
                    peak = max(peak, watched.memory_info().rss)
                except psutil.Error:
                    break
                time.sleep(0.05)
        return peak, time.perf_counter() - begin


def main() -> None:
    """Prints a line for each."""
    for name in EVALUATORS:
        print(json.dumps({"name": f"{name} evaluator, offline backbones loaded", "note": f"{loaded(name) / 1e9:.2f} GB proportional set size; aim under 2 GB"}))
    peak, seconds = orchestrator()
    print(json.dumps({"name": f"orchestrator on {SAMPLES:,} samples", "ours_s": seconds, "note": f"{peak / 1e6:.0f} MB peak resident; aim under 300 MB"}))


if __name__ == "__main__":
    main()
