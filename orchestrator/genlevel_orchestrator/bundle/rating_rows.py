"""Files of ratings and votes as rows: CSV with a header, JSON lists and JSON lines."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from genlevel_orchestrator.bundle.fields import MISSING, raw_id
from genlevel_orchestrator.bundle.jsonstream import SampleFile
from genlevel_orchestrator.bundle.strictjson import decode
from genlevel_orchestrator.bundle.violations import Fault

LIMIT = 64 << 20
"""Largest file of ratings that is read, in bytes."""
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?\Z")
_REMEDY_CSV = "save it as CSV in UTF-8, with commas between columns and decimal points"


class Sheet(NamedTuple):
    """What the columns of a file are.

    Attributes:
        stem: name of the file without its ending.
        noun: what a row is, for messages.
        columns: those that every row needs besides the item.
        optional: those it may have.
    """

    stem: str
    noun: str
    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()


class Row(NamedTuple):
    """One judgement.

    Attributes:
        line: its line in the file, 0 where ``pointer`` says the place.
        item: what it is about, MISSING where the row does not say.
        entry: the judgement in the form of its kind.
        fault: what is wrong with the row as such.
    """

    line: int
    pointer: str
    item: Any
    entry: Any
    fault: Fault | None = None


def read_rows(path: Path, sheet: Sheet) -> Iterator[Row]:
    """The rows of a file, by the ending of its name.

    Raises:
        Fault: the file cannot be read as a whole; a row that cannot be told apart spoils all behind it.
    """
    file = SampleFile(path, LIMIT)
    file.check()
    if path.suffix == ".json":
        for element in file.scan():
            yield from _of_json(element.value, sheet, 0, f"{file.prefix}/{element.number}")
    elif path.suffix == ".jsonl":
        for number, line in enumerate(path.read_bytes().removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
            if line.strip():
                try:
                    value = decode(line)
                except Fault as fault:
                    raise Fault(fault.code, f"line {number}: {fault.message}", fault.remedy) from None
                yield from _of_json(value, sheet, number, "")
    else:
        yield from _of_csv(path, sheet)


def _of_json(value: Any, sheet: Sheet, line: int, pointer: str) -> Iterator[Row]:
    if not isinstance(value, Mapping):
        form = ", ".join(("item", *sheet.columns))
        yield Row(line, pointer, MISSING, None, Fault("WRONG_FORM", f"the {sheet.noun} is not an object", f"write an object with {form}"))
        return
    item = value["item"] if "item" in value else raw_id(value)[1]
    if isinstance(value.get("prediction"), list):
        for index, entry in enumerate(value["prediction"]):
            yield Row(line, f"{pointer}/prediction/{index}" if pointer else "", item, entry)
        return
    yield Row(line, pointer, item, {name: value[name] for name in (*sheet.columns, *sheet.optional) if name in value})


def _of_csv(path: Path, sheet: Sheet) -> Iterator[Row]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Fault("NOT_UTF8", f"not UTF-8 at byte {error.start}", _REMEDY_CSV) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = _header(next(reader, []), sheet)
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _csv_row(cells, header, sheet, line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise Fault("BAD_CSV", f"line {reader.line_num}: {error}", _REMEDY_CSV) from None


def _header(cells: Sequence[str], sheet: Sheet) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    names = ["item" if name == "id" and "item" not in names else name for name in names]
    needed = ("item", *sheet.columns)
    if len(names) == 1 and (other := next((mark for mark in ";\t" if mark in names[0]), None)):
        word = "semicolons" if other == ";" else "tabs"
        raise Fault("CSV_DIALECT", f"line 1: the columns are separated by {word}, not commas", _REMEDY_CSV)
    missing = [name for name in needed if name not in names]
    twice = sorted({name for name in names if name in (*needed, *sheet.optional) and names.count(name) > 1})
    if missing or twice:
        what = f"has no column {', '.join(missing)}" if missing else f"has the column {', '.join(twice)} twice"
        raise Fault("BAD_HEADER", f"line 1: the header {what}", f"begin the file with the line {','.join(needed)}")
    return names


def _csv_row(cells: Sequence[str], header: Sequence[str], sheet: Sheet, line: int) -> Row:
    named = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
    item = named.get("item") or MISSING
    if len(cells) != len(header):
        fault = Fault("WRONG_COLUMNS", f"there are {len(cells)} cells below {len(header)} columns", "write each cell, and decimals with a point")
        return Row(line, "", item, {"rater": named.get("rater", "")}, fault)
    entry: dict[str, Any] = {name: named[name] for name in sheet.columns}
    entry.update({name: named[name] for name in sheet.optional if named.get(name)})
    if "score" in entry:
        entry["score"] = _number(entry["score"])
    if "options" in entry:
        entry["options"] = [name.strip() for name in entry["options"].split("|")]
        entry["choice"] = entry["choice"] or None
    return Row(line, "", item, entry)


def _number(text: str) -> Any:
    """The number a cell holds; the text itself where it holds none, for the evaluator to refuse."""
    if not _NUMBER.match(text):
        return text
    return float(text) if "." in text else int(text)
