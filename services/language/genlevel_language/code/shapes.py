"""Subtrees as numbers that are equal where the subtrees are: where tree-sitter would write them alike."""

from __future__ import annotations

from collections.abc import Hashable

from genlevel_language.code.trees import Tree


class Shapes:
    """Numbers the shapes of subtrees: types and fields of the named nodes, without words and without signs."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def of(self, tree: Tree) -> list[int]:
        """The root's shape, and those of all nodes that have others below, in no particular order."""
        numbers, types, close, fields = self._numbers, tree.types, tree.close, tree.fields
        found: list[int] = []
        # Nodes from the last to the first, so that those below come before; on top lies what stands first in the text.
        done: list[tuple[int, list[tuple[str | None, int]]]] = []
        for node in range(len(types) - 1, -1, -1):
            below: list[tuple[str | None, int]] = []
            end = close[node]
            while done and done[-1][0] < end:
                below += done.pop()[1]
            shown = tree.named[node] or node in tree.special
            if not below and not shown and end == node + 1:
                if node == 0:
                    found.append(numbers.setdefault(types[node], len(numbers)))
                continue
            written = tree.special.get(node) or tree.lacking.get(node, types[node])
            key = (written, tuple(below)) if shown else ('"', written, tuple(below))
            number = numbers.setdefault(key, len(numbers))
            if end > node + 1 or node == 0:
                found.append(number)
            if shown:
                done.append((node, [(fields[node], number)]))
            elif below:  # a sign is not written, but what stands below it is, in its field
                done.append((node, [(name or fields[node], one) for name, one in below]))
        return found
