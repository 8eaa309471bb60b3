"""Metrics of what people said: no reference is due, and every item is expected, judged or not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from genlevel_evaluator import codec
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue, SampleError
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.media_messages import Sources
from genlevel_evaluator.media_roots import MediaRoots
from genlevel_evaluator.metric import Metric, Presence, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows


@dataclass(frozen=True)
class PraiseParameters(Parameters):
    """None."""


def observe(sample: Sample, parameters: PraiseParameters) -> Row:
    assert sample.references == ()
    return {"letters": float(len(sample.prediction))}


def score(rows: Rows, parameters: PraiseParameters) -> Score:
    return Score(float(rows.column("letters").sum()))


METRIC = Metric(
    id="praise", version=1, input_kind="text", unit="letters", higher_is_better=True, value_range=(0.0, float("inf")), pooling="sample",
    parameters=PraiseParameters, columns={"letters": Column("f8")}, observe=observe, score=score, reference_free=True,
)  # fmt: skip
SCORER = Scorer(load("language"), METRIC, PraiseParameters())


def run(*samples: RawSample) -> tuple[Value, list[Issue]]:
    rows, issues = SCORER.observe(samples)
    return SCORER.finalize(rows), issues


@pytest.mark.parametrize(
    ("presence", "given", "expected", "present"),
    [
        (Presence.PREDICTION_ONLY, True, 1, 1),
        (Presence.BOTH, True, 1, 1),
        (Presence.PREDICTION_ONLY, False, 1, 0),
        (Presence.PREDICTION_MISSING, False, 1, 0),
        (Presence.REFERENCE_ONLY, False, 0, 0),
    ],
)
def test_every_item_is_expected(presence: Presence, given: bool, expected: int, present: int) -> None:
    value, issues = run(RawSample("1", Content(text="good") if given else None, presence=presence))
    assert (value.expected, value.present, value.excluded, issues) == (expected, present, 0, [])
    assert value.value == (4.0 if given else None)


def test_a_reference_excludes_nothing_even_where_it_cannot_be_read() -> None:
    fault = SampleError("MEDIA_MISSING", "there is no such file", side="reference")
    value, issues = run(
        RawSample("1", Content(text="good"), (Content(json={"not": "text"}),)), RawSample("2", Content(text="fine"), faults=(fault,))
    )
    assert (value.value, value.present, value.excluded) == (8.0, 2, 0)
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [
        ("1", "REFERENCE_NOT_READ", "warning"), ("2", "REFERENCE_NOT_READ", "warning"),
    ]  # fmt: skip


def test_over_the_wire_a_sample_with_no_side_is_an_item_nobody_judged() -> None:
    from genlevel.v1 import sample_pb2

    sources = Sources(MediaRoots.of([]), {})
    sides = [sample_pb2.Sample(id="1"), sample_pb2.Sample(id="2", prediction=sample_pb2.Content(text="good"))]
    value, issues = run(*(codec.decode_sample(message, sources) for message in sides))
    assert (value.value, value.expected, value.present, issues) == (4.0, 2, 1, [])
