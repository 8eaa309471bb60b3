"""Printing: JSON for programs, a table on a terminal, tab-separated lines on a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any


def print_json(value: Any) -> None:
    """Print one JSON value; NaN and infinity are refused, as JSON has none."""
    print(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def format_cell(value: Any) -> str:
    """Return a cell as text: nothing for None, two decimals at least six significant digits for floats."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> None:
    """Print rows as a table on a terminal and as tab-separated lines with a header on a pipe."""
    cells = [[format_cell(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(columns, cells, title)
        return
    print("\t".join(columns))
    for row in cells:
        print("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))


def _print_rich(columns: Sequence[str], cells: list[list[str]], title: str | None) -> None:
    # rich takes a tenth of a second to import, so pipes and --json do not pay for it.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def print_notes(lines: Iterable[str]) -> None:
    """Print lines that are not part of the answer, on standard error."""
    for line in lines:
        print(line, file=sys.stderr)


def print_lines(lines: Iterable[str]) -> None:
    """Print plain lines on standard output."""
    for line in lines:
        print(line)
