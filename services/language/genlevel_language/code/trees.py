"""Syntax trees as flat lists, in the order of the text: what tree-sitter's parsers give, without recursion."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from genlevel_evaluator.errors import SampleError
from genlevel_language.code import limits

_STRINGS = frozenset({"string_literal", "string", "character_literal"})
_GRAMMARS = {"php": ("tree_sitter_php", "language_php"), "php_only": ("tree_sitter_php", "language_php_only")}
_ERROR = 0xFFFF
_MISSING = "(MISSING "
_MAX_DEPTH = 1000
"""Depth of the deepest tree that tree-sitter is asked to write: it does so by recursion."""
_MAX_WRITTEN = 1 << 26
"""Most that is written of one tree, about, in characters."""


@dataclass
class Tree:
    """A syntax tree; node 0 is its root, and the nodes below node i are i + 1 to close[i] - 1.

    Attributes:
        data: the text in UTF-8.
        types: type of each node.
        close: number of the first node that is not below it.
        fields: field of its parent it stands in.
        spans: first byte, and the byte after the last.
        named: whether its type is a name, and no word or sign of the text.
        special: how missing and unexpected parts are written, for the nodes that are such.
        lacking: how nodes are written that lack a part which has no node of its own, such as the end of a line.
        faults: first byte of each node that says the text is not of the language.
    """

    data: bytes
    types: list[str] = field(default_factory=list)
    close: list[int] = field(default_factory=list)
    fields: list[str | None] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    named: list[bool] = field(default_factory=list)
    special: dict[int, str] = field(default_factory=dict)
    lacking: dict[int, str] = field(default_factory=dict)
    faults: list[int] = field(default_factory=list)

    def children(self, node: int) -> Iterator[int]:
        """The children of a node."""
        child, close = node + 1, self.close
        while child < close[node]:
            yield child
            child = close[child]

    def child(self, node: int, name: str) -> int | None:
        """The first child in that field."""
        return next((child for child in self.children(node) if self.fields[child] == name), None)

    def is_token(self, node: int) -> bool:
        """Whether it is taken as one word: it has nothing below, or is a string, and is no comment."""
        kind = self.types[node]
        return (self.close[node] == node + 1 or kind in _STRINGS) and kind != "comment"

    @property
    def fault_line(self) -> int | None:
        """The line, from 1, of the first thing that is not of the language."""
        return self.data.count(b"\n", 0, min(self.faults)) + 1 if self.faults else None


@cache
def _grammar(name: str) -> tuple[Any, list[str], list[bool], list[str | None]]:
    """Language, names of its node types, whether each is named, and names of its fields."""
    module, function = _GRAMMARS.get(name, (f"tree_sitter_{name}", "language"))
    try:
        from tree_sitter import Language

        language = Language(getattr(import_module(module), function)())
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        message = f"the grammar of {name} cannot be loaded ({type(error).__name__}: {error})"
        raise SampleError(
            "NO_GRAMMAR", message, remedy=f"install {module} in the version the service names", side="infrastructure"
        ) from None
    kinds = range(language.node_kind_count)
    types = [language.node_kind_for_id(kind) or "" for kind in kinds]
    fields = [None, *(language.field_name_for_id(number) for number in range(1, language.field_count + 1))]
    return language, types, [language.node_kind_is_named(kind) for kind in kinds], fields


def parse(source: str, grammar: str) -> Tree:
    """The tree of a text. There always is one; `faults` tells where the text is not of the language.

    Raises:
        TooComplex: the parser was stopped.
        SampleError: there is no parser for the language; a fault of the installation.
    """
    from tree_sitter import Parser

    language, types, named, fields = _grammar(grammar)
    tree = Tree(source.encode("utf-8", "replace"))
    steps = 0

    def stop(*_: object) -> bool:
        nonlocal steps
        steps += 1
        return steps > limits.MAX_PARSER_STEPS

    try:
        parsed = Parser(language).parse(lambda place, _: tree.data[place : place + (1 << 16)], progress_callback=stop)
    except ValueError:  # how it says that it was stopped
        if steps <= limits.MAX_PARSER_STEPS:
            raise
        raise limits.TooComplex("takes too long to parse") from None
    _flatten(parsed, tree, types, named, fields)
    return tree


def _flatten(parsed: Any, tree: Tree, types: list[str], named: list[bool], fields: list[str | None]) -> None:
    cursor = parsed.walk()
    above: list[int] = []
    close, wrong = tree.close, parsed.root_node.has_error
    faulty: dict[int, Any] = {}
    deepest = 0
    while True:
        node, place = cursor.node, len(close)
        kind, span = node.kind_id, (node.start_byte, node.end_byte)
        number = cursor.field_id
        tree.types.append(types[kind] if kind != _ERROR else "ERROR")
        tree.named.append(kind == _ERROR or named[kind])
        tree.fields.append(fields[number] if number else None)
        tree.spans.append(span)
        close.append(place + 1)
        if kind == _ERROR or (span[0] == span[1] and node.is_missing):
            tree.faults.append(span[0])
            if not node.child_count:
                tree.special[place] = str(node)
        if wrong and node.has_error:
            faulty[place] = node
        if cursor.goto_first_child():
            above.append(place)
            deepest = max(deepest, len(above))
            continue
        while not cursor.goto_next_sibling():
            if not above:
                if deepest < _MAX_DEPTH and deepest * len(tree.data) < _MAX_WRITTEN:
                    _find_lacking(tree, faulty)
                return
            cursor.goto_parent()
            close[above.pop()] = len(close)


def _find_lacking(tree: Tree, faulty: dict[int, Any]) -> None:
    """Nodes that lack a part no node stands for: more is written as missing there than the nodes below account for."""
    seen = sorted(place for place, written in tree.special.items() if written.startswith(_MISSING))
    waiting = [(0, _hidden(tree, faulty, 0, seen))] if 0 in faulty else []
    while waiting:
        place, hidden = waiting.pop()
        if not hidden:
            continue
        below = [(child, _hidden(tree, faulty, child, seen)) for child in tree.children(place) if child in faulty]
        if hidden > sum(count for _, count in below):
            tree.lacking[place] = str(faulty[place])
            tree.faults.append(tree.spans[place][1])
        waiting += below


def _hidden(tree: Tree, faulty: dict[int, Any], place: int, seen: list[int]) -> int:
    """How many missing parts at or below a node have no node."""
    return str(faulty[place]).count(_MISSING) - (bisect_left(seen, tree.close[place]) - bisect_left(seen, place))
