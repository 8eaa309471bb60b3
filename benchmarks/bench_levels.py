"""Levels of 100 models over the 699 tasks of the catalogue, from results in memory; aim: under 0.5 s."""

from __future__ import annotations

import json
import random
import time

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.catalogue.level_tasks import level_tasks
from genlevel_orchestrator.levels import POLICIES, LevelCalculator, LevelTask, Policy, Result

MODELS = 100
REPETITIONS = 5


def results_of(tasks: list[LevelTask], seed: int) -> dict[str, Result]:
    """Results of an invented model: each value near its SoTA and within the metric's range."""
    generator = random.Random(seed)
    results = {}
    for task in tasks:
        value = task.sota * generator.uniform(0.5, 1.2)
        value = value if task.lower is None else max(value, task.lower)
        results[task.task_id] = Result(value if task.upper is None else min(value, task.upper))
    return results


def measure(policy: Policy) -> float:
    """Return the best time of several repetitions, the calculator's set-up included."""
    tasks = level_tasks(Catalogue.load())
    models = [results_of(tasks, seed) for seed in range(MODELS)]
    times = []
    for _ in range(REPETITIONS):
        start = time.perf_counter()
        calculator = LevelCalculator(tasks, policy)
        for results in models:
            calculator.levels(results)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print one JSON line for each policy."""
    for policy in POLICIES:
        seconds = measure(policy)
        line = {
            "name": f"levels, {MODELS} models x 699 tasks, policy {policy}",
            "ours_s": seconds,
            "other_s": None,
            "ratio": None,
            "note": f"aim 0.5 s; {seconds / MODELS * 1e3:.2f} ms a model",
        }
        print(json.dumps(line))


if __name__ == "__main__":
    main()
