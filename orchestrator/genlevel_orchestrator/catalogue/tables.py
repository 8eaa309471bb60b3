"""Reading the catalogue's CSV files: cells become values, and every fault is noted instead of raised."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from genlevel_orchestrator.errors import UserError

Item = TypeVar("Item")


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a data file: where it is, what it is, and how to mend it."""

    file: str
    row: int | None
    column: str | None
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = self.file
        if self.row is not None:
            place += f", row {self.row}"
        if self.column is not None:
            place += f", column {self.column}"
        return f"{place}: {self.problem}; {self.remedy}"


class CatalogueError(UserError):
    """The catalogue's files are faulty; carries every fault found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        lines = "\n".join(f"  {fault}" for fault in self.faults)
        super().__init__(
            f"the catalogue has {len(self.faults)} fault(s):\n{lines}",
            remedy="Mend the rows named above; the columns are described in docs/catalogue.md.",
            details=[fault.__dict__ for fault in self.faults],
        )


@dataclass
class Row:
    """One row of a table; its getters note a fault and return a harmless value when a cell is wrong."""

    file: str
    number: int
    cells: Mapping[str, str]
    faults: list[Fault]
    sound: bool = field(default=True)

    def fault(self, column: str | None, problem: str, remedy: str) -> None:
        """Note a fault of this row."""
        self.sound = False
        self.faults.append(Fault(self.file, self.number, column, problem, remedy))

    def text(self, column: str) -> str:
        """Return a cell that must not be empty."""
        value = self.cells[column]
        if not value.strip():
            self.fault(column, "the cell is empty", "write a value")
        elif value != value.strip():
            self.fault(column, f"{value!r} has blanks at its ends", "remove them")
        return value

    def optional(self, column: str) -> str | None:
        """Return a cell that may be empty."""
        return self.cells[column] or None

    def choice(self, column: str, allowed: Iterable[str]) -> str:
        """Return a cell that must be one of a few words."""
        value = self.cells[column]
        words = tuple(allowed)
        if value not in words:
            self.fault(column, f"{value!r} is not allowed", f"write one of {', '.join(words)}")
        return value

    def number_or_none(self, column: str) -> float | None:
        """Return a finite number, or None for an empty cell."""
        value = self.cells[column]
        if not value:
            return None
        try:
            number = float(value)
        except ValueError:
            self.fault(column, f"{value!r} is not a number", "write a decimal number")
            return None
        if not math.isfinite(number):
            self.fault(column, f"{value!r} is not finite", "write a finite number")
            return None
        return number

    def required_number(self, column: str) -> float:
        """Return a finite number."""
        if not self.cells[column]:
            self.fault(column, "the cell is empty", "write a number")
            return 0.0
        number = self.number_or_none(column)
        return 0.0 if number is None else number

    def integer(self, column: str) -> int:
        """Return a whole number."""
        number = self.required_number(column)
        if number != int(number):
            self.fault(column, f"{self.cells[column]!r} is not a whole number", "write an integer")
        return int(number)

    def words(self, column: str, separator: str) -> tuple[str, ...]:
        """Return the parts of a cell that lists several values."""
        parts = [part.strip() for part in self.cells[column].split(separator)]
        if self.cells[column] and not all(parts):
            self.fault(column, "the list has an empty part", f"separate values with a single {separator!r}")
        return tuple(part for part in parts if part)

    def json_object(self, column: str) -> dict[str, Any]:
        """Return a JSON object; an empty cell is the empty object."""
        text = self.cells[column]
        if not text:
            return {}
        try:
            value = json.loads(text)
        except ValueError as error:
            self.fault(column, f"not JSON ({error})", 'write an object such as {"pooling": "corpus"}')
            return {}
        if not isinstance(value, dict):
            self.fault(
                column, "the JSON value is not an object", 'write an object such as {"pooling": "corpus"}'
            )
            return {}
        return value


def read_rows(path: Path, columns: tuple[str, ...], faults: list[Fault]) -> Iterator[Row]:
    """Yield the rows of a CSV file that have the right columns; faults of form are noted."""
    text = _read_text(path, faults)
    if text is None:
        return
    reader = csv.reader(io.StringIO(text, newline=""))
    header = next(reader, [])
    for column in columns:
        if column not in header:
            faults.append(Fault(path.name, 1, column, "the column is missing", "add it to the header"))
    for column in header:
        if column not in columns:
            faults.append(
                Fault(path.name, 1, column, "the column is unknown", "remove it or correct its name")
            )
    if set(header) != set(columns):
        return
    for cells in reader:
        # The header is line 1; a quoted line break would make physical lines and rows differ.
        number = reader.line_num
        if len(cells) != len(header):
            problem = f"the row has {len(cells)} cells, the header {len(header)}"
            faults.append(Fault(path.name, number, None, problem, "quote cells that contain commas"))
            continue
        yield Row(path.name, number, dict(zip(header, cells, strict=True)), faults)


def _read_text(path: Path, faults: list[Fault]) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        faults.append(Fault(path.name, None, None, f"{path} does not exist", "restore the file"))
    except UnicodeDecodeError as error:
        faults.append(
            Fault(path.name, None, None, f"not UTF-8 at byte {error.start}", "save the file as UTF-8")
        )
    except OSError as error:
        faults.append(Fault(path.name, None, None, f"cannot be read ({error})", "check its permissions"))
    return None


def unique(items: Iterable[tuple[Row, Item]], column: str, key: Callable[[Item], str]) -> dict[str, Item]:
    """Index items by key; a key that occurs twice is a fault of the later row."""
    found: dict[str, Item] = {}
    first_rows: dict[str, int] = {}
    for row, item in items:
        value = key(item)
        if value in found:
            row.fault(column, f"{value!r} stands in row {first_rows[value]} too", "make it unique")
            continue
        found[value] = item
        first_rows[value] = row.number
    return found
