"""Syntax trees as flat lists, in the order of the text: what tree-sitter's parsers give, without recursion."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
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
        parents: the node it stands in, -1 for the root.
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
    parents: list[int] = field(default_factory=list)
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

    @cached_property
    def tokens(self) -> list[int]:
        """The nodes that are taken as one word: those with nothing below that are no comments, and strings."""
        found, close = [], self.close
        skip = 0
        for node, kind in enumerate(self.types):
            if node >= skip and (close[node] == node + 1 or kind in _STRINGS) and kind != "comment":
                found.append(node)
                skip = close[node]
        return found

    @property
    def fault_line(self) -> int | None:
        """The line, from 1, of the first thing that is not of the language."""
        return self.data.count(b"\n", 0, min(self.faults)) + 1 if self.faults else None


@cache
def _grammar(name: str) -> tuple[Any, dict[int, str], dict[int, bool], dict[int | None, str | None]]:
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
    types = {kind: language.node_kind_for_id(kind) or "" for kind in range(language.node_kind_count)}
    named = {kind: language.node_kind_is_named(kind) for kind in types}
    fields = {number: language.field_name_for_id(number) for number in range(1, language.field_count + 1)}
    return language, types | {_ERROR: "ERROR"}, named | {_ERROR: True}, fields | {None: None, 0: None}


def parse(source: str, grammar: str) -> Tree:
    """The tree of a text. There always is one; `faults` tells where the text is not of the language.

    Raises:
        TooComplex: the parser was stopped.
        SampleError: there is no parser for the language; a fault of the installation.
    """
    from tree_sitter import Parser

    language, types, named, fields = _grammar(grammar)
    tree = Tree(source.encode("utf-8", "replace"))
    steps, stopped, end = 0, False, time.monotonic() + limits.MAX_PARSER_SECONDS

    def stop(*_: object) -> bool:
        nonlocal steps, stopped
        steps += 1
        stopped = steps > limits.MAX_PARSER_STEPS or time.monotonic() > end
        return stopped

    try:
        parsed = Parser(language).parse(lambda place, _: tree.data[place : place + (1 << 16)], progress_callback=stop)
    except ValueError:  # how it says that it was stopped
        if not stopped:
            raise
        raise limits.TooComplex("takes too long to parse") from None
    kinds, numbers = _flatten(parsed, tree)
    tree.types = [types[kind] for kind in kinds]
    tree.named = [named[kind] for kind in kinds]
    tree.fields = [fields[number] for number in numbers]
    return tree


def _flatten(parsed: Any, tree: Tree) -> tuple[list[int], list[int | None]]:
    """Fills in all but what is named; the kind and the field of each node in numbers."""
    cursor, wrong = parsed.walk(), parsed.root_node.has_error
    above: list[int] = [-1]
    kinds: list[int] = []
    numbers: list[int | None] = []
    close, spans, parents = tree.close, tree.spans, tree.parents
    faulty: dict[int, Any] = {}
    deepest = place = 0
    while True:
        node = cursor.node
        kind, start, end = node.kind_id, node.start_byte, node.end_byte
        kinds.append(kind)
        numbers.append(cursor.field_id)
        parents.append(above[-1])
        spans.append((start, end))
        place += 1
        close.append(place)
        if wrong and (kind == _ERROR or node.has_error):
            faulty[place - 1] = node
        if cursor.goto_first_child():
            above.append(place - 1)
            deepest = max(deepest, len(above))
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                if faulty:
                    _find_faults(tree, kinds, faulty, deepest)
                return kinds, numbers
            close[above.pop()] = place


def _find_faults(tree: Tree, kinds: list[int], faulty: dict[int, Any], depth: int) -> None:
    for place, node in faulty.items():
        if kinds[place] == _ERROR or node.is_missing:
            tree.faults.append(tree.spans[place][0])
            if tree.close[place] == place + 1:
                tree.special[place] = str(node)
    if depth < _MAX_DEPTH and depth * len(tree.data) < _MAX_WRITTEN:
        _find_lacking(tree, faulty)


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
