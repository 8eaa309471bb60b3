"""Texts of many samples at once: cut at white space together, each different word looked at once, tokens as numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import chain, count

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.metric import Sample
from genlevel_evaluator.statistics.ngrams_many import Samples, taken
from genlevel_language import segment, tokenizers

Integers = NDArray[np.int64]
_BETWEEN = "\0"
"""Stands behind a text, as a word of its own."""
_BLOCK = 1 << 13
"""Characters that are cut together, about."""


class Words:
    """The words of texts between white space, as numbers."""

    def __init__(self, texts: Sequence[str]) -> None:
        number: defaultdict[str, int] = defaultdict(count().__next__)
        if any(_BETWEEN in text for text in texts):
            self.numbers, self.lengths = _numbers([text.split() for text in texts], number)
        else:
            words = chain.from_iterable(block.split() for block in _blocks(texts))
            numbers = np.fromiter(map(number.__getitem__, chain((_BETWEEN,), words)), dtype=np.int64)
            self.lengths = np.diff(np.flatnonzero(numbers == 0)) - 1
            self.numbers = numbers[numbers > 0]
        self._different = list(number)

    def tokens(self, cut: Callable[[str], Sequence[str]]) -> tuple[Integers, Integers]:
        """The tokens of the texts, and how many each text has, where `cut` gives those of a word."""
        if cut is tokenizers.one_word:
            return self.numbers, self.lengths
        number: defaultdict[str, int] = defaultdict(count().__next__)
        tokens, sizes = _numbers(list(map(cut, self._different)), number)
        if len(sizes) == len(tokens) and (sizes == 1).all():
            return tokens[self.numbers], self.lengths
        ends = np.concatenate([[0], np.cumsum(sizes[self.numbers])])[np.concatenate([[0], np.cumsum(self.lengths)])]
        return taken(tokens, sizes, self.numbers), np.diff(ends)


class Batch:
    """Outputs and references of some samples, each of which has both."""

    def __init__(self, samples: Sequence[tuple[str, Sequence[str]]]) -> None:
        self.samples = samples
        self.texts = [text for output, references in samples for text in (output, *references)]
        self.sizes = np.fromiter((1 + len(references) for _, references in samples), dtype=np.int64, count=len(samples))

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Batch:
        """The texts of samples as a metric gets them."""
        return cls([(sample.prediction, sample.references) for sample in samples])

    @cached_property
    def words(self) -> Words:
        """Words between white space."""
        return Words(self.texts)

    @cached_property
    def not_latin(self) -> list[bool]:
        """For each sample whether a reference has a letter of another script."""
        if all(map(str.isascii, self.texts)):
            return [False] * len(self.samples)
        return [segment.not_latin(references) for _, references in self.samples]

    def cut(self, tokenizer: str, lowercase: bool = False, normalisation: str = "none") -> Samples:
        """What `tokenizers.cut` gives."""
        by_word = tokenizers.by_word(tokenizer, lowercase, normalisation, self.texts)
        if by_word is None:
            return self.each(lambda text: tokenizers.cut(text, tokenizer, lowercase, normalisation))
        return Samples(*self.words.tokens(by_word), self.sizes)

    def rouge_words(self, tokenizer: str, stemmer: bool = False, normalisation: str = "none") -> Samples:
        """What `tokenizers.rouge_words` gives."""
        if tokenizer != "ascii":
            return self.cut(tokenizer, True, normalisation)
        if normalisation != "none":
            return self.each(lambda text: tokenizers.rouge_words(text, tokenizer, stemmer, normalisation))
        return Samples(*self.words.tokens(tokenizers.ascii_by_word(stemmer)), self.sizes)

    def each(self, cut: Callable[[str], Sequence[str]]) -> Samples:
        """The tokens of texts that are cut one by one."""
        return Samples(*_numbers(list(map(cut, self.texts)), defaultdict(count().__next__)), self.sizes)


def _blocks(texts: Sequence[str]) -> Iterator[str]:
    """The texts, each with a mark behind it, some together: few enough that their words stay in the processor's cache."""
    step = max(1, _BLOCK * len(texts) // (1 + sum(map(len, texts))))
    for start in range(0, len(texts), step):
        yield f" {_BETWEEN} ".join([*texts[start : start + step], ""])


def _numbers(texts: Sequence[Sequence[str]], number: defaultdict[str, int]) -> tuple[Integers, Integers]:
    """The tokens of texts one after another, and how many each has."""
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    return np.fromiter(map(number.__getitem__, chain.from_iterable(texts)), dtype=np.int64, count=int(lengths.sum())), lengths
