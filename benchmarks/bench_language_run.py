"""All 115 language tasks with 500 samples each through `genlevel run`: wall time, and how much of it is not scoring.

Scoring is the same samples with the same metrics in one process: decoding, arithmetic, states and intervals. The rest is reading the
bundle, messages, the journal and the report, and the start of the evaluator, which a run of one sample shows.
"""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from genlevel_evaluator import score
from genlevel_orchestrator.catalogue import Catalogue, Task

SAMPLES = 500
WORDS = ["the", "a", "of", "to", "and", "in", "is", "it", "was", "for", "on", "are", "as", "with", "they", "at", "be", "this", "from", "have", "or", "by", "one", "had", "not", "but", "what", "all", "were", "when"]
TYPES = ("person", "place", "company", "event", "date")
Texts = Callable[[random.Random], Any]


_ALL = [*WORDS, *(f"word{i}" for i in range(800))]
_CUMULATED = list(itertools.accumulate([3.0] * len(WORDS) + [1 / (i + 1) for i in range(800)]))


def _words(source: random.Random, count: int) -> str:
    return " ".join(source.choices(_ALL, cum_weights=_CUMULATED, k=count))


def _items(source: random.Random) -> str:
    return ", ".join(f"({_words(source, 2)}=>{source.choice(TYPES)}=>{_words(source, 1)})" for _ in range(source.randint(1, 4)))


def _code(source: random.Random) -> str:
    lines = [f"    {source.choice('abc')} = {source.choice('abc')} + {source.randrange(9)}" for _ in range(6)]
    return "\n".join(["def work(a, b, c):", *lines, "    return a"])


ANSWERS: Mapping[str, Texts] = {
    "accuracy": lambda source: source.choice("ABCD"),
    "micro_f1": lambda source: source.choice(TYPES),
    "bleu_1": lambda source: _words(source, source.randint(15, 30)),
    "rouge_1_f": lambda source: _words(source, source.randint(40, 80)),
    "token_f1": lambda source: _words(source, source.randint(1, 6)),
    "codebleu": _code,
    "rmse": lambda source: [round(source.gauss(10, 3), 2) for _ in range(12)],
}


def _changed(source: random.Random, answer: Any, make: Texts) -> Any:
    """A right answer, one with a word changed, or another one."""
    if source.random() < 0.4 or not isinstance(answer, str) or " " not in answer or "\n" in answer:
        return answer if source.random() < 0.5 else make(source)
    words = answer.split()
    words[source.randrange(len(words))] = source.choice(WORDS)
    return " ".join(words)


def pairs(task: Task, count: int) -> list[tuple[Any, Any]]:
    """(prediction, reference) of each sample."""
    source = random.Random(task.task_id)
    make = _items if task.parameters.get("split") == "items" else ANSWERS[task.metric_id]
    answers = [make(source) for _ in range(count)]
    return [(_changed(source, answer, make), answer) for answer in answers]


def write(folder: Path, tasks: list[Task], count: int) -> None:
    """A bundle in General-Bench's layout."""
    for task in tasks:
        place = folder / "nlp" / task.name
        place.mkdir(parents=True)
        made = pairs(task, count)
        data = [{"id": i, "input": {"question": "What is it?"}, "output": {"answer": right}} for i, (_, right) in enumerate(made)]
        (place / "annotation.json").write_text(json.dumps({"task": task.name, "type": "OpenQA", "data": data}))
        (place / "prediction.json").write_text(json.dumps([{"id": i, "prediction": given} for i, (given, _) in enumerate(made)]))


def run(tasks: list[Task], count: int, *options: str) -> tuple[float, dict[str, Any]]:
    """Seconds of the whole command, and what it printed."""
    with tempfile.TemporaryDirectory() as name:
        write(Path(name) / "bundle", tasks, count)
        environment = {"GENLEVEL_STATE_DIR": f"{name}/state", "PATH": "/usr/bin:/bin", "HOME": name}
        command = [str(Path(sys.executable).parent / "genlevel"), "run", f"{name}/bundle", "--model", "bench", "--output", f"{name}/out", "--json", *options]
        begin = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        seconds = time.perf_counter() - begin
        if done.returncode:
            raise RuntimeError(done.stderr[-800:])
        return seconds, json.loads(done.stdout)


def scoring(tasks: list[Task], count: int) -> tuple[float, dict[str, float | None]]:
    """Seconds of the same samples in this process, and the values."""
    work = [(task, [{"id": i, "prediction": given, "reference": right} for i, (given, right) in enumerate(pairs(task, count))]) for task in tasks]
    for task, samples in work:
        score(task.metric_id, samples[:2], evaluator="language", parameters=task.parameters)
    begin = time.perf_counter()
    values = {task.task_id: score(task.metric_id, samples, evaluator="language", parameters=task.parameters).value for task, samples in work}
    return time.perf_counter() - begin, values


def main() -> None:
    """Prints a line for each kind of evaluator process."""
    tasks = [task for task in Catalogue.load().tasks.values() if task.evaluator == "language" and task.modality == "language"]
    arithmetic, expected = scoring(tasks, SAMPLES)
    for title, options in (("Ray Serve", ()), ("a bare server", ("--in-process",))):
        start, _ = run(tasks[:1], 1, *options)
        seconds, document = run(tasks, SAMPLES, *options)
        differing = [task["task_id"] for task in document["tasks"] if task["task_id"] in expected and task["value"] != expected[task["task_id"]]]
        note = (
            f"start and stop {start:.1f} s; scoring {arithmetic:.1f} s in one process; {1 - arithmetic / seconds:.0%} of the time is not scoring, "
            f"{max(0.0, 1 - arithmetic / (seconds - start)):.0%} without start and stop; {len(expected) - len(differing)} of {len(expected)} values equal"
        )
        print(json.dumps({"name": f"{len(tasks)} language tasks of {SAMPLES} samples, {title}", "ours_s": seconds, "other_s": arithmetic, "note": note}), flush=True)


if __name__ == "__main__":
    main()
