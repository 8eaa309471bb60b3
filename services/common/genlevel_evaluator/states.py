"""Mergeable states: rows of typed columns, keyed by sample.

A state is a set of rows, one a sample. Merging is the union of the rows, so shards may be scored anywhere, retried and split;
`score` sees the rows in key order, so every sharding gives the same bits. Feature columns of set metrics may be folded into
moments when they grow past `FOLD_ROWS` rows; from then on equality holds to rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator import scratch
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.keys import Keys, ragged_index

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
        features: rows of features, many and long: past a limit they lie on disk. Needs `ragged`.
    """

    dtype: str = "f8"
    shape: tuple[int, ...] = ()
    ragged: bool = False
    features: bool = False


@dataclass(frozen=True)
class Rows:
    """Keyed rows. Columns of one element a row are arrays `(n, *shape)`; ragged ones are concatenated, with `lengths`."""

    schema: Mapping[str, Column]
    keys: Keys
    values: Mapping[str, NDArray[Any]]
    lengths: Mapping[str, NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.keys)

    def column(self, name: str) -> NDArray[Any]:
        """One element a row, shape `(n, *shape)`."""
        return self.values[name]

    def ragged(self, name: str) -> list[NDArray[Any]]:
        """The elements of each row, `n` arrays of shape `(k, *shape)`."""
        ends = np.cumsum(self.lengths[name])
        return [self.values[name][end - size : end] for end, size in zip(ends, self.lengths[name], strict=True)]

    def features(self, name: str) -> NDArray[Any]:
        """The rows of a feature column, shape `(total, d)`; many of them lie on disk."""
        return self.values[name]

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
            places = ragged_index(sizes, index)
            values[name] = scratch.picked(self.values[name], places) if column.features else self.values[name][places]
        return Rows(self.schema, self.keys.take(index), values, lengths)

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
        EvaluatorError: the same key with different content.
    """
    gathered = Gathering(states[0].schema)
    for state in states:
        gathered.add(state)
    return gathered.rows()


class Gathering:
    """States put together one after another. Feature rows past a limit lie on disk from the moment they come."""

    def __init__(self, schema: Mapping[str, Column]) -> None:
        self._schema = schema
        self._keys: list[Keys] = []
        self._values: dict[str, list[NDArray[Any]]] = {name: [] for name, column in schema.items() if not column.features}
        self._lengths: dict[str, list[NDArray[np.int64]]] = {name: [] for name, column in schema.items() if column.ragged}
        self._features = {name: scratch.Growing(little(column.dtype), column.shape) for name, column in schema.items() if column.features}

    def add(self, rows: Rows) -> None:
        """Takes a state."""
        for name, grown in self._features.items():
            grown.add(rows.values[name])
        for name, arrays in self._values.items():
            arrays.append(rows.values[name])
        for name, sizes in self._lengths.items():
            sizes.append(rows.lengths[name])
        self._keys.append(rows.keys)

    def rows(self) -> Rows:
        """Union of the rows, sorted by key; raises as `combine`. The parts are given up one column after another."""
        if not self._keys:
            return empty(self._schema)
        lengths = {name: np.concatenate(self._lengths.pop(name)) for name in list(self._lengths)}
        values = {
            name: self._features.pop(name).array() if name in self._features else np.concatenate(self._values.pop(name)) for name in self._schema
        }
        keys, self._keys = Keys.joined(self._keys), []
        return settled(Rows(self._schema, keys, values, lengths))


def settled(rows: Rows) -> Rows:
    """Rows in the order of their keys, each key once.

    Raises:
        EvaluatorError: as `combine`.
    """
    index, repeated = rows.keys.order()
    if repeated.any():
        _refuse_conflicts(rows, index, repeated)
        index = index[~repeated]
    if len(index) == len(rows) and bool(np.all(index[1:] > index[:-1])):
        return rows
    return rows.take(index)


def _refuse_conflicts(rows: Rows, index: NDArray[np.int64], repeated: NDArray[np.bool_]) -> None:
    """Raises where a row differs from the first with its key."""
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


def feature_rows(found: Any, width: int) -> NDArray[np.float32]:
    """A vector, or the rows of several, for a column of features of that width; no row of None.

    The columns of a metric have one width whatever its network; shorter vectors are filled up with zeros, which change no product and no distance.

    >>> feature_rows([1.0, 2.0], 3).tolist(), feature_rows(None, 3).shape
    ([[1.0, 2.0, 0.0]], (0, 3))
    """
    if found is None:
        return np.zeros((0, width), dtype=np.float32)
    rows = np.atleast_2d(np.asarray(found, dtype=np.float32))
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])))
