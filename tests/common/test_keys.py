"""Keys as columns: what they hold, their order, and that they come back from columns."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from genlevel_evaluator.keys import Keys

# Surrogates, NUL and characters past the basic plane; long common beginnings; numbers that look like integers and are none.
TEXTS = st.one_of(
    st.text(max_size=4), st.text("a\0é\ud800\U0001f600", max_size=20), st.integers(-20, 20).map(str), st.sampled_from(["-0", "007", "1e3", "٣", "9" * 19]),
    st.text("ab", max_size=3).map(lambda end: "a common beginning " + end),
)  # fmt: skip


def sort_key(keys: list[str]) -> list[object]:
    try:
        numbers = [int(key) for key in keys]
    except ValueError:
        return list(keys)
    short = all(len(key.lstrip("-")) <= 18 for key in keys)
    return list(numbers) if short and [str(number) for number in numbers] == keys else list(keys)


def expected(keys: list[str]) -> list[int]:
    return sorted(range(len(keys)), key=sort_key(keys).__getitem__)  # type: ignore[arg-type]


@given(st.lists(TEXTS, max_size=30))
def test_the_order_is_that_of_python(keys: list[str]) -> None:
    found = Keys.of(keys)
    index, repeated = found.order()
    assert index.tolist() == expected(keys)
    ordered = [keys[place] for place in expected(keys)]
    assert list(found.take(index)) == ordered
    assert repeated.tolist() == [place > 0 and ordered[place - 1] == key for place, key in enumerate(ordered)]


def test_many_texts_are_ordered_word_by_word_as_python_orders_them() -> None:
    rng = np.random.default_rng(0)
    ends = ["", "\0", "\0\0", "x", "é", "\U0001f600", "\ud800", "\uffff", "x" * 9]
    keys = [f"val/{rng.integers(900):04d}{'z' * int(rng.integers(20))}{ends[int(rng.integers(len(ends)))]}" for _ in range(5000)]
    index, repeated = Keys.of(keys).order()
    assert index.tolist() == sorted(range(len(keys)), key=keys.__getitem__)
    ordered = sorted(keys)
    assert repeated.tolist() == [False, *(left == right for left, right in pairwise(ordered))]


@given(st.lists(st.lists(TEXTS, max_size=6), min_size=1, max_size=4), st.data())
def test_parts_slices_choices_and_columns_are_those_of_a_list(parts: list[list[str]], data: st.DataObject) -> None:
    whole = [key for part in parts for key in part]
    keys = Keys.joined([Keys.of(part) for part in parts])
    assert keys == whole
    assert [keys[place] for place in range(-len(whole), len(whole))] == whole * 2
    first, last = sorted(data.draw(st.tuples(st.integers(0, len(whole)), st.integers(0, len(whole)))))
    assert keys[first:last] == whole[first:last]
    assert keys[::-1] == whole[::-1]
    assert keys[first:last].order()[0].tolist() == expected(whole[first:last])
    index = np.array(data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=8) if whole else st.just([])), dtype=np.int64)
    taken = keys.take(index)
    assert taken == [whole[place] for place in index.tolist()]
    assert taken.order()[0].tolist() == expected(list(taken))
    values, lengths = keys.columns()
    assert Keys.of_columns(values, lengths) == whole


def test_keys_are_not_held_as_strings() -> None:
    count = 100_000
    for make, bytes_each in ((str, 8), ("sample-{:09d}".format, 16 + 8)):
        parts = [Keys.of(make(number) for number in range(start, start + 1000)) for start in range(0, count, 1000)]
        tracemalloc.start()
        keys = Keys.joined(parts)
        held = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert len(keys) == count
        assert held < 1.01 * count * bytes_each
