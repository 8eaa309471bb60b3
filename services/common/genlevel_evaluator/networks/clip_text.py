"""The tokenizer of CLIP: byte-level pair encoding of lower-cased words, 77 places.

The text is repaired (ftfy), HTML entities are resolved twice, runs of white space become one space, letters are lower-cased. A text
of more than 75 pieces is cut: its first 75 are kept, between the start and the end mark. Shorter ones are filled up with zeros.
"""

from __future__ import annotations

import functools
import gzip
import html
from pathlib import Path

import numpy as np
import regex
from numpy.typing import NDArray

from genlevel_evaluator.networks import byte_pairs

LENGTH = 77
_MERGES = 49_152 - 256 - 2
_WORDS = regex.compile(r"<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+", regex.IGNORECASE)


class Tokenizer:
    """Text to numbers. `path` is bpe_simple_vocab_16e6.txt.gz."""

    def __init__(self, path: Path) -> None:
        lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")[1 : _MERGES + 1]
        pairs = [(first, second) for first, second in (line.split() for line in lines)]
        self._ranks = {pair: rank for rank, pair in enumerate(pairs)}
        # The vocabulary lists the printable bytes first, in order, then the others: the order of their letters.
        single = sorted(byte_pairs.letters())
        vocabulary = [*single, *(letter + "</w>" for letter in single), *(first + second for first, second in pairs)]
        self._numbers = {piece: number for number, piece in enumerate([*vocabulary, "<start_of_text>", "<end_of_text>"])}
        self._marks = (self._numbers["<start_of_text>"], self._numbers["<end_of_text>"])
        self._pieces = functools.lru_cache(maxsize=65_536)(self._split)

    def __call__(self, text: str) -> NDArray[np.int64]:
        """The numbers of a text, shape (77,)."""
        found: list[int] = []
        for word in _WORDS.findall(clean(text)):
            found += self._pieces(word)
            if len(found) >= LENGTH:
                break
        start, end = self._marks
        numbers = np.zeros(LENGTH, dtype=np.int64)
        kept = [start, *found[: LENGTH - 2], end]
        numbers[: len(kept)] = kept
        return numbers

    def _split(self, word: str) -> tuple[int, ...]:
        """Numbers of the pieces of a word: neighbours are joined, the pair learnt earliest first."""
        if word in ("<start_of_text>", "<end_of_text>"):
            return (self._numbers[word],)
        pieces = byte_pairs.spelled(word)
        pieces[-1] += "</w>"
        return tuple(self._numbers[piece] for piece in byte_pairs.merged(pieces, self._ranks))


def clean(text: str) -> str:
    """The text as it is cut into words."""
    import ftfy

    return " ".join(html.unescape(html.unescape(ftfy.fix_text(text))).split()).lower()
