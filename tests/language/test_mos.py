"""Mean opinion score: worked out with fractions, companions by their definitions, ratings that are none."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import mean, stdev
from typing import Any

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged import LANGUAGE, evaluate, sample

from genlevel_evaluator import media, score, states
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

Table = dict[str, dict[str, float]]

TABLE: Table = {
    "1": {"ann": 4, "bob": 3.5, "cid": 5},
    "2": {"ann": 2, "bob": 2.5},
    "3": {"bob": 4.5},
    "10": {"ann": 1, "cid": 1.5, "dan": 3},
}
STEPS = st.integers(2, 10).map(lambda half: half / 2)
TABLES = st.dictionaries(st.text("abc123", min_size=1), st.dictionaries(st.sampled_from("rstuvw"), STEPS, min_size=1), min_size=1, max_size=12)


def entries(table: Table) -> dict[str, list[dict[str, Any]]]:
    return {item: [{"rater": rater, "score": given} for rater, given in ratings.items()] for item, ratings in table.items()}


def test_it_is_the_mean_of_the_items_means() -> None:
    value, issues = evaluate("mos", entries(TABLE))
    expected = mean(Fraction(sum(map(Fraction, ratings.values()))) / len(ratings) for ratings in TABLE.values())
    assert value.value == pytest.approx(float(expected), abs=1e-15)
    assert (issues, value.expected, value.present, value.unit) == ([], 4, 4, "MOS 1..5")


@given(TABLES)
def test_any_table_gives_its_mean_whatever_the_order(table: Table) -> None:
    value, issues = evaluate("mos", entries(table))
    backwards, _ = evaluate("mos", {item: given[::-1] for item, given in reversed(entries(table).items())})
    expected = mean(Fraction(sum(map(Fraction, ratings.values()))) / len(ratings) for ratings in table.values())
    assert issues == []
    assert value == backwards
    assert value.value is not None
    assert 1 <= value.value <= 5
    assert value.value == pytest.approx(float(expected), rel=1e-14)
    if value.interval is not None:
        assert 1 <= value.interval.low <= value.interval.high <= 5


def test_what_stands_beside() -> None:
    beside = dict(evaluate("mos", entries(TABLE))[0].companions)
    raters = sorted({rater for ratings in TABLE.values() for rater in ratings})
    matrix = [[ratings.get(rater, math.nan) for ratings in TABLE.values()] for rater in raters]
    assert (beside["items"], beside["raters"], beside["ratings"]) == (4, 4, 9)
    assert beside["krippendorff_alpha"] == pytest.approx(krippendorff.alpha(np.array(matrix), level_of_measurement="interval"), abs=1e-12)
    own = {rater: [ratings[rater] for ratings in TABLE.values() if rater in ratings] for rater in raters}
    assert beside["rater_std"] == pytest.approx(mean(stdev(given) for given in own.values() if len(given) > 1), abs=1e-12)
    leaning = {
        rater: mean(ratings[rater] - mean(ratings.values()) for ratings in TABLE.values() if rater in ratings) for rater in raters
    }
    assert beside["rater_bias"] == pytest.approx(mean(map(abs, leaning.values())), abs=1e-12)


def test_the_interval_needs_two_raters_and_draws_them() -> None:
    random = np.random.default_rng(3)
    lone, issues = evaluate("mos", {str(i): [{"rater": "a", "score": int(random.integers(1, 6))}] for i in range(20)})
    assert (lone.interval, lone.warnings, issues) == (None, ("single_rater",), [])
    harsh = {str(i): [{"rater": f"r{r}", "score": 1 + r} for r in range(5)] for i in range(50)}
    wide = evaluate("mos", harsh)[0].interval
    assert wide is not None
    assert wide.high - wide.low > 1, "all items are alike, but the raters are not"
    assert wide.method == "two_way_poisson_bootstrap_1000"


def test_few_raters_are_a_warning() -> None:
    for raters, warnings in ((1, ("single_rater",)), (4, ("few_raters",)), (5, ())):
        value, _ = evaluate("mos", {str(i): [{"rater": r, "score": 1 + (i + r) % 5} for r in range(raters)] for i in range(4)})
        assert value.warnings == warnings


def test_shards_give_the_same_interval() -> None:
    random = np.random.default_rng(4)
    table = {str(i): {f"r{r}": int(random.integers(2, 11)) / 2 for r in random.permutation(9)[: random.integers(1, 7)]} for i in range(60)}
    scorer = Scorer.of(LANGUAGE, "mos")
    samples = [sample(key, given) for key, given in entries(table).items()]
    whole = scorer.finalize(scorer.observe(samples)[0])
    parts = scorer.finalize(states.combine([scorer.observe(samples[i::4])[0] for i in range(4)]))
    assert whole == parts
    assert whole.interval is not None
    assert whole.interval.low < whole.value < whole.interval.high  # type: ignore[operator]


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ([{"rater": "r1", "score": 0}], "RATING_OUT_OF_RANGE", "rating 0 of rater 'r1'"),
        ([{"rater": "r1", "score": 5.5}], "RATING_OUT_OF_RANGE", "rating 5.5"),
        ([{"rater": "r1", "score": 70}], "RATING_OUT_OF_RANGE", "rating 70 of rater 'r1'"),
        ([{"rater": "r1", "score": -1}], "RATING_OUT_OF_RANGE", "rating -1"),
        ([{"rater": "r1", "score": 10**400}], "RATING_OUT_OF_RANGE", "many digits"),
        ([{"rater": "r1", "score": 3.3}], "NOT_A_STEP", "rating 3.3 of rater 'r1'"),
        ([{"rater": "r1", "score": math.nan}], "NOT_FINITE", "'r1'"),
        ([{"rater": "r1", "score": math.inf}], "NOT_FINITE", "'r1'"),
        ([{"rater": "r1", "score": "4"}], "WRONG_TYPE", "rater 'r1' is a string"),
        ([{"rater": "r1", "score": True}], "WRONG_TYPE", "a truth value"),
        ([{"rater": "r1", "score": None}], "WRONG_TYPE", "null"),
        ([{"rater": "r1"}], "WRONG_TYPE", "'r1'"),
        ([{"rater": "r1", "score": 4}, {"rater": "r1", "score": 4}], "DUPLICATE_RATING", "rater 'r1' rated this item twice"),
        ([{"rater": 1, "score": 4}, {"rater": " 1", "score": 5}], "DUPLICATE_RATING", "rater '1'"),
        ([{"rater": "Jos\u00e9", "score": 4}, {"rater": "Jose\u0301", "score": 5}], "DUPLICATE_RATING", "rated this item twice"),
        ([{"score": 4}], "WRONG_TYPE", "the rater is null"),
        ([{"rater": "  ", "score": 4}], "BAD_NAME", "0 characters"),
        ([{"rater": "x" * 201, "score": 4}], "BAD_NAME", "201 characters"),
        ([{"rater": "\ud800", "score": 4}], "BAD_NAME", "cannot be printed"),
        ([{"rater": False, "score": 4}], "WRONG_TYPE", "a truth value"),
        ([{"rater": "UTMOS-22", "score": 3.5}], "PREDICTED_RATING", "'UTMOS-22' is a program"),
        ([{"rater": "r1", "score": 4, "comment": "nice"}], "UNKNOWN_KEY", "'comment'"),
        ([4, 5], "WRONG_TYPE", "rating 0 is a number"),
        ([], "NO_JUDGEMENTS", "empty"),
        (3.82, "WRONG_TYPE", "got a number"),
        ({"rater": "r1", "score": 4}, "WRONG_TYPE", "got an object"),
        ([{"rater": "r1", "score": 4, "system": "a"}, {"rater": "r1", "score": 4, "system": "b"}], "SEVERAL_SYSTEMS", "2 systems: 'a', 'b'"),
    ],
)
def test_what_is_no_rating_is_refused(given: Any, code: str, words: str) -> None:
    value, issues = evaluate("mos", {"good": [{"rater": "r1", "score": 4}], "bad": given})
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("bad", code, "prediction")]
    assert words in issues[0].message
    assert issues[0].remedy
    assert (value.value, value.expected, value.present) == (4.0, 2, 1)


def test_other_scales_are_told_what_they_are() -> None:
    remedies = [evaluate("mos", {"1": [{"rater": "r", "score": given}]})[1][0].remedy for given in (-1, 80)]
    assert "CMOS" in remedies[0]
    assert "not rescaled" in remedies[1]


def test_too_many_ratings_of_one_item_are_refused() -> None:
    _, issues = evaluate("mos", {"1": [{"rater": i, "score": 4} for i in range(100_001)]})
    assert [issue.code for issue in issues] == ["TOO_MANY_JUDGEMENTS"]


def test_an_item_nobody_rated_lowers_the_coverage() -> None:
    value, issues = evaluate("mos", {"1": [{"rater": "a", "score": 4}], "2": None})
    assert (value.value, value.expected, value.present, value.missing_scored_as_worst, issues) == (4.0, 2, 1, False, [])
    nothing, _ = evaluate("mos", {"1": None})
    assert (nothing.value, nothing.reason, nothing.expected) == (None, "no_reference", 1)


def test_a_reference_is_not_read_and_that_is_said() -> None:
    scorer = Scorer.of(LANGUAGE, "mos")
    given = RawSample("1", Content(json=[{"rater": "a", "score": 4}]), (Content(text="audios/1.wav"),), Presence.BOTH)
    rows, issues = scorer.observe([given])
    assert scorer.finalize(rows).value == 4.0
    assert [(issue.code, issue.severity) for issue in issues] == [("REFERENCE_NOT_READ", "warning")]


SEVERAL = [
    {"rater": "a", "score": 5, "system": "ours"}, {"rater": "a", "score": 2, "system": "base"}, {"rater": "b", "score": 4, "system": "ours"},
]  # fmt: skip


def test_one_file_may_serve_several_systems() -> None:
    assert [evaluate("mos", {"1": SEVERAL}, {"system": name})[0].value for name in ("ours", "base")] == [4.5, 2.0]
    value, issues = evaluate("mos", {"1": SEVERAL}, {"system": "orus"})
    assert (value.value, [issue.code for issue in issues]) == (None, ["SYSTEM_NOT_RATED"])
    assert "'orus'" in issues[0].message


def test_items_of_different_systems_are_not_one_value() -> None:
    value, _ = evaluate("mos", {"1": SEVERAL[:1], "2": SEVERAL[1:2]})
    assert (value.value, value.reason, value.warnings) == (None, "not_comparable", ("several_systems",))


def test_a_file_of_ratings_is_read_as_content() -> None:
    scorer = Scorer.of(LANGUAGE, "mos")
    good = media.from_bytes(b'[{"rater": "a", "score": 4}]', "r.json")
    bad = media.from_bytes(b'[{"rater": "a", "score": NaN}]', "s.json")
    samples = [RawSample(str(i), Content(media=blob), presence=Presence.PREDICTION_ONLY) for i, blob in enumerate((good, bad))]
    rows, issues = scorer.observe(samples)
    assert scorer.finalize(rows).value == 4.0
    assert [(issue.sample_id, issue.code) for issue in issues] == [("1", "BAD_JSON")]


def test_from_python() -> None:
    found = score("mos", [{"id": 1, "prediction": [{"rater": 1, "score": 4}]}, {"id": 2, "prediction": "4"}, {"id": 3}], evaluator="language")
    assert found.value == 4.0
    assert (found.detail.expected, found.detail.present) == (3, 1)
    assert [issue.code for issue in found.issues] == ["WRONG_TYPE"]
