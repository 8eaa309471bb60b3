"""Whose fault a sample is: the engine's rules for refused sides, on a metric made for the purpose."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import EvaluatorError, Issue, SampleError
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Metric, Parameters, Sample, Score
from genlevel_evaluator.states import Column, Row, Rows


@dataclass(frozen=True)
class LengthParameters(Parameters):
    """None."""


def observe(sample: Sample, parameters: LengthParameters) -> Row:
    if sample.prediction == "crash":
        raise ZeroDivisionError("secret reference")
    if sample.prediction == "refused":
        raise SampleError("REFUSED", "the prediction is of the wrong form", side="prediction")
    if sample.reference == "broken":
        raise SampleError("BROKEN", "the reference is of the wrong form", side="reference")
    return {"length": float(len(sample.prediction))}


def missing(sample: Sample, parameters: LengthParameters) -> Row:
    if sample.reference == "broken":
        raise SampleError("BROKEN", "the reference is of the wrong form", side="reference")
    return {"length": 0.0}


def score(rows: Rows, parameters: LengthParameters) -> Score:
    return Score(float(rows.column("length").sum()))


METRIC = Metric(
    id="length", version=1, input_kind="text", unit="letters", higher_is_better=True, value_range=(0.0, float("inf")), pooling="sample",
    parameters=LengthParameters, columns={"length": Column("f8")}, observe=observe, score=score, missing=missing,
)  # fmt: skip


def run(prediction: str | None, reference: str) -> tuple[Value, list[Issue]]:
    scorer = Scorer(load("language"), METRIC, LengthParameters())
    content = None if prediction is None else Content(text=prediction)
    rows, issues = scorer.observe([RawSample("good", Content(text="abc"), (Content(text="x"),)), RawSample("other", content, (Content(text=reference),))])
    return scorer.finalize(rows), issues


@pytest.mark.parametrize(
    ("prediction", "reference", "codes", "present", "excluded"),
    [
        (None, "x", [], 1, 0),
        ("refused", "x", [("REFUSED", "prediction")], 1, 0),
        ("fine", "broken", [("BROKEN", "reference")], 1, 1),
        (None, "broken", [("BROKEN", "reference")], 1, 1),
        ("refused", "broken", [("REFUSED", "prediction"), ("BROKEN", "reference")], 1, 1),
        ("crash", "x", [("EVALUATOR_FAULT", "infrastructure")], 1, 1),
    ],
)
def test_whose_fault_it_is(prediction: str | None, reference: str, codes: list[tuple[str, str]], present: int, excluded: int) -> None:
    value, issues = run(prediction, reference)
    assert [(issue.code, issue.severity) for issue in issues] == codes
    assert all(issue.sample_id == "other" and "secret" not in issue.message for issue in issues)
    assert (value.value, value.present, value.excluded) == (3.0, present, excluded)


def test_nan_never_leaves_the_engine() -> None:
    broken = Metric(**{**METRIC.__dict__, "score": lambda rows, parameters: Score(float("nan"))})
    scorer = Scorer(load("language"), broken, LengthParameters())
    rows, _ = scorer.observe([RawSample("1", Content(text="a"), (Content(text="x"),))])
    with pytest.raises(EvaluatorError, match="NaN"):
        scorer.finalize(rows)
