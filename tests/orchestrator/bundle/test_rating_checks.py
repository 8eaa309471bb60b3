"""What `validate` says of a judgement is what the evaluator will say: no more, no less."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_language import judgements
from genlevel_orchestrator.bundle import rating_checks
from genlevel_orchestrator.bundle.ratings import SHEETS

NAMES = st.sampled_from(["ann", "ours", "base", " base", "", "  ", "x" * 200, "x" * 201, "a\nb", "\ud800", "UTMOS", "\u732b", "predicted", "e\u0301" * 200, "Jose\u0301"])
ODD = st.one_of(st.none(), st.booleans(), st.integers(-3, 8), st.just(10**400), st.floats(-2, 7, width=16), NAMES, st.just([]))
RATING = st.fixed_dictionaries(
    {}, optional={"rater": NAMES | ODD, "score": st.sampled_from([1, 5, 3.5, 4.0, 3.3, 0, 70]) | ODD, "system": NAMES | ODD, "note": st.just("x")}
)
OPTIONS = st.lists(NAMES, max_size=4) | st.just(["a"] * 2) | st.just([f"s{i}" for i in range(101)]) | ODD
VOTE = st.fixed_dictionaries({}, optional={"rater": NAMES, "choice": NAMES | ODD, "options": OPTIONS, "score": st.just(4)})


def accepted(kind: str, entry: Any) -> bool:
    try:
        load("language").kinds[kind].read(Content(json=[entry]), "prediction", {})
    except SampleError:
        return False
    return True


@given(RATING | ODD)
@example({"rater": "ann", "score": 4, "system": "ours"})
@example({"rater": 7, "score": 3.5})
def test_ratings(entry: Any) -> None:
    assert (rating_checks.problem(entry, SHEETS["mos"]) is None) == accepted("ratings", entry)


@given(VOTE | ODD)
@example({"rater": "ann", "choice": "ours ", "options": ["ours", " base"]})
@example({"rater": "ann", "choice": None, "options": ["ours", "base"]})
@example({"rater": "ann", "choice": "ours", "options": ["ours", "ours "]})
@example({"rater": "ann", "choice": "Jos\u00e9", "options": ["ours", "Jose\u0301"]})
@example({"rater": "ann", "choice": None, "options": ["Jos\u00e9", "Jose\u0301"]})
def test_votes(entry: Any) -> None:
    assert (rating_checks.problem(entry, SHEETS["user_preference"]) is None) == accepted("votes", entry)


@pytest.mark.parametrize("name", ["LONGEST_NAME", "MOST_OPTIONS", "PREDICTORS"])
def test_both_know_the_same_limits(name: str) -> None:
    assert getattr(rating_checks, name) == getattr(judgements, name)
