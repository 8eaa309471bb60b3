"""User preference: votes counted by hand, scipy's exact test, agreement and strengths by their packages, votes that are none."""

from __future__ import annotations

import math
from typing import Any

import choix
import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged import LANGUAGE, evaluate, sample
from scipy import stats

from genlevel_evaluator import states
from genlevel_evaluator.engine import Scorer
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.statistics.intervals import wilson


def vote(rater: str, choice: str | None, *options: str) -> dict[str, Any]:
    return {"rater": rater, "choice": choice, "options": list(options or ("ours", "base"))}


ITEMS = {
    "1": [vote("a", "ours"), vote("b", "ours"), vote("c", None)],
    "2": [vote("a", "base"), vote("b", "ours")],
    "3": [vote("a", "base"), vote("c", "base"), vote("d", "ours"), vote("e", None)],
}


def test_votes_for_the_system_over_all_votes_ties_half() -> None:
    value, issues = evaluate("user_preference", ITEMS)
    other, _ = evaluate("user_preference", ITEMS, {"system": "base"})
    assert value.value == pytest.approx(100 * (4 + 2 / 2) / 9, abs=1e-12)
    assert value.value + other.value == pytest.approx(100, abs=1e-12)  # type: ignore[operator]
    assert (issues, value.expected, value.present, value.unit) == ([], 3, 3, "percent")
    beside = value.companions
    assert (beside["items"], beside["raters"], beside["votes"], beside["chance"]) == (3, 5, 9, 50)
    assert beside["ties"] == pytest.approx(100 * 2 / 9)
    assert beside["sign_test_p"] == pytest.approx(stats.binomtest(4, 7).pvalue, abs=1e-12)
    assert beside["strength.ours"] == pytest.approx(value.value, abs=1e-8)


VOTES = st.lists(st.tuples(st.sampled_from("rstu"), st.sampled_from(["ours", "base", "third", None])), min_size=1, max_size=8, unique_by=lambda v: v[0])


@given(st.dictionaries(st.text("ab12", min_size=1), VOTES, min_size=1, max_size=8))
def test_any_votes_give_their_share(items: dict[str, list[tuple[str, str | None]]]) -> None:
    options = ("ours", "base", "third")
    given_votes = {key: [vote(rater, choice, *options) for rater, choice in votes] for key, votes in items.items()}
    value, issues = evaluate("user_preference", given_votes)
    backwards, _ = evaluate("user_preference", {key: votes[::-1] for key, votes in reversed(given_votes.items())})
    choices = [choice for votes in items.values() for _, choice in votes]
    expected = 100 * (choices.count("ours") + choices.count(None) / 3) / len(choices)
    assert issues == []
    assert value == backwards
    assert value.value == pytest.approx(expected, abs=1e-9)
    assert value.companions["chance"] == pytest.approx(100 / 3)
    assert "sign_test_p" not in value.companions
    if value.interval is not None:
        assert 0 <= value.interval.low <= value.interval.high <= 100


def test_a_tie_among_four_is_a_quarter_for_each() -> None:
    options = ("a", "b", "c", "d")
    value, _ = evaluate("user_preference", {"1": [vote("r", None, *options), vote("s", "b", *options)]}, {"system": "a"})
    assert (value.value, value.companions["chance"], value.companions["strength.a"]) == (12.5, 25.0, pytest.approx(12.5))


def test_a_system_that_never_lost_has_no_strength() -> None:
    value, _ = evaluate("user_preference", {"1": [vote("r", "ours"), vote("s", "ours")]})
    assert (value.value, value.warnings) == (100.0, ("few_raters", "no_strengths"))
    assert not any(name.startswith("strength.") for name in value.companions)


def test_votes_that_do_not_offer_the_system_count_for_the_strengths_only() -> None:
    items = {
        "1": [vote("a", "ours"), vote("b", "base"), vote("c", "third", "base", "third")],
        "2": [vote("a", "third", "ours", "third"), vote("b", "base", "base", "third"), vote("c", "ours", "ours", "base", "third")],
    }
    value, issues = evaluate("user_preference", items)
    assert issues == []
    assert value.value == pytest.approx(100 * 2 / 4)
    assert (value.companions["votes"], value.companions["chance"]) == (4, pytest.approx(100 * (0.5 * 3 + 1 / 3) / 4))
    assert "mixed_options" in value.warnings
    names = ["base", "ours", "third"]
    data = [
        (names.index(v["choice"]), tuple(names.index(n) for n in v["options"] if n != v["choice"])) for votes in items.values() for v in votes
    ]
    expected = np.exp(choix.mm_top1(3, data, tol=1e-12, max_iter=100_000))
    found = [value.companions[f"strength.{name}"] for name in names]
    assert found == pytest.approx((100 * expected / expected.sum()).tolist(), rel=1e-6)


def test_agreement_is_krippendorffs_over_items_with_the_same_options() -> None:
    value, _ = evaluate("user_preference", ITEMS)
    codes = {"ours": 0.0, "base": 1.0, None: 2.0}
    table = np.full((5, 3), math.nan)
    for column, votes in enumerate(ITEMS.values()):
        for given_vote in votes:
            table["abcde".index(given_vote["rater"]), column] = codes[given_vote["choice"]]
    assert value.companions["krippendorff_alpha"] == pytest.approx(krippendorff.alpha(table, level_of_measurement="nominal"), abs=1e-12)


