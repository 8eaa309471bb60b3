"""entity_f1, event_f1 and relation_f1 against seqeval, scikit-learn and derivations; lists written as text."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from language_texts import evaluate, value
from seqeval.metrics import f1_score as seqeval_f1
from seqeval.scheme import IOB2
from sklearn.metrics import f1_score

from genlevel_language import tuples

TYPES = ["PER", "LOC", "ORG", "MISC"]
Entities = list[dict[str, Any]]


def random_tags(source: random.Random, length: int) -> list[str]:
    """A well-formed IOB2 sequence."""
    tags: list[str] = []
    while len(tags) < length:
        size, kind = source.randint(1, 3), source.choice(TYPES)
        tags += ["O"] * size if source.random() < 0.5 else ["B-" + kind, *["I-" + kind] * (size - 1)]
    return tags[:length]


def disturbed(source: random.Random, tags: list[str]) -> list[str]:
    """The same with some entities renamed and some stretches tagged anew."""
    other = random_tags(source, len(tags))
    cut = source.randint(0, len(tags))
    joined = tags[:cut] + other[cut:]
    if cut < len(joined) and joined[cut].startswith("I-"):
        joined[cut] = "B-" + joined[cut][2:]
    for place in range(1, len(joined)):  # what follows a renamed beginning would be ill-formed
        if joined[place].startswith("I-") and joined[place - 1][2:] != joined[place][2:]:
            joined[place] = "B-" + joined[place][2:]
    return joined


def entities(tags: list[str]) -> Entities:
    found: Entities = []
    for place, tag in enumerate(tags):
        if tag.startswith("B-"):
            found.append({"start": place, "end": place + 1, "type": tag[2:]})
        elif tag.startswith("I-"):
            found[-1]["end"] = place + 1
    return found


def test_by_place_it_equals_seqeval() -> None:
    source = random.Random(4)
    for size in (*range(1, 30), 1500):
        expected = [random_tags(source, source.randint(1, 25)) for _ in range(size)]
        predicted = [disturbed(source, tags) for tags in expected]
        result, issues = evaluate(
            "entity_f1", [(entities(left), [entities(right)]) for left, right in zip(predicted, expected, strict=True)], by="place"
        )
        assert issues == []
        if any(tag != "O" for tags in [*predicted, *expected] for tag in tags):
            assert result.value == pytest.approx(100 * float(seqeval_f1(expected, predicted, mode="strict", scheme=IOB2)), abs=1e-9)
        else:
            assert result.reason == "no_reference"


relation_names = st.sampled_from(["None", "none", "no_relation", "/per/peer", "/per/org", "猫"])
names = st.sampled_from(["Paris", "paris", "Ann", "Ａnn", "北京", ""])
span_lists = st.lists(st.tuples(names, st.sampled_from(["PER", "per", "LOC"])), max_size=6)


@settings(max_examples=150)
@given(st.lists(st.tuples(span_lists, span_lists), min_size=1, max_size=8))
def test_by_text_it_is_a_multiset_f1(task: list[tuple[list[tuple[str, str]], list[tuple[str, str]]]]) -> None:
    def bag(spans: list[tuple[str, str]]) -> Counter[tuple[str, str]]:
        return Counter((text.replace("Ａ", "A"), kind.lower()) for text, kind in spans)

    hits = sum(sum((bag(left) & bag(right)).values()) for left, right in task)
    size = sum(len(left) + len(right) for left, right in task)
    samples = [([{"text": t, "type": k} for t, k in left], [[{"text": t, "type": k} for t, k in right]]) for left, right in task]
    result, issues = evaluate("entity_f1", samples)
    assert issues == []
    assert result.value == (pytest.approx(200 * hits / size, abs=1e-9) if size else None)


def indicator(task: list[tuple[Any, Any]], key: Any) -> tuple[list[list[int]], list[list[int]]]:
    universe = sorted({key(item) for pair in task for side in pair for item in side} | {("", ""), ("", "_")})
    rows = [[[int(name in {key(item) for item in side}) for name in universe] for side in pair] for pair in task]
    return [row[0] for row in rows], [row[1] for row in rows]


def test_events_without_repeats_equal_sklearn() -> None:
    """The value, and each of the rules beside it."""
    source = random.Random(8)
    kinds, triggers, texts = ["Attack", "Die", "Meet"], ["bombed", "fell", "talks"], ["bridge", "mayor"]

    def events() -> Entities:
        pairs = source.sample([(kind, trigger) for kind in kinds for trigger in triggers], k=source.randrange(4))
        return [
            {"type": kind, "trigger": trigger, "arguments": [{"role": "Target", "text": t} for t in texts if source.random() < 0.4]}
            for kind, trigger in pairs
        ]

    task = [(events(), events()) for _ in range(1200)]
    result, issues = evaluate("event_f1", [(left, [right]) for left, right in task])
    assert issues == []
    predicted, expected = indicator(task, lambda event: (event["type"], event["trigger"]))
    assert result.value == pytest.approx(100 * float(f1_score(expected, predicted, average="micro")), abs=1e-9)
    for name, pick in (
        ("type_f1", lambda e: [e["type"]]),
        ("trigger_f1", lambda e: [e["trigger"]]),
        ("with_arguments", lambda e: [(e["type"], a["role"], a["text"]) for a in e["arguments"]]),
    ):
        bags = [[Counter(item for event in side for item in pick(event)) for side in pair] for pair in task]
        hits = sum(sum((left & right).values()) for left, right in bags)
        assert result.companions[name] == pytest.approx(200 * hits / sum(side.total() for pair in bags for side in pair), abs=1e-9)


def test_a_repeated_event_or_entity_counts_twice() -> None:
    event, entity = {"type": "Die", "trigger": "fell"}, {"text": "Ann", "type": "PER"}
    assert value("event_f1", [([event], [[event, event]])]) == pytest.approx(200 / 3)
    assert value("entity_f1", [([entity, entity], [[entity]])]) == pytest.approx(200 / 3)


@settings(max_examples=100)
@given(st.lists(st.tuples(relation_names, relation_names), min_size=1, max_size=20))
def test_relations_equal_sklearn(task: list[tuple[str, str]]) -> None:
    plain = [tuple("null" if name.lower() in ("none", "no_relation") else name for name in pair) for pair in task]
    labels = sorted({name for pair in plain for name in pair} - {"null"})
    result, issues = evaluate("relation_f1", [(left, [right]) for left, right in task])
    assert issues == []
    if not labels:
        assert (result.value, result.reason) == (None, "no_reference")
        return
    oracle = f1_score([right for _, right in plain], [left for left, _ in plain], labels=labels, average="micro", zero_division=0)
    assert result.value == pytest.approx(100 * float(oracle), abs=1e-9)


def test_relations_of_a_large_task_equal_sklearn() -> None:
    source = random.Random(2)
    names = ["none", *[f"/relation/{number}" for number in range(22)]]
    task = [(source.choice(names), source.choices(names, weights=[20] + [1] * 22)[0]) for _ in range(3000)]
    oracle = f1_score([right for _, right in task], [left for left, _ in task], labels=names[1:], average="micro")
    assert value("relation_f1", [(left, [right]) for left, right in task]) == pytest.approx(100 * float(oracle), abs=1e-9)
    with_null = f1_score([right for _, right in task], [left for left, _ in task], average="micro")
    ours = value("relation_f1", [(left, [right]) for left, right in task], null="nothing")
    assert ours == pytest.approx(100 * float(with_null), abs=1e-9)


def test_relation_in_free_text() -> None:
    labels = {"labels": ["none", "/per/org/member_of"]}
    samples = [("The relation is /per/org/member_of.", ["/per/org/member_of"])]
    assert value("relation_f1", samples, labels, extractor="label") == 100.0
    assert value("relation_f1", samples, labels) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        '[{"text": "Ann", "type": "PER"}, {"text": "Paris", "type": "LOC"}]',
        'Here they are:\n```json\n[{"text": "Ann", "type": "PER"}, {"text": "Paris", "type": "LOC"}]\n```',
        "Ann => PER<p>Paris => LOC",
        "(Ann => PER), (Paris => LOC)",
        "(Ann => PER, (Paris => LOC",
        "Ann => per\nParis => loc\n",
    ],
)
def test_entities_written_as_text(text: str) -> None:
    assert value("entity_f1", [(text, [[{"text": "Paris", "type": "LOC"}, {"text": "Ann", "type": "PER"}]])]) == 100.0


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("just words", "BAD_TUPLE"),
        ("a => b => c", "BAD_TUPLE"),
        ('[{"text": 1, "type": "PER"}]', "WRONG_TYPE"),
        ('[{"text": "a"]', "BAD_JSON"),
        ([{"start": 3, "end": 1, "type": "PER"}], "BAD_SPAN"),
        ([{"start": 1, "end": 3, "type": "PER"}], "NO_SPAN"),
        ([{"text": "a", "type": "PER", "score": 1}], "UNKNOWN_KEY"),
        ({"text": "a"}, "WRONG_TYPE"),
    ],
)
def test_bad_entities_are_issues_and_count_as_missing(wrong: Any, code: str) -> None:
    good = [{"text": "Ann", "type": "PER"}]
    result, issues = evaluate("entity_f1", [(wrong, [good]), (good, [good])])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("0", code, "prediction")]
    assert issues[0].remedy
    assert result.value == pytest.approx(200 / 3)
    _, issues = evaluate("entity_f1", [(good, [wrong])])
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "reference")]


def test_nothing_found_is_an_answer() -> None:
    event = {"type": "Die", "trigger": "fell"}
    for nothing in ("", "None", [], "[]"):
        assert value("event_f1", [(nothing, [[event]]), ([event], [[event]])]) == pytest.approx(200 / 3)


def test_a_missing_prediction_never_pays() -> None:
    event = {"type": "Die", "trigger": "fell"}
    for metric, right in (("event_f1", [event]), ("entity_f1", [{"text": "a", "type": "b"}]), ("relation_f1", ["peer"])):
        assert value(metric, [(right, [right]), (None, [right])]) == pytest.approx(200 / 3)
        assert value(metric, [(right, [right]), (None, [[]])]) == pytest.approx(200 / 3)


def test_lists_of_labels_written_as_text() -> None:
    """micro_f1 of the tasks with lists: comma and space separate, brackets hold together, a list is left alone."""
    assert value("micro_f1", [("Paris, London", ["london, paris"])], split="items") == 100.0
    assert value("micro_f1", [("Paris, London", ["london, paris"])]) == 0.0
    triples = ("(A=>near => B), (C => in => D)", ["(C => in => D), (A => near => B)"])
    assert value("micro_f1", [triples], split="items") == 100.0
    assert value("micro_f1", [("(A => near => B", ["(A => near => B)"])], split="items") == 100.0
    assert value("micro_f1", [("(a, b), (c, d)", ["(a, b), (c, e)"])], split="items") == 50.0
    assert value("micro_f1", [("(a, b), (c, d)", ["(a, b), (c, e)"])], split="public") == 75.0
    for split in ("items", "public"):
        assert value("micro_f1", [(["a, b"], [["a, b"]])], split=split) == 100.0
        assert value("micro_f1", [("a, b<p>c", [["a, b", "c"]])], split=split) == 100.0


@settings(max_examples=100)
@given(st.lists(st.text(alphabet="ab ()=>[]", min_size=1, max_size=8), min_size=1, max_size=5))
def test_splitting_loses_nothing_but_commas(parts: list[str]) -> None:
    text = ", ".join(parts)
    assert "".join("".join(tuples.items(text)).split()).replace(",", "") == "".join(text.split()).replace(",", "")
