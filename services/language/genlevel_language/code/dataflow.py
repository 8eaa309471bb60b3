"""Data flow: which occurrence of a name takes its value from which others.

A flow is (name, how, names it comes from), names numbered in the order of their first occurrence, so that renaming changes nothing.
A name comes from the last places that may have set it: a branch leaves what each of its ways set, and loops are read twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from genlevel_language.code.rules import Rules
from genlevel_language.code.trees import Tree
from genlevel_language.code.walk import COMES, COMPUTED, Edge, Reader, Unreadable, Walk

Flows = Counter[tuple[int, str, tuple[int, ...]]]


def flows(tree: Tree, rules: Rules, text_of: Callable[[int], str], strict: bool = False) -> Flows:
    """How often each flow occurs.

    Args:
        tree: the tree.
        rules: those of its language.
        text_of: what the token at a node says.
        strict: a statement without a part that its rule needs voids all flows, instead of being read as a mere sequence.
    """
    edges = Flow(tree, rules, text_of, strict).edges()
    used = {edge.number for edge in edges if edge.numbers}.union(*(edge.numbers for edge in edges))
    merged: dict[int, Edge] = {}
    for edge in edges:
        if edge.number in used:
            first = merged.get(edge.number)
            merged[edge.number] = edge if first is None else _joined(first, edge)
    numbers: dict[str, int] = {}
    found: Flows = Counter()
    for edge in merged.values():
        sources = tuple([numbers.setdefault(name, len(numbers)) for name in edge.names])
        found[numbers.setdefault(edge.text, len(numbers)), edge.how, sources] += 1
    return found


def _joined(first: Edge, other: Edge) -> Edge:
    """Both sets of sources, in the order of their first occurrence."""
    names, numbers = (
        tuple(dict.fromkeys([*left, *right])) for left, right in ((first.names, other.names), (first.numbers, other.numbers))
    )
    return first._replace(names=names, numbers=numbers)


def _needed(*nodes: int | None) -> tuple[int, ...]:
    found = tuple(node for node in nodes if node is not None)
    if len(found) < len(nodes):
        raise Unreadable
    return found


class Flow(Walk):
    """The readers of statements, by the names that rules give them."""

    def define(self, node: int) -> Reader:
        """A name with a value, or without."""
        (name,) = _needed(self._tree.child(node, "name"))
        yield from self._define(name, self._tree.child(node, self._rules.value))

    def define_by_place(self, node: int) -> Reader:
        """The same where exactly two parts are name and value."""
        parts = list(self._tree.children(node))
        yield from self._define(parts[0], parts[1] if len(parts) == 2 else None)

    def define_function(self, node: int) -> Reader:
        """The second and third part of a function: mostly its name and its parameters."""
        parts = list(self._tree.children(node))
        (name,) = _needed(parts[1] if len(parts) > 1 else None)
        yield from self._define(name, parts[2] if len(parts) > 2 else None)

    def _define(self, name: int, value: int | None) -> Reader:
        if value is not None:
            yield value
            self._each_from_each(self._variables(name), self._variables(value), COMES)
            return
        for token in self._variables(name):
            self._edges.append(Edge(token.text, token.number, COMES, (), ()))
            self._states[token.text] = [token.number]

    def assign(self, node: int) -> Reader:
        """Left from right, each name from each."""
        left, right = _needed(self._tree.child(node, "left"), self._tree.child(node, "right"))
        yield right
        self._each_from_each(self._variables(left), self._variables(right), COMPUTED)

    def assign_pairs(self, node: int) -> Reader:
        """Left from right, part by part where both have as many; an annotation without a value says nothing."""
        right = self._tree.child(node, "right")
        if right is None and self._rules.bare:
            return
        left, right = _needed(self._tree.child(node, "left"), right)
        yield from self._pairs(*self._paired(left, right))

    def assign_ends(self, node: int) -> Reader:
        """The first part from the last."""
        _needed(self._tree.child(node, "left"), self._tree.child(node, "right"))
        *_, last = self._tree.children(node)
        yield from self._pairs([node + 1], [last])

    def comprehend(self, node: int) -> Reader:
        """A comprehension's name from the last part: what it runs over."""
        (left,) = _needed(self._tree.child(node, "left"))
        *_, last = self._tree.children(node)
        yield from self._pairs([left], [last])

    def _paired(self, left: int, right: int) -> tuple[list[int], list[int]]:
        lefts, rights = ([part for part in self._tree.children(side) if self._tree.types[part] != ","] for side in (left, right))
        if not lefts or len(lefts) != len(rights):
            return [left], [right]
        if self._is_token(left) or self._is_token(right):  # the signs of a string are no parts of it
            if self._strict:
                raise Unreadable
            return [left], [right]
        return lefts, rights

    def _pairs(self, lefts: Sequence[int], rights: Sequence[int]) -> Reader:
        yield from rights
        for left, right in zip(lefts, rights, strict=True):
            self._each_from_all(self._variables(left), self._variables(right))

    def increment(self, node: int) -> Reader:
        """Names from themselves."""
        names = self._variables(node)
        self._each_from_each(names, names, COMPUTED)
        yield from ()

    def branch(self, node: int) -> Reader:
        """Ways that begin with the same state; after it holds what any of them set."""
        rules, types = self._rules, self._tree.types
        before, current = self._states, dict(self._states)
        ends: list[dict[str, list[int]]] = []
        other = False
        for child in self._tree.children(node):
            alternative = types[child] in rules.alternatives
            other = rules.all_after and (other or alternative)
            if alternative or other:
                self._states = dict(before)
                yield child
                ends.append(self._states)
            else:
                self._states = current
                yield child
                current = self._states
        ends.append(current)
        has_else = "else" in types[node] or any("else" in types[child] for child in self._tree.children(node))
        if rules.before == "always" or not has_else:
            ends.append(before)
        self._states = self._any_of(ends)

    def _any_of(self, ends: Iterable[dict[str, list[int]]]) -> dict[str, list[int]]:
        places: dict[str, set[int]] = {}
        for end in ends:
            self._step(len(end))
            for name, numbers in end.items():
                places.setdefault(name, set()).update(numbers)
        return {name: sorted(numbers) for name, numbers in places.items()}

    def repeat(self, node: int) -> Reader:
        """A `for`: all, and once more what follows its head."""
        mark = len(self._edges)
        children = list(self._tree.children(node))
        yield from children
        heads = [place for place, child in enumerate(children) if self._tree.types[child] == self._rules.again_after]
        if heads:
            update = self._tree.child(children[heads[0]], "update") if self._rules.again_after == "for_clause" else None
            if update is not None:
                yield update
            yield from children[heads[0] + 1 :]
        self._merge(mark)

    def twice(self, node: int) -> Reader:
        """A `while`: all, two times."""
        mark = len(self._edges)
        for _ in range(2):
            yield from self._tree.children(node)
        self._merge(mark)

    def each(self, node: int) -> Reader:
        """A loop over a sequence, each name from each."""
        name, value, body = _needed(*(self._tree.child(node, field) for field in (*self._rules.loop_fields, "body")))
        yield from self._each(name, value, body)

    def each_variable(self, node: int) -> Reader:
        """The same where both are variables: first the sequence, then the name."""
        variables = [child for child in self._tree.children(node) if self._tree.types[child] == "variable_name"][:2]
        value, name, body = _needed(*variables, *[None] * (2 - len(variables)), self._tree.child(node, "body"))
        yield from self._each(name, value, body)

    def _each(self, name: int, value: int, body: int) -> Reader:
        mark = len(self._edges)
        for _ in range(2):
            yield value
            self._each_from_each(self._variables(name), self._variables(value), COMPUTED)
            yield body
        self._merge(mark)

    def loop_pairs(self, node: int) -> Reader:
        """A loop over a sequence, part by part; its body is read where it comes last."""
        left, right = _needed(self._tree.child(node, "left"), self._tree.child(node, "right"))
        *_, last = self._tree.children(node)
        yield from self._loop(*self._paired(left, right), last if self._tree.types[last] == "block" else None)

    def loop_pattern(self, node: int) -> Reader:
        """A loop over a sequence, all names from all."""
        left, right, body = _needed(*(self._tree.child(node, field) for field in ("pattern", "value", "body")))
        yield from self._loop([left], [right], body)

    def _loop(self, lefts: Sequence[int], rights: Sequence[int], body: int | None) -> Reader:
        mark = len(self._edges)
        for _ in range(2):
            yield from self._pairs(lefts, rights)
            if body is not None:
                yield body
        self._merge(mark)

    def _merge(self, mark: int) -> None:
        """Of a loop's edges, those of one token and kind become one."""
        merged: dict[tuple[str, int, str], Edge] = {}
        self._step(len(self._edges) - mark)
        for edge in self._edges[mark:]:
            key = edge[:3]
            first = merged.get(key)
            merged[key] = edge if first is None else _joined(first, edge)
        self._edges[mark:] = sorted(merged.values(), key=lambda edge: edge.number)
