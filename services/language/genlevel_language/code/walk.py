"""The walk over a syntax tree that collects data flow. It needs no recursion: a statement's reader yields the nodes to be read before
it goes on.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from genlevel_language.code import limits
from genlevel_language.code.rules import Rules
from genlevel_language.code.trees import Tree

COMES, COMPUTED = "comesFrom", "computedFrom"
Reader = Iterator[int]


class Unreadable(Exception):
    """A statement lacks a part that its rule needs."""


class Token(NamedTuple):
    """A word of the text: its number, and what it says."""

    number: int
    text: str
    kind: str


class Edge(NamedTuple):
    """A name, its token, and the tokens and names its value comes from."""

    text: str
    number: int
    how: str
    names: Sequence[str]
    numbers: Sequence[int]


class Walk:
    """Reads the edges of one tree; its subclass reads the statements.

    Args:
        tree: the tree.
        rules: those of its language.
        text_of: what the token at a node says.
        strict: a statement without a needed part voids all edges, instead of being read as a mere sequence.
    """

    def __init__(self, tree: Tree, rules: Rules, text_of: Callable[[int], str], strict: bool) -> None:
        self._tree, self._rules, self._strict = tree, rules, strict
        self._states: dict[str, list[int]] = {}  # the tokens a name may have its value from
        self._edges: list[Edge] = []
        self._steps = 0
        self._tokens = self._number(text_of)
        self._inner = self._with_statements()

    def edges(self) -> list[Edge]:
        """All edges, by the place of their token; none where strict rules met an unreadable statement."""
        try:
            self._read(0)
        except Unreadable:
            return []
        return sorted(self._edges, key=lambda edge: edge.number)

    def _number(self, text_of: Callable[[int], str]) -> list[Token]:
        """The tokens with their numbers."""
        nodes, spans, types = self._tree.tokens, self._tree.spans, self._tree.types
        if not self._tree.faults:
            return [Token(number, text_of(node), types[node]) for number, node in enumerate(nodes)]
        # Of several tokens at one place, such as missing ones, the last speaks for all.
        last = {spans[node]: (number, node) for number, node in enumerate(nodes)}
        speakers = [last[spans[node]] for node in nodes]
        return [Token(number, text_of(one), types[node]) for node, (number, one) in zip(nodes, speakers, strict=True)]

    def _with_statements(self) -> set[int]:
        """The nodes at which a statement of the rules stands, or below which one does."""
        tree, statements = self._tree, self._rules.statements
        inner: set[int] = set()
        for node, kind in enumerate(tree.types):
            if kind in statements and not self._in_token(node):
                while node >= 0 and node not in inner:
                    inner.add(node)
                    node = tree.parents[node]
        return inner

    def _is_token(self, node: int) -> bool:
        place = bisect_left(self._tree.tokens, node)
        return place < len(self._tree.tokens) and self._tree.tokens[place] == node

    def _in_token(self, node: int) -> bool:
        """Whether the node is a token, or stands inside one."""
        place = bisect_right(self._tree.tokens, node) - 1
        return place >= 0 and node < self._tree.close[self._tree.tokens[place]]

    def _step(self, count: int) -> None:
        self._steps += count
        if self._steps > limits.MAX_FLOW_STEPS:
            raise limits.TooComplex("has a data flow that takes too long to follow")

    def _read(self, root: int) -> None:
        inner, types, statements = self._inner, self._tree.types, self._rules.statements
        stack: list[Reader] = [iter((root,))]
        while stack:
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
            elif node in inner:
                self._step(1)
                how = statements.get(types[node])
                stack.append(self._sequence(node) if how is None else self._reader(node, how))
            else:
                self._meet(self._within(node))

    def _reader(self, node: int, how: str) -> Reader:
        try:
            yield from getattr(self, how)(node)
        except Unreadable:  # raised before anything is read
            if self._strict:
                raise
            yield from self._sequence(node)

    def _sequence(self, node: int) -> Reader:
        """Children one after another; what a comprehension runs over is met before what it makes."""
        children = list(self._tree.children(node))
        if self._rules.bare:
            children.sort(key=lambda child: self._rules.statements.get(self._tree.types[child]) != "comprehend")
        return iter(children)

    def _within(self, node: int) -> list[Token]:
        nodes = self._tree.tokens
        first = bisect_left(nodes, node)
        return self._tokens[first : bisect_left(nodes, self._tree.close[node], first)]

    def _variables(self, node: int) -> list[Token]:
        """The tokens below that are no mere words or signs of the language."""
        return [token for token in self._within(node) if token.kind != token.text]

    def _meet(self, tokens: Sequence[Token]) -> None:
        self._step(len(tokens))
        states, edges = self._states, self._edges
        for number, text, kind in tokens:
            if kind == text:
                continue
            known = states.get(text)
            if known is not None:
                if len(known) > 1:
                    self._step(len(known))
                edges.append(Edge(text, number, COMES, (text,), tuple(known)))
                continue
            if kind == "identifier":
                states[text] = [number]
            edges.append(Edge(text, number, COMES, (), ()))

    def _each_from_each(self, names: Sequence[Token], sources: Sequence[Token], how: str) -> None:
        self._step(len(names) * len(sources))
        for name in names:
            self._edges += [Edge(name.text, name.number, how, (source.text,), (source.number,)) for source in sources]
            self._states[name.text] = [name.number]

    def _each_from_all(self, names: Sequence[Token], sources: Sequence[Token]) -> None:
        self._step(len(names) * len(sources))
        texts, numbers = tuple(one.text for one in sources), tuple(one.number for one in sources)
        for name in names:
            self._edges.append(Edge(name.text, name.number, COMPUTED, texts, numbers))
            self._states[name.text] = [name.number]
