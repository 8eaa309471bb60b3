"""Sample keys as columns, and their order: by value when all keys are integers, else by code point.

A million keys as Python strings are 60 MB and more; here they are 8 bytes each where all are integers, else their UTF-8 and 8 bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

_INTEGER = re.compile(r"(0|-?[1-9][0-9]{0,17})\Z")
_BLOCK = 1 << 14  # keys that are Python strings at a time
_FEW = 256  # tied keys that Python compares sooner than columns of words

_Numbers = NDArray[np.int64]


class Keys(Sequence[str]):
    """Keys of rows, in the order of the rows; a sequence of strings that never changes.

    >>> keys = Keys.of(["10", "9"])
    >>> keys[0], list(keys.take(keys.order()[0]))
    ('10', ['9', '10'])
    >>> Keys.of(["10", "9", "a"]).order()[0].tolist()
    [0, 1, 2]
    """

    __slots__ = ("_data", "_ends", "_numbers")

    def __init__(self, numbers: _Numbers | None, data: NDArray[np.uint8] | None = None, ends: _Numbers | None = None) -> None:
        # Numbers exactly where all keys are integers: which of the two orders holds is thereby known.
        self._numbers, self._data, self._ends = numbers, data, ends

    @classmethod
    def of(cls, keys: Iterable[str]) -> Keys:
        """Keys given as strings."""
        given = list(keys)
        if all(map(_INTEGER.match, given)):
            return cls(np.array([int(key) for key in given], dtype=np.int64))
        encoded = [_encoded(key) for key in given]
        return cls(None, np.frombuffer(b"".join(encoded), dtype=np.uint8), np.cumsum([len(key) for key in encoded], dtype=np.int64))

    @classmethod
    def of_columns(cls, values: NDArray[Any], lengths: NDArray[Any] | None) -> Keys:
        """Keys as `columns` gives them.

        Raises:
            ValueError: they are not UTF-8.
        """
        if lengths is None:
            return cls(np.asarray(values, dtype=np.int64))
        keys = cls(None, np.asarray(values, dtype=np.uint8), np.cumsum(lengths, dtype=np.int64))
        for _ in keys.blocks():  # a key that is not UTF-8 is found now
            pass
        return keys._settled()

    def columns(self) -> tuple[NDArray[Any], _Numbers | None]:
        """The numbers, or bytes in UTF-8 and how many of them each key has."""
        if self._numbers is not None:
            return self._numbers, None
        assert self._data is not None
        assert self._ends is not None
        return self._data, np.diff(self._ends, prepend=0)

    @classmethod
    def joined(cls, parts: Sequence[Keys]) -> Keys:
        """Keys one after another."""
        found = [part for part in parts if len(part)]
        if len(found) < 2:
            return found[0] if found else cls(np.zeros(0, dtype=np.int64))
        numbers = [part._numbers for part in found if part._numbers is not None]
        if len(numbers) == len(found):
            return cls(np.concatenate(numbers))
        columns = [part._texts() for part in found]
        lengths = np.concatenate([sizes for _, sizes in columns])
        return cls(None, np.concatenate([data for data, _ in columns]), np.cumsum(lengths, dtype=np.int64))

    def _texts(self) -> tuple[NDArray[np.uint8], _Numbers]:
        """Bytes, and how many of them each key has, of numbers too."""
        data, lengths = self.columns()
        if lengths is not None:
            return data, lengths
        parts, sizes = [], []
        for start in range(0, len(self), _BLOCK):
            encoded = [b"%d" % number for number in data[start : start + _BLOCK].tolist()]
            parts.append(np.frombuffer(b"".join(encoded), dtype=np.uint8))
            sizes.append(np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded)))
        return np.concatenate(parts), np.concatenate(sizes)

    def _settled(self) -> Keys:
        """Numbers where all of a choice of keys are integers."""
        return Keys.of(self) if self._numbers is None and all(map(_INTEGER.match, self)) else self

    def __len__(self) -> int:
        return len(self._numbers if self._numbers is not None else self._bounds())

    def _bounds(self) -> _Numbers:
        assert self._ends is not None
        return self._ends

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Keys: ...
    def __getitem__(self, place: int | slice) -> str | Keys:
        if isinstance(place, slice):
            first, last, step = place.indices(len(self))
            return self._between(first, max(first, last)) if step == 1 else self.take(np.arange(first, last, step))
        if self._numbers is not None:
            return str(int(self._numbers[place]))
        ends = self._bounds()
        place = range(len(ends))[place]
        assert self._data is not None
        return self._data[int(ends[place - 1]) if place else 0 : int(ends[place])].tobytes().decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self.blocks())

    def blocks(self) -> Iterator[list[str]]:
        """The keys as strings, some of them at a time."""
        for start in range(0, len(self), _BLOCK):
            if self._numbers is not None:
                yield [str(number) for number in self._numbers[start : start + _BLOCK].tolist()]
                continue
            assert self._data is not None
            ends = [int(self._bounds()[start - 1]) if start else 0, *self._bounds()[start : start + _BLOCK].tolist()]
            first, data = ends[0], self._data[ends[0] : ends[-1]].tobytes()
            yield [data[begin - first : end - first].decode("utf-8", "surrogatepass") for begin, end in pairwise(ends)]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Keys | tuple | list):
            return NotImplemented
        return len(self) == len(other) and all(left == right for left, right in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Keys.of({[*self[:5]]!r})" if len(self) <= 5 else f"<{len(self)} keys>"

    def _between(self, first: int, last: int) -> Keys:
        if self._numbers is not None:
            return Keys(self._numbers[first:last])
        assert self._data is not None
        ends = self._bounds()[first:last]
        begin = int(self._bounds()[first - 1]) if first else 0
        return Keys(None, self._data[begin : int(ends[-1]) if last > first else begin], ends - begin)._settled()

    def take(self, index: NDArray[Any]) -> Keys:
        """The keys at these places, in that order."""
        if self._numbers is not None:
            return Keys(self._numbers[index])
        data, lengths = self.columns()
        assert lengths is not None
        chosen = lengths[index]
        return Keys(None, data[ragged_index(lengths, index)], np.cumsum(chosen, dtype=np.int64))._settled()

    def order(self) -> tuple[_Numbers, NDArray[np.bool_]]:
        """Places that sort the keys, equal ones in the order they are in, and which keys of that order equal the one before."""
        if self._numbers is not None:
            numbers = self._numbers
            if bool(np.all(numbers[1:] > numbers[:-1])):
                return np.arange(len(numbers)), np.zeros(len(numbers), dtype=bool)
            index = np.argsort(numbers, kind="stable")
            ordered = numbers[index]
            return index, np.concatenate([[False], ordered[1:] == ordered[:-1]])
        if all(left < right for left, right in pairwise(self)):
            return np.arange(len(self)), np.zeros(len(self), dtype=bool)
        return self._order_of_texts()

    def _order_of_texts(self) -> tuple[_Numbers, NDArray[np.bool_]]:
        """By code point, which UTF-8 keeps: eight bytes at a time, and each time only the keys that are still tied."""
        index = np.arange(len(self))
        repeated = np.zeros(len(self), dtype=bool)
        tied, group, depth = index.copy(), np.zeros(len(self), dtype=np.int64), 0
        while len(tied) > _FEW or (len(tied) and not depth):
            words = self._words(index[tied], depth)
            order = np.lexsort((words, group))
            index[tied] = index[tied][order]
            words, group = words[order], group[order]
            same = np.concatenate([[False], (group[1:] == group[:-1]) & (words[1:] == words[:-1])])
            over = (words & np.uint64(0xFF)) == 0  # the key ended within this word
            repeated[tied[same & over]] = True
            group = np.cumsum(~same)
            still = (same | np.concatenate([same[1:], [False]])) & ~over
            tied, group, depth = tied[still], group[still], depth + 8
        if len(tied):
            self._order_of_few(index, repeated, tied, group)
        return index, repeated

    def _order_of_few(self, index: _Numbers, repeated: NDArray[np.bool_], tied: _Numbers, group: _Numbers) -> None:
        keyed = sorted((int(number), _encoded(self[int(place)]), int(place)) for number, place in zip(group, index[tied], strict=True))
        index[tied] = [place for _, _, place in keyed]
        repeated[tied] = [False, *(left[:2] == right[:2] for left, right in pairwise(keyed))]

    def _words(self, places: _Numbers, depth: int) -> NDArray[np.uint64]:
        """Eight bytes of each key as a number that orders as they do; a byte that is there counts one more, one that is not counts 0."""
        assert self._data is not None
        ends = self._bounds()[places]
        starts = np.where(places > 0, self._bounds()[places - 1], 0) + depth
        words = np.zeros(len(places), dtype=np.uint64)
        for offset in range(8):
            inside = np.flatnonzero(starts + offset < ends)
            words <<= np.uint64(8)
            words[inside] |= self._data[starts[inside] + offset].astype(np.uint64) + np.uint64(1)
        return words


def ragged_index(sizes: NDArray[np.int64], index: NDArray[Any]) -> NDArray[np.int64]:
    """Places of the elements of the rows at `index`, where row i has `sizes[i]` elements, one row after another."""
    starts = np.cumsum(sizes) - sizes
    chosen = sizes[index]
    offsets = np.arange(int(chosen.sum())) - np.repeat(np.cumsum(chosen) - chosen, chosen)
    return np.asarray(np.repeat(starts[index], chosen) + offsets, dtype=np.int64)


def _encoded(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")
