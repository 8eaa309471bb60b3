"""Rows of many samples as columns, for metrics that count many samples at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.keys import Keys
from genlevel_evaluator.states import Column, Row, Rows, little, settled


class Columns(Sequence[Row]):
    """Rows, one a sample.

    Args:
        values: for each column an array `(n, *shape)`, or the elements of all rows of a ragged one.
        lengths: for each ragged column the number of elements of each row.

    >>> rows = Columns({"a": np.array([1, 2]), "b": np.array([3.0])}, {"b": np.array([0, 1])})
    >>> len(rows), {name: value.tolist() for name, value in rows[1].items()}
    (2, {'a': 2, 'b': [3.0]})
    """

    def __init__(self, values: Mapping[str, NDArray[Any]], lengths: Mapping[str, NDArray[np.int64]]) -> None:
        self.values, self.lengths = values, lengths
        self._rows = len(next(lengths.get(name, array) for name, array in values.items()))

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        if not 0 <= place < len(self):
            raise IndexError(f"row {place} of {len(self)}")
        return {name: array[place] if name not in self.lengths else self._ragged(name, place) for name, array in self.values.items()}

    def _ragged(self, name: str, place: int) -> NDArray[Any]:
        start = int(self.lengths[name][:place].sum())
        return self.values[name][start : start + int(self.lengths[name][place])]

    def keyed(self, schema: Mapping[str, Column], keys: Sequence[str], more: Mapping[str, NDArray[Any]]) -> Rows:
        """A state of them, with more columns."""
        given = {**self.values, **more}
        values = {name: np.asarray(given[name], dtype=little(column.dtype)).reshape((-1, *column.shape)) for name, column in schema.items()}
        lengths = {name: np.asarray(self.lengths[name], dtype=np.int64) for name, column in schema.items() if column.ragged}
        return settled(Rows(schema, Keys.of(keys), values, lengths))