def test_shards_give_the_same_value_and_interval() -> None:
    random = np.random.default_rng(6)
    items = {
        str(i): [vote(f"r{r}", str(random.choice(["ours", "base"], p=[0.6, 0.4]))) for r in random.permutation(12)[: random.integers(1, 9)]]
        for i in range(50)
    }
    scorer = Scorer.of(LANGUAGE, "user_preference")
    samples = [sample(key, votes) for key, votes in items.items()]
    whole = scorer.finalize(scorer.observe(samples)[0])
    parts = scorer.finalize(states.combine([scorer.observe(samples[i::3])[0] for i in range(3)]))
    assert whole == parts
    assert whole.interval is not None
    assert whole.interval.method == "two_way_poisson_bootstrap_1000"
    assert whole.interval.low < whole.value < whole.interval.high  # type: ignore[operator]


def test_few_votes_and_votes_that_are_all_alike_have_wilsons_interval() -> None:
    few = evaluate("user_preference", ITEMS)[0].interval
    expected = wilson(5, 9)
    assert few is not None
    assert expected is not None
    assert (few.low, few.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    alike = evaluate("user_preference", {str(i): [vote(f"r{r}", "ours") for r in range(10)] for i in range(20)})[0].interval
    expected = wilson(10, 10)
    assert alike is not None
    assert expected is not None
    assert (alike.low, alike.high, alike.method) == (expected.low, pytest.approx(100.0), "wilson")


def test_one_rater_has_no_interval() -> None:
    value, _ = evaluate("user_preference", {str(i): [vote("me", "ours" if i % 3 else "base")] for i in range(40)})
    assert value.interval is None
    assert "single_rater" in value.warnings


def test_the_interval_covers_the_truth_when_raters_have_tastes() -> None:
    """Items and raters lean to one side; 95 % of studies should cover the true share, and no fewer than 89 % of 100 do."""
    hits = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        leaning = 0.55 + random.uniform(-0.2, 0.2, (25, 1)) + random.uniform(-0.2, 0.2, (1, 20))
        wins = random.random((25, 20)) < leaning
        items = {str(i): [vote(f"r{r}", "ours" if wins[i, r] else "base") for r in range(20)] for i in range(25)}
        found = evaluate("user_preference", items)[0].interval
        assert found is not None
        hits += found.low <= 55 <= found.high
    assert hits >= 89


@pytest.mark.parametrize(
    ("given_votes", "code", "words"),
    [
        ([vote("r1", "Ours")], "UNKNOWN_SYSTEM", "rater 'r1' names 'Ours', which is none of 'ours', 'base'"),
        ([vote("r1", "x", "x", "y")], "SYSTEM_NOT_OFFERED", "system 'ours'; they offer 'x', 'y'"),
        ([vote("r1", "ours"), vote("r1", "base")], "DUPLICATE_VOTE", "rater 'r1' voted twice"),
        ([{"rater": "r1", "options": ["ours", "base"]}], "NO_CHOICE", "'r1'"),
        ([{"rater": "r1", "choice": "ours"}], "WRONG_TYPE", "options of rater 'r1' are null"),
        ([vote("r1", "ours", "ours")], "BAD_OPTIONS", "1 options"),
        ([vote("r1", "ours", "ours", "ours ")], "BAD_OPTIONS", "twice"),
        ([vote("r1", "ours", *["ours", *map(str, range(100))])], "BAD_OPTIONS", "101 options"),
        ([vote("r1", "ours", "ours", "")], "BAD_NAME", "0 characters"),
        ([vote("r1", "ours", "ours", "\ud83d")], "BAD_NAME", "cannot be printed"),
        ([{"rater": "r1", "choice": 1, "options": ["ours", "base"]}], "WRONG_TYPE", "chosen system is a number"),
        ([{"rater": None, "choice": None, "options": ["ours", "base"]}], "WRONG_TYPE", "rater is null"),
        ("ours", "WRONG_TYPE", "got a string"),
        ([], "NO_JUDGEMENTS", "empty"),
    ],
)
def test_what_is_no_vote_is_refused(given_votes: Any, code: str, words: str) -> None:
    value, issues = evaluate("user_preference", {"good": [vote("r1", "ours")], "bad": given_votes})
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("bad", code, "prediction")]
    assert words in issues[0].message
    assert issues[0].remedy
    assert (value.value, value.expected, value.present) == (100.0, 2, 1)


def test_a_pair_shown_both_ways_is_two_votes() -> None:
    value, issues = evaluate("user_preference", {"1": [vote("r", "ours", "ours", "base"), vote("r", "base", "base", "ours")]})
    assert (value.value, issues) == (50.0, [])


def test_a_closed_list_of_systems() -> None:
    items = {"1": [vote("r", "ours")], "2": [vote("r", "ours", "ours", "bsae")]}
    value, issues = evaluate("user_preference", items, {"systems": "ours | base"})
    assert [(issue.sample_id, issue.code) for issue in issues] == [("2", "UNKNOWN_SYSTEM")]
    assert "names 'bsae', which is none of 'ours', 'base'" in issues[0].message
    assert (value.value, value.present) == (100.0, 1)


@pytest.mark.parametrize(("parameters", "words"), [({"system": " "}, "give the name"), ({"systems": "a|b"}, "not among systems")])
def test_parameters_that_cannot_be_meant(parameters: dict[str, str], words: str) -> None:
    with pytest.raises(EvaluatorError, match=words):
        Scorer.of(LANGUAGE, "user_preference", parameters)


def test_an_item_nobody_voted_on_lowers_the_coverage() -> None:
    value, issues = evaluate("user_preference", {**ITEMS, "4": None})
    assert (value.expected, value.present, value.missing_scored_as_worst, issues) == (4, 3, False, [])


def test_many_systems_have_no_strengths() -> None:
    items = {str(i): [vote("r", "ours", "ours", f"s{i}"), vote("q", f"s{i}", "ours", f"s{i}")] for i in range(64)}
    value, _ = evaluate("user_preference", items)
    assert value.value == 50.0
    assert "too_many_systems" in value.warnings
    assert not any(name.startswith("strength.") for name in value.companions)
