"""What the tests of all modalities share: stand-ins of networks, and the proof that a task is scored from its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import test_general_bench
from general_bench_rows import COUNT

from genlevel_evaluator import features
from genlevel_evaluator.engine import Value
from genlevel_evaluator.evaluator import load
from genlevel_orchestrator.catalogue import Task

Network = Callable[[Any], Any]


class StandIn:
    """Networks of these tests, by name: from what a network would see to what it gives."""

    def __init__(self, networks: Mapping[str, Network]) -> None:
        self._networks = networks

    def device(self, name: str) -> str:
        """Where they run."""
        return "stand-in"

    def prepare(self, name: str, value: Any) -> Any:
        """What is shown, as it is."""
        return value

    def features(self, name: str, values: Sequence[Any], check: Callable[[], None]) -> list[Any]:
        """What the network of that name gives."""
        return [self._networks[name](value) for value in values]

    def together(self, names: Sequence[str], values: Sequence[Any], check: Callable[[], None]) -> list[Sequence[Any]]:
        """What several give."""
        return [[self._networks[name](value) for name in names] for value in values]


def use(monkeypatch: pytest.MonkeyPatch, provider: Any) -> None:
    """Lets evaluators take their features from a stand-in, and remember none of it."""
    monkeypatch.setattr(test_general_bench, "load", lambda name: replace(load(name), provider=provider))
    monkeypatch.setattr(features, "CACHE", features.FeatureCache())


def prove(write: Callable[[Path, Task, int, int], Path], number: int, task: Task, root: Path, expected: Callable[[int], float]) -> None:
    """A folder of right answers, and one of which half is right, are scored without a fault to the values derived for them."""
    for right in (COUNT, COUNT // 2):
        write(root / str(right), task, number, right)
        value = scored(root / str(right), task)
        assert value.value == pytest.approx(expected(right), rel=1e-6, abs=1e-9)


def scored(root: Path, task: Task) -> Value:
    """The value of the one task in a folder, of which nothing is missing or at fault."""
    value, noted, issues, violations, found = test_general_bench.score(root)
    assert found is task
    assert not violations.errors, list(violations)
    assert noted == []
    assert [issue for issue in issues if issue.severity != "warning"] == []
    assert (value.expected, value.present, value.excluded) == (COUNT, COUNT, 0)
    return value
