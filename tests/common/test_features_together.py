"""Networks that read a value in one pass: run together, remembered one by one, and each with its own refusals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from genlevel_evaluator import features
from genlevel_evaluator.backbones import Backbone
from genlevel_evaluator.engine import Budget, RawSample
from genlevel_evaluator.errors import EvaluatorError, SampleError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.metric import Sample
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Row
from tests.common.feature_fakes import METRIC, Files, bits, observed, owner, sample

NAMES = ("n", "m")


def observe(given: Sample, parameters: Parameters) -> Row:
    return {side: np.concatenate([given.features[name, side][None] for name in NAMES if (name, side) in given.features]) for side in ("prediction", "reference")}


BOTH = replace(METRIC, observe=observe, backbones=lambda _: NAMES, set_metric=False)


class Factor:
    """A network that multiplies, and refuses files that begin with its own sign."""

    def __init__(self, factor: float, sign: str) -> None:
        self.factor, self.sign = factor, sign
        self.runs: list[int] = []

    def extract(self, values: Sequence[Any]) -> list[Any]:
        self.runs.append(len(values))
        return [self.one(value) for value in values]

    def one(self, value: Any) -> Any:
        if value.values[0] == ord(self.sign):
            return SampleError("REFUSED", f"{self.sign} is refused")
        return value.values * self.factor


class Passes:
    """Runs networks together, and writes down how many over how many values."""

    def __init__(self) -> None:
        self.made: list[tuple[int, int]] = []

    def __call__(self, extractors: Sequence[Factor], values: Sequence[Any]) -> Iterator[list[Any]]:
        self.made.append((len(extractors), len(values)))
        for value in values:
            yield [extractor.one(value) for extractor in extractors]


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Passes:
    monkeypatch.setattr("genlevel_evaluator.features.CACHE", features.FeatureCache())
    return Passes()


def evaluator(together: Passes | None, files: Files | None = None) -> Evaluator:
    networks = {"n": Factor(2, "!"), "m": Factor(3, "?")}
    made = owner(files or Files(), networks["n"])
    made._extractors.update(networks)
    made.__dict__["backbones"] = {
        name: Backbone(name, "vggish", "p", lambda: networks["n"], batch=4, uses_gpu=False, together=together) for name in NAMES
    }
    return made


def samples() -> list[RawSample]:
    faults = {3: ("!3", None), 5: ("?5", None), 7: (None, "!7"), 8: ("broken", None), 11: ("!11", "?11")}
    return [sample(number, *faults.get(number, (None, None))) for number in range(37)]


def test_one_pass_gives_what_two_runs_give(passes: Passes) -> None:
    rows, issues = observed(evaluator(passes), samples(), metric=BOTH)
    assert {count for count, _ in passes.made} == {2}
    assert sum(count for _, count in passes.made) == 2 * 37 - 1  # one file cannot be read
    features.CACHE = features.FeatureCache()
    alone, same = observed(evaluator(None), samples(), metric=BOTH)
    assert bits(rows) == bits(alone)
    assert issues == same
    assert [issue.sample_id for issue in issues if issue.code == "REFUSED"]


def test_a_second_metric_runs_only_the_network_it_adds(passes: Passes) -> None:
    files = Files()
    made = evaluator(passes, files)
    first = replace(BOTH, backbones=lambda _: ("n",))
    observed(made, [sample(number) for number in range(6)], metric=first)
    assert not passes.made  # one network alone needs no pass
    assert made.extractor("n").runs == [4, 4, 4]
    observed(made, [sample(number) for number in range(6)], metric=BOTH)
    assert not passes.made
    assert (made.extractor("n").runs, made.extractor("m").runs) == ([4, 4, 4], [4, 4, 4])
    read = len(files.read)
    observed(made, [sample(number) for number in range(6)], metric=BOTH)
    assert len(files.read) == read


def test_a_file_that_is_there_twice_goes_through_once(passes: Passes) -> None:
    observed(evaluator(passes), [sample(number, "same", "same") for number in range(8)], metric=BOTH)
    assert passes.made == [(2, 1)]


def test_a_caller_who_leaves_ends_the_pass_between_two_values(passes: Passes) -> None:
    budget = Budget()

    def leaving(extractors: Sequence[Factor], values: Sequence[Any]) -> Iterator[list[Any]]:
        for row in passes(extractors, values):
            budget.cancelled = True
            yield row
            raise AssertionError("the pass went on")

    with pytest.raises(EvaluatorError, match="cancelled"):
        observed(evaluator(leaving), [sample(number) for number in range(4)], budget, metric=BOTH)  # type: ignore[arg-type]
