"""Rows: union, order, repeats, folding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel_evaluator import states
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.states import Column, Moments, Rows

SCHEMA = {"value": Column("f8"), "pair": Column("i8", (2,)), "scores": Column("f4", ragged=True), "boxes": Column("f8", (4,), ragged=True)}


def make(key: str, seed: int) -> tuple[str, states.Row]:
    rng = np.random.default_rng(seed)
    size = int(rng.integers(0, 4))
    return key, {"value": rng.normal(), "pair": rng.integers(0, 9, 2), "scores": rng.random(size), "boxes": rng.random((size, 4))}


def same(left: Rows, right: Rows) -> bool:
    return left.keys == right.keys and all(
        left.values[name].tobytes() == right.values[name].tobytes() and np.array_equal(left.lengths.get(name, 0), right.lengths.get(name, 0))
        for name in left.schema
    )


@given(st.lists(st.integers(0, 40), unique=True, max_size=12), st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_grouping_and_order_gives_the_same_bits(numbers: list[int], random: object, parts: int) -> None:
    rows = [make(str(n), n) for n in numbers]
    whole = states.build(SCHEMA, rows)
    random.shuffle(rows)  # type: ignore[attr-defined]
    shards = [states.build(SCHEMA, rows[i::parts]) for i in range(parts)]
    assert same(states.combine(shards), whole)
    assert same(states.combine([states.combine(shards[:2]), *shards[2:]]), whole)


def test_keys_sort_as_numbers_only_when_all_are() -> None:
    assert states.build(SCHEMA, [make(k, 1) for k in ("10", "9", "100")]).keys == ("9", "10", "100")
    assert states.build(SCHEMA, [make(k, 1) for k in ("10", "9", "x")]).keys == ("10", "9", "x")


def test_equal_repeats_are_harmless_and_others_refused() -> None:
    once = states.build(SCHEMA, [make("1", 1), make("2", 2)])
    assert same(states.combine([once, once]), once)
    with pytest.raises(EvaluatorError, match="'1' occurs twice"):
        states.combine([once, states.build(SCHEMA, [make("1", 7)])])


def test_features_fold_past_the_limit_and_moments_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(states, "FOLD_ROWS", 10)
    schema = {"features": Column("f4", (3,), ragged=True, fold=True)}
    rng = np.random.default_rng(0)
    data = rng.normal(size=(24, 3)).astype("f4")
    shards = [states.build(schema, [(str(i), {"features": data[i : i + 1]}) for i in range(start, start + 8)]) for start in (0, 8, 16)]
    merged = states.combine(shards)
    moments = merged.features("features")
    assert isinstance(moments, Moments)
    assert moments.count == 24
    np.testing.assert_allclose(moments.mean, data.astype("f8").mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.scatter / 23, np.cov(data.astype("f8"), rowvar=False), rtol=1e-10)
    with pytest.raises(EvaluatorError, match="already folded"):
        states.combine([merged, shards[0]])


def test_take_keeps_ragged_rows_together() -> None:
    rows = states.build(SCHEMA, [make(str(i), i) for i in range(6)])
    taken = rows.take(np.array([4, 1]))
    assert taken.keys == ("4", "1")
    np.testing.assert_array_equal(taken.ragged("boxes")[0], rows.ragged("boxes")[4])
    np.testing.assert_array_equal(taken.ragged("scores")[1], rows.ragged("scores")[1])
