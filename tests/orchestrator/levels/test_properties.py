"""Laws of the levels over arbitrary valid results."""

from __future__ import annotations

import random
import subprocess
import sys

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genlevel_orchestrator.levels import LEVEL_MODALITIES, LevelTask, Result, compute_levels

# Mapping, scale, direction, smallest and largest value, whether coverage scales the score.
METRICS = [
    ("identity", 0.0, True, 0.0, 100.0, False),
    ("identity", 0.0, True, -100.0, 100.0, False),
    ("saturating", 25.0, False, 0.0, None, True),
    ("saturating", 0.1, False, 0.0, None, True),
    ("tanh", 20.0, True, None, None, False),
    ("complement", 0.0, False, 0.0, None, False),
    ("signed_fraction", 0.0, True, -1.0, 1.0, False),
    ("rating", 0.0, True, 1.0, 5.0, False),
]
GROUPS = [(m, p) for m in LEVEL_MODALITIES for p in ("comprehension", "generation")] + [("language", "language")]


def values(lower: float | None, upper: float | None) -> st.SearchStrategy[float]:
    return st.floats(-1e6 if lower is None else lower, 1e6 if upper is None else upper, allow_nan=False)


@st.composite
def benchmarks(draw: st.DrawFn) -> tuple[list[LevelTask], dict[str, Result]]:
    tasks, results = [], {}
    for number in range(draw(st.integers(0, 40))):
        modality, paradigm = draw(st.sampled_from(GROUPS))
        mapping, scale, higher, lower, upper, coverage = draw(st.sampled_from(METRICS))
        sota = draw(values(lower, upper))
        name = str(number)
        tasks.append(
            LevelTask(name, modality, paradigm, "label", higher, mapping, scale, lower, upper, sota, sota, coverage)
        )
        kind = draw(st.sampled_from(["scored", "scored", "tie", "unsupported", "failed", "absent"]))
        if kind in ("unsupported", "failed"):
            results[name] = Result(None, kind)  # type: ignore[arg-type]
        elif kind != "absent":
            value = sota if kind == "tie" else draw(values(lower, upper))
            results[name] = Result(value, "scored", draw(st.floats(0.0, 1.0)), draw(st.booleans()))
    return tasks, results


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(benchmarks())
def test_levels_never_rise(benchmark: tuple[list[LevelTask], dict[str, Result]]) -> None:
    tasks, results = benchmark
    levels = compute_levels(tasks, results)
    assert 100.0 >= levels.level_2 >= levels.level_3 >= levels.level_4 >= levels.level_5 >= 0.0
    for modality in levels.modalities.values():
        assert 100.0 >= modality.level_2 >= modality.level_3 >= modality.level_4 >= 0.0
    assert 0.0 <= levels.language_weight <= 1.0


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(benchmarks(), st.randoms(use_true_random=False))
def test_levels_do_not_depend_on_order(
    benchmark: tuple[list[LevelTask], dict[str, Result]], shuffler: random.Random
) -> None:
    tasks, results = benchmark
    first = compute_levels(tasks, results)
    shuffled = list(tasks)
    shuffler.shuffle(shuffled)
    second = compute_levels(shuffled, results)
    assert (first.level_2, first.level_3, first.level_4, first.level_5, first.status) == (
        second.level_2, second.level_3, second.level_4, second.level_5, second.status,
    )  # fmt: skip


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(benchmarks())
def test_a_better_value_never_lowers_a_level(benchmark: tuple[list[LevelTask], dict[str, Result]]) -> None:
    tasks, results = benchmark
    before = compute_levels(tasks, results)
    better = {task.task_id: Result(task.sota) for task in tasks if results.get(task.task_id, Result(None)).value is None}
    after = compute_levels(tasks, {**results, **better})
    assert after.level_2 >= before.level_2
    assert after.level_3 >= before.level_3
    assert after.level_4 >= before.level_4
    assert after.level_5 >= before.level_5


def test_levels_import_the_standard_library_only() -> None:
    """Imported alone in a fresh interpreter, the package brings in nothing from outside it."""
    program = (
        "import sys, genlevel_orchestrator.levels\n"
        "roots = {name.split('.')[0] for name in sys.modules if sys.modules[name] is not None}\n"
        "foreign = roots - set(sys.stdlib_module_names) - {'genlevel_orchestrator', '__main__'}\n"
        "ours = {n for n in sys.modules if n.startswith('genlevel_orchestrator.')}\n"
        "print([n for n in foreign if not n.startswith(('_', 'sitecustomize', 'distutils'))])\n"
        "print([n for n in ours if not n.startswith('genlevel_orchestrator.levels')])\n"
    )
    output = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True, check=False)
    if output.returncode != 0:  # editable installs are found through site
        output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert output.stdout.splitlines() == ["[]", "[]"], output.stdout
