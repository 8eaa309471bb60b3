"""Mergeable states: rows of typed columns, keyed by sample.

A state is a set of rows, one a sample. Merging is the union of the rows, so shards may be scored anywhere, retried and split;
`score` sees the rows in key order, so every sharding gives the same bits. Feature columns of set metrics may be folded into
moments when they grow past `FOLD_ROWS` rows; from then on equality holds to rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.keys import Keys, ragged_index

FOLD_ROWS = 4096
"""Feature rows of one column that are kept as rows; beyond, they are folded into moments (metric-decisions R9)."""

_COMPARED = 4096  # repeated rows compared at a time

Row = Mapping[str, Any]
"""What `observe` returns: one value for each column of the metric."""


@dataclass(frozen=True)
class Column:
    """Type of a column.

    Args:
        dtype: `u1`, `i8`, `f4` or `f8`.
        shape: shape of one element, `()` for scalars.
        ragged: a row holds any number of elements (an array of shape `(k, *shape)`) instead of one.
        fold: a feature column that may be folded into moments; needs `ragged` and a shape of one dimension.
    """

    dtype: str = "f8"
    shape: tuple[int, ...] = ()
    ragged: bool = False
    fold: bool = False


@dataclass(frozen=True)
class Moments:
    """Count, mean and scatter (sum of outer products of centred rows), float64."""

    count: int
    mean: NDArray[np.float64]
    scatter: NDArray[np.float64]

    @classmethod
    def of(cls, rows: NDArray[Any]) -> Moments:
        """Moments of `rows`, shape (n, d)."""
        data = np.asarray(rows, dtype=np.float64)
        if not len(data):
            return cls(0, np.zeros(data.shape[1]), np.zeros((data.shape[1],) * 2))
        mean = data.mean(axis=0)
        centred = data - mean
        return cls(len(data), mean, centred.T @ centred)

    def merge(self, other: Moments) -> Moments:
        """Moments of both sets together (Chan, Golub and LeVeque)."""
        if not self.count or not other.count:
            return self if self.count else other
        count = self.count + other.count
        delta = other.mean - self.mean
        mean = self.mean + delta * (other.count / count)
        scatter = self.scatter + other.scatter + np.outer(delta, delta) * (self.count * other.count / count)
        return Moments(count, mean, scatter)


@dataclass(frozen=True)
class Rows:
    """Keyed rows. Columns of one element a row are arrays `(n, *shape)`; ragged ones are concatenated, with `lengths`."""

    schema: Mapping[str, Column]
    keys: Keys
    values: Mapping[str, NDArray[Any]]
    lengths: Mapping[str, NDArray[np.int64]]
    folded: Mapping[str, Moments] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.keys)

    def column(self, name: str) -> NDArray[Any]:
        """One element a row, shape `(n, *shape)`."""
        return self.values[name]

    def ragged(self, name: str) -> list[NDArray[Any]]:
        """The elements of each row, `n` arrays of shape `(k, *shape)`."""
        ends = np.cumsum(self.lengths[name])
        return [self.values[name][end - size : end] for end, size in zip(ends, self.lengths[name], strict=True)]

    def features(self, name: str) -> NDArray[Any] | Moments:
        """A feature column: its rows `(total, d)`, or its moments where it was folded."""
        return self.folded[name] if name in self.folded else self.values[name]

    def take(self, positions: NDArray[Any]) -> Rows:
        """The rows at `positions` (integers, or a mask), in that order."""
        if positions.dtype == bool and positions.all():
            return self
        index = np.flatnonzero(positions) if positions.dtype == bool else positions
        values: dict[str, NDArray[Any]] = {}
        lengths: dict[str, NDArray[np.int64]] = {}
        for name, column in self.schema.items():
            if not column.ragged:
                values[name] = self.values[name][index]
                continue
            sizes = self.lengths[name]
            lengths[name] = sizes[index]
            values[name] = self.values[name][ragged_index(sizes, index)]
        return Rows(self.schema, self.keys.take(index), values, lengths, self.folded)

    def nbytes(self) -> int:
        """Size of the column data in bytes."""
        return sum(array.nbytes for array in self.values.values())


def build(schema: Mapping[str, Column], rows: Sequence[tuple[str, Row | None]]) -> Rows:
    """Rows of `(key, row)` pairs, sorted by key. A row of `None` gets zeros and empty ragged columns."""
    keys = Keys.of(key for key, _ in rows)
    values: dict[str, NDArray[Any]] = {}
    lengths: dict[str, NDArray[np.int64]] = {}
    for name, column in schema.items():
        blank = np.zeros((0, *column.shape) if column.ragged else column.shape, dtype=little(column.dtype))
        cells = [blank if row is None else row[name] for _, row in rows]
        if column.ragged:
            lengths[name] = np.array([len(cell) for cell in cells], dtype=np.int64)
            values[name] = _joined(cells, column)
        else:
            values[name] = np.array(cells, dtype=little(column.dtype)).reshape((len(rows), *column.shape))
    return settled(Rows(schema, keys, values, lengths))


def _joined(cells: Sequence[Any], column: Column) -> NDArray[Any]:
    """The elements of ragged cells, one after another."""
    dtype = little(column.dtype)
    if not column.shape and all(type(cell) is list for cell in cells):
        return np.array(list(chain.from_iterable(cells)), dtype=dtype)
    empty = np.zeros((0, *column.shape), dtype=dtype)
    return np.concatenate([empty, *(np.asarray(cell, dtype=dtype) if len(cell) else empty for cell in cells)])


def little(dtype: str) -> str:
    """The numpy name of a column type, little-endian."""
    return dtype if dtype == "u1" else "<" + dtype


def empty(schema: Mapping[str, Column]) -> Rows:
    """No rows."""
    return build(schema, [])


def combine(states: Sequence[Rows]) -> Rows:
    """Union of the rows, sorted by key.

    Raises:
        EvaluatorError: the same key with different content, or a repeated key in a folded column.
    """
    first = states[0]
    values = {name: np.concatenate([state.values[name] for state in states]) for name in first.schema}
    lengths = {
        name: np.concatenate([state.lengths[name] for state in states])
        for name, column in first.schema.items()
        if column.ragged
    }
    keys = Keys.joined([state.keys for state in states])
    return settled(Rows(first.schema, keys, values, lengths, merge_folded([state.folded for state in states])))


def settled(rows: Rows) -> Rows:
    """Rows in the order of their keys, each key once, folded where they are many.

    Raises:
        EvaluatorError: as `combine`.
    """
    index, repeated = rows.keys.order()
    if repeated.any():
        _refuse_conflicts(rows, index, repeated)
        index = index[~repeated]
    if len(index) == len(rows) and bool(np.all(index[1:] > index[:-1])):
        return fold(rows)
    return fold(rows.take(index))


def merge_folded(states: Sequence[Mapping[str, Moments]]) -> dict[str, Moments]:
    """Moments of all states together, by column."""
    result: dict[str, Moments] = {}
    for state in states:
        for name, moments in state.items():
            result[name] = result[name].merge(moments) if name in result else moments
    return result


def _refuse_conflicts(rows: Rows, index: NDArray[np.int64], repeated: NDArray[np.bool_]) -> None:
    """Raises where a row differs from the first with its key."""
    if rows.folded:
        raise EvaluatorError(
            Code.INVALID_ARGUMENT, "REPEATED_SAMPLE", "a sample occurs in two states whose features were already folded",
            "send each sample once",
        )
    firsts = index[~repeated][np.cumsum(~repeated)[repeated] - 1]
    others = index[repeated]
    for start in range(0, len(others), _COMPARED):
        block = slice(start, start + _COMPARED)
        one, other = rows.take(firsts[block]), rows.take(others[block])
        if _equal(one, other):
            continue
        for place in range(len(other)):
            if not _equal(one.take(np.array([place])), other.take(np.array([place]))):
                raise EvaluatorError(
                    Code.INVALID_ARGUMENT, "CONFLICTING_SAMPLE",
                    f"sample {other.keys[place]!r} occurs twice with different content", "give each sample its own id",
                )


def _equal(one: Rows, other: Rows) -> bool:
    same_values = all(one.values[name].tobytes() == other.values[name].tobytes() for name in one.schema)
    return same_values and all(np.array_equal(one.lengths[name], other.lengths[name]) for name in one.lengths)


def fold(rows: Rows) -> Rows:
    """Folds feature columns into moments once any of them has more than `FOLD_ROWS` rows."""
    names = [name for name, column in rows.schema.items() if column.fold]
    if not names or (not rows.folded and max(len(rows.values[name]) for name in names) <= FOLD_ROWS):
        return rows
    values, lengths, folded = dict(rows.values), dict(rows.lengths), dict(rows.folded)
    for name in names:
        moments = Moments.of(values[name])
        folded[name] = folded[name].merge(moments) if name in folded else moments
        values[name] = values[name][:0]
        lengths[name] = np.zeros(len(rows), dtype=np.int64)
    return Rows(rows.schema, rows.keys, values, lengths, folded)
