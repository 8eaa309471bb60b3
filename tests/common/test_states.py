"""Rows: union, order, repeats, feature rows on disk."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel_evaluator import scratch, states
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.states import Column, Rows

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


FEATURES = {"features": Column("f4", (3,), ragged=True, features=True), "value": Column("f8")}


def feature_shards(numbers: list[int], parts: int) -> list[Rows]:
    def row(number: int) -> states.Row:
        return {"features": np.random.default_rng(number).normal(size=(number % 3, 3)).astype("f4"), "value": float(number)}

    return [states.build(FEATURES, [(str(n), row(n)) for n in numbers[i::parts]]) for i in range(parts)]


@pytest.mark.parametrize("parts", [1, 3, 7])
def test_many_feature_rows_lie_on_disk_with_the_same_bits(parts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = list(range(50))
    whole = states.combine(feature_shards(numbers, 1))
    assert not isinstance(whole.features("features"), np.memmap)
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 100)
    shards = feature_shards(numbers[::-1], parts)
    for merged in (states.combine(shards), states.combine([states.combine(shards[:2]), *shards[2:], shards[0]])):
        assert isinstance(merged.features("features"), np.memmap)
        assert same(merged, whole)
    observed = merged.take(np.arange(50) % 2 == 0)
    assert same(observed, whole.take(np.arange(50) % 2 == 0))
    with pytest.raises(EvaluatorError, match="'4' occurs twice"):
        states.combine([merged, states.build(FEATURES, [("4", {"features": np.ones((1, 3)), "value": 4.0})])])


def test_files_of_rows_have_no_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 100)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    merged = states.combine(feature_shards(list(range(50)), 3))
    assert isinstance(merged.features("features"), np.memmap)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 100)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: open("/dev/full", "wb", buffering=0))  # noqa: SIM115
    with pytest.raises(EvaluatorError, match="cannot be written") as error:
        states.combine(feature_shards(list(range(50)), 3))
    assert (error.value.code.value, error.value.reason) == ("RESOURCE_EXHAUSTED", "NO_ROOM")
    assert "TMPDIR" in error.value.remedy


def test_take_keeps_ragged_rows_together() -> None:
    rows = states.build(SCHEMA, [make(str(i), i) for i in range(6)])
    taken = rows.take(np.array([4, 1]))
    assert taken.keys == ("4", "1")
    np.testing.assert_array_equal(taken.ragged("boxes")[0], rows.ragged("boxes")[4])
    np.testing.assert_array_equal(taken.ragged("scores")[1], rows.ragged("scores")[1])
