"""The engine with a metric that asks a service outside, and whose parameters the environment settles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import pytest

from genlevel_evaluator.engine import Budget, RawSample, Scorer
from genlevel_evaluator.errors import Code, EvaluatorError, SampleError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.kinds import Content, InputKind, decode_text
from genlevel_evaluator.metric import Metric, Presence, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows


@dataclass(frozen=True)
class Settled(Parameters):
    """Who is asked."""

    oracle: str = ""


class Oracle:
    """Says how long a text is, or what it was told to say instead."""

    def __init__(self) -> None:
        self.name = "first"
        self.asked: list[list[str]] = []
        self.instead: dict[str, SampleError] = {}

    def settle(self, parameters: Settled) -> Settled:
        return replace(parameters, oracle=parameters.oracle or self.name)

    def consult(self, samples: Sequence[Sample], parameters: Settled, check: Callable[[], None]) -> list[Any]:
        del parameters
        check()
        self.asked.append([sample.key for sample in samples])
        return [self.instead.get(sample.key, len(sample.prediction)) for sample in samples]


def _observe(sample: Sample, parameters: Settled) -> Row:
    del parameters
    return {"length": float(sample.answer)}


def _missing(sample: Sample, parameters: Settled) -> Row:
    del sample, parameters
    return {"length": 0.0}


def _score(rows: Rows, parameters: Settled) -> Score:
    del parameters
    return Score(float(rows.column("length").sum()))


@pytest.fixture
def oracle(monkeypatch: pytest.MonkeyPatch) -> Oracle:
    import sys

    made = Oracle()
    metric = Metric(
        id="length", version=1, input_kind="text", unit="characters", higher_is_better=True, value_range=(0.0, 1e9), pooling="sample",
        parameters=Settled, columns={"length": Column("f8")}, observe=_observe, score=_score, missing=_missing, settle=made.settle, consult=made.consult,
    )  # fmt: skip
    package, metrics, module, decode = (ModuleType(name) for name in ("toy", "toy.metrics", "toy.metrics.length", "toy.decode"))
    module.METRIC = metric  # type: ignore[attr-defined]
    decode.KINDS = {"text": InputKind("text", strings_are_paths=False, decode=decode_text)}  # type: ignore[attr-defined]
    for item in (package, metrics, module, decode):
        monkeypatch.setitem(sys.modules, item.__name__, item)
    return made


def scorer(**given: Any) -> Scorer:
    return Scorer.of(Evaluator("toy", "toy", ("length",)), "length", given)


def sample(key: str, prediction: str | None, *references: str) -> RawSample:
    presence = Presence.PREDICTION_MISSING if prediction is None else Presence.BOTH
    return RawSample(key, None if prediction is None else Content(text=prediction), tuple(Content(text=text) for text in references), presence)


def test_only_whole_samples_are_asked_about_and_several_at_a_time(oracle: Oracle) -> None:
    rows, issues = scorer().observe([sample("1", "abc", "a"), sample("2", None, "a"), sample("3", "ab"), sample("4", "a", "b", "c")])
    assert oracle.asked == [["1", "4"]]
    assert [(issue.sample_id, issue.code) for issue in issues] == [("3", "NO_REFERENCE")]
    value = scorer().finalize(rows)
    assert (value.value, value.expected, value.excluded) == (4.0, 3, 1)


@pytest.mark.parametrize(("side", "excluded", "value"), [("infrastructure", 1, 2.0), ("reference", 1, 2.0), ("prediction", 0, 2.0)])
def test_who_gave_no_answer_decides_what_becomes_of_the_sample(oracle: Oracle, side: str, excluded: int, value: float) -> None:
    oracle.instead["1"] = SampleError("SILENT", "no answer", remedy="ask again", side=side)
    rows, (issue,) = scorer().observe([sample("1", "abc", "a"), sample("2", "ab", "a")])
    assert (issue.sample_id, issue.code, issue.severity, issue.remedy) == ("1", "SILENT", side, "ask again")
    found = scorer().finalize(rows)
    assert (found.value, found.excluded, found.expected) == (value, excluded, 2 - excluded)


def test_what_is_settled_is_part_of_the_signature(oracle: Oracle) -> None:
    first = scorer().signature()
    assert "oracle:first" in first.text
    assert scorer(oracle="first").signature() == first
    oracle.name = "second"
    assert scorer().signature().digest != first.digest
    assert scorer(oracle="first").signature() == first


def test_the_budget_reaches_who_is_asked(oracle: Oracle) -> None:
    budget = Budget()
    budget.cancelled = True
    with pytest.raises(EvaluatorError) as caught:
        scorer().observe([sample("1", "a", "a")], budget)
    assert caught.value.code is Code.CANCELLED
    assert oracle.asked == []


def test_nobody_is_asked_about_nothing(oracle: Oracle) -> None:
    for samples in ([], [sample("1", None, "a")]):
        rows, issues = scorer().observe(samples)
        assert (len(rows), issues, oracle.asked) == (len(samples), [], [])
