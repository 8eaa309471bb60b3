"""The counts of one sample of CodeBLEU: n-grams, n-grams of the reference, subtrees, flows."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from genlevel_evaluator.statistics import ngrams, ngrams_bleu
from genlevel_language.code import dataflow
from genlevel_language.code.comments import without_comments
from genlevel_language.code.keywords import KEYWORDS
from genlevel_language.code.rules import RULES
from genlevel_language.code.shapes import Shapes
from genlevel_language.code.trees import Tree, parse

ORDERS = 4
FIFTHS = 5
"""A keyword weighs 1, any other word a fifth: in fifths all weights are whole."""


@dataclass(frozen=True)
class Reading:
    """How texts are read.

    Attributes:
        language: their language.
        as_published: as package `codebleu` 0.7.0 reads them, where that is a fault too: words after a character outside ASCII cut at
            the wrong place, one statement that is not understood voids all data flow, PHP without its opening tag is no code.
    """

    language: str
    as_published: bool = False

    def program(self, text: str) -> Program:
        """A text with its comments."""
        return Program(text, self)


@dataclass(frozen=True)
class Program:
    """A text with its comments; what follows from it is computed once."""

    text: str
    reading: Reading

    @cached_property
    def tree(self) -> Tree:
        """Its syntax tree."""
        language = self.reading.language
        bare = language == "php" and not self.reading.as_published and "<?" not in self.text
        return parse(self.text, "php_only" if bare else language)

    @cached_property
    def flows(self) -> dataflow.Flows:
        """Its data flow."""
        published = self.reading.as_published
        text_of = _shifted_words(self.tree, self.text) if published and not self.text.isascii() else _words(self.tree, self.text)
        return dataflow.flows(self.tree, RULES[self.reading.language], text_of, strict=published)

    @cached_property
    def stripped(self) -> Program:
        """Without its comments; itself where it has none."""
        text = without_comments(self.text, self.reading.language)
        return self if text == self.text else Program(text, self.reading)


def _words(tree: Tree, text: str) -> Callable[[int], str]:
    data, spans = tree.data, tree.spans

    def word(node: int) -> str:
        start, end = spans[node]
        return data[start:end].decode("utf-8", "replace").replace("\n", "")

    def ascii_word(node: int) -> str:
        start, end = spans[node]
        return text[start:end].replace("\n", "")

    return ascii_word if text.isascii() else word


def _shifted_words(tree: Tree, text: str) -> Callable[[int], str]:
    """Words cut out of the lines by their places in bytes, as if a character were a byte."""
    starts = [0, *(place + 1 for place, byte in enumerate(tree.data) if byte == ord("\n"))]
    lines = text.split("\n")

    def word(node: int) -> str:
        (first, left), (last, right) = (_point(starts, place) for place in tree.spans[node])
        if first == last:
            return lines[first][left:right]
        return "".join([lines[first][left:], *lines[first + 1 : last], lines[last][:right]])

    return word


def _point(starts: Sequence[int], place: int) -> tuple[int, int]:
    row = bisect_right(starts, place) - 1
    return row, place - starts[row]


def word_counts(prediction: str, references: Sequence[str], language: str) -> list[int]:
    """22 - 4 counts of words: matches and totals of the output's n-grams, both lengths, then matches and totals of the references'
    n-grams, those of single words in fifths."""
    hypothesis, tokens = prediction.split(), [reference.split() for reference in references]
    counts = ngrams_bleu.counts(hypothesis, tokens, ORDERS)
    totals = [max(1, total) for total in counts.totals]
    found, wanted = [0] * ORDERS, [0] * ORDERS
    for order in range(1, ORDERS + 1):
        own = ngrams.ngrams(hypothesis, order)
        for words in tokens:
            theirs = ngrams.ngrams(words, order)
            one, all_of = _recall(own, theirs, KEYWORDS[language] if order == 1 else None)
            found[order - 1] += one
            wanted[order - 1] += all_of
    return [*counts.matches, *totals, counts.hypothesis_length, counts.reference_length, *found, *wanted]


def _recall(
    own: Counter[tuple[object, ...]], theirs: Counter[tuple[object, ...]], keywords: frozenset[str] | None
) -> tuple[int, int]:
    """Weight of the reference's n-grams found in the output, and of all of them, at least that of one keyword."""
    if keywords is None:
        return sum(min(count, own[gram]) for gram, count in theirs.items() if gram in own), max(1, theirs.total())
    weight = {gram: FIFTHS if gram[0] in keywords else 1 for gram in theirs}
    found = sum(weight[gram] * min(count, own[gram]) for gram, count in theirs.items() if gram in own)
    return found, max(FIFTHS, sum(weight[gram] * count for gram, count in theirs.items()))


def tree_counts(prediction: Program, references: Sequence[Program]) -> list[int]:
    """Subtrees of the references found in the output, all of them, flows found, all flows."""
    shapes = Shapes()
    counts = [0, 0, 0, 0]
    for reference in references:
        prediction = prediction.stripped  # once more for each reference, as the package does; it seldom changes a thing
        reference = reference.stripped
        wanted, there = shapes.of(reference.tree), set(shapes.of(prediction.tree))
        counts[0] += sum(shape in there for shape in wanted)
        counts[1] += len(wanted)
        counts[2] += (reference.flows & prediction.flows).total() if reference.flows else 0
        counts[3] += reference.flows.total()
    return counts
