"""Byte-level pair encoding: what the tokenizers of CLIP and RoBERTa share.

Bytes become letters, and neighbours are joined, the pair that was learnt earliest first.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence

Pair = tuple[str, str]


@functools.cache
def letters() -> tuple[str, ...]:
    """The letter that stands for each byte: itself where it is printable, else one past 255."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    table = {byte: chr(byte) for byte in plain} | {byte: chr(256 + rank) for rank, byte in enumerate(others)}
    return tuple(table[byte] for byte in range(256))


def spelled(word: str) -> list[str]:
    """The letters of the bytes of a word."""
    table = letters()
    return [table[byte] for byte in word.encode("utf-8")]


def merged(pieces: Sequence[str], ranks: Mapping[Pair, int]) -> list[str]:
    """The pieces of a word after all joins.

    >>> merged(["a", "b", "c"], {("b", "c"): 0, ("a", "b"): 1})
    ['a', 'bc']
    """
    found = list(pieces)
    while len(found) > 1:
        best = min(itertools.pairwise(found), key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        found = _joined(found, best)
    return found


def _joined(pieces: list[str], pair: Pair) -> list[str]:
    """The pieces with every occurrence of a pair made one, from the left."""
    result: list[str] = []
    place = 0
    while place < len(pieces):
        if tuple(pieces[place : place + 2]) == pair:
            result.append(pair[0] + pair[1])
            place += 2
        else:
            result.append(pieces[place])
            place += 1
    return result
