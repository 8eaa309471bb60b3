"""Tokenizers whose rules never look past white space, word by word: a word that was cut before is looked up.

Language repeats its words, so a text costs one look-up a word instead of a chain of expressions over all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

MAX_WORDS = 1 << 15
"""Most words that are kept; then all are forgotten."""
MAX_LETTERS = 32
"""Longest word that is kept."""


class WordCache(dict[str, tuple[str, ...]]):
    """Tokens of words.

    >>> cache = WordCache(lambda word: word.split("-"))
    >>> cache.tokens(["a-b", "c", "a-b"]), sorted(cache)
    (['a', 'b', 'c', 'a', 'b'], ['a-b', 'c'])
    """

    def __init__(self, cut: Callable[[str], Iterable[str]]) -> None:
        super().__init__()
        self._cut = cut

    def __missing__(self, word: str) -> tuple[str, ...]:
        tokens = tuple(self._cut(word))
        if len(word) <= MAX_LETTERS:
            if len(self) >= MAX_WORDS:
                self.clear()
            self[word] = tokens
        return tokens

    def tokens(self, words: Iterable[str]) -> list[str]:
        """The tokens of words, in their order."""
        return list(chain.from_iterable(map(self.__getitem__, words)))
