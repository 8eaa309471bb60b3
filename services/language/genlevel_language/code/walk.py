"""The walk over a syntax tree that collects data flow. It needs no recursion: a statement's reader yields the nodes to be read before
it goes on.
"""

from __future__ import annotations

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
        self._tokens: list[Token] = []
        self._first = self._number(text_of)
        self._inner = self._with_statements()

    def edges(self) -> list[Edge]:
        """All edges, by the place of their token; none where strict rules met an unreadable statement."""
        try:
            self._read(0)
        except Unreadable:
            return []
        return sorted(self._edges, key=lambda edge: edge.number)

    def _number(self, text_of: Callable[[int], str]) -> list[int]:
        """Numbers the tokens; for each node, how many tokens stand before it."""
        tree, skip = self._tree, 0
        nodes: list[int] = []
        first: list[int] = []
        for node in range(len(tree.types)):
            first.append(len(nodes))
            if node >= skip and tree.is_token(node):
                nodes.append(node)
                skip = tree.close[node]
        first.append(len(nodes))
        # Of several tokens at one place, such as missing ones, the last speaks for all.
        last = {tree.spans[node]: (number, node) for number, node in enumerate(nodes)}
        for node in nodes:
            number, speaker = last[tree.spans[node]]
            self._tokens.append(Token(number, text_of(speaker), tree.types[node]))
        return first

    def _with_statements(self) -> list[bool]:
        """For each node, whether a statement of the rules stands at it or below."""
        tree, statements = self._tree, self._rules.statements
        inner = [False] * len(tree.types)
        above: list[int] = []
        skip = 0
        for node, kind in enumerate(tree.types):
            if node < skip:
                continue
            while above and tree.close[above[-1]] <= node:
                above.pop()
            above.append(node)
            if tree.is_token(node):
                skip = tree.close[node]
            elif kind in statements:
                while above:
                    inner[above.pop()] = True
        return inner

    def _step(self, count: int = 1) -> None:
        self._steps += count
        if self._steps > limits.MAX_FLOW_STEPS:
            raise limits.TooComplex("has a data flow that takes too long to follow")

    def _read(self, root: int) -> None:
        stack: list[Reader] = [iter((root,))]
        while stack:
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
            elif self._inner[node]:
                self._step()
                stack.append(self._reader(node))
            else:
                for token in self._within(node):
                    self._meet(token)

    def _reader(self, node: int) -> Reader:
        how = self._rules.statements.get(self._tree.types[node])
        if how is None:
            yield from self._sequence(node)
            return
        try:
            yield from getattr(self, how)(node)
        except Unreadable:  # raised before anything is read
            if self._strict:
                raise
            yield from self._sequence(node)

    def _sequence(self, node: int) -> Reader:
        """Children one after another; what a comprehension runs over is met before what it makes."""
        children = list(self._tree.children(node))
        ahead = [child for child in children if self._rules.statements.get(self._tree.types[child]) == "comprehend"]
        if ahead:
            yield from ahead
            children = [child for child in children if child not in set(ahead)]
        yield from children

    def _within(self, node: int) -> list[Token]:
        return self._tokens[self._first[node] : self._first[self._tree.close[node]]]

    def _variables(self, node: int) -> list[Token]:
        """The tokens below that are no mere words or signs of the language."""
        return [token for token in self._within(node) if token.kind != token.text]

    def _meet(self, token: Token) -> None:
        self._step()
        number, text, kind = token
        if kind == text:
            return
        known = self._states.get(text)
        if known is not None:
            self._step(len(known))
            self._edges.append(Edge(text, number, COMES, (text,), tuple(known)))
            return
        if kind == "identifier":
            self._states[text] = [number]
        self._edges.append(Edge(text, number, COMES, (), ()))

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
