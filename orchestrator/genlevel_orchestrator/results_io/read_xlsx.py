"""Reading the public scorer's nine-sheet workbook; rows are matched by task name, never by position."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.catalogue.names import name_key, nearest
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.levels import Result
from genlevel_orchestrator.results_io.collect import Collector, check_file
from genlevel_orchestrator.results_io.sheets import (
    FIXED_COLUMNS,
    LEVEL_SHEET,
    SHEETS,
    SOTA_COLUMN,
    TASK_COLUMN,
    sheet_group,
)

# A workbook of scores unpacks to about a megabyte; far more is a decompression bomb.
_MAXIMUM_UNPACKED = 256 * 1024 * 1024


def read_xlsx(path: Path, catalogue: Catalogue, model: str) -> dict[str, Result]:
    """Return the results in the column of one model."""
    # openpyxl takes a third of a second to import; only this reader needs it.
    import openpyxl

    check_file(path)
    try:
        _check_archive(path)
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
        sheets = {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in workbook.worksheets}
        workbook.close()
    except Exception as error:  # openpyxl lets through whatever its zip, XML and date parsers raise
        problem = f"{type(error).__name__}: {error}"
        raise UserError(f"{path} is not a readable workbook ({problem})", "Save it as .xlsx again.") from None
    collector = Collector(path, catalogue)
    _read_sheets(collector, sheets, model)
    return collector.finish()


def _check_archive(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > _MAXIMUM_UNPACKED:
        raise ValueError(f"it unpacks to {unpacked} bytes")


def _read_sheets(collector: Collector, sheets: dict[str, list[tuple[Any, ...]]], model: str) -> None:
    seen: set[tuple[str, str]] = set()
    models: list[str] = []
    found = False
    for title, rows in sheets.items():
        if name_key(title) == name_key(LEVEL_SHEET):
            continue
        group = sheet_group(title)
        if group is None:
            remedy = f"Name it one of {', '.join(SHEETS)}, or remove it."
            collector.fault(f"sheet {title!r}", "the sheet is none of the nine.", remedy)
            continue
        if group in seen:
            collector.fault(f"sheet {title!r}", "two sheets have this meaning.", "Remove one of the two.")
            continue
        seen.add(group)
        header = [str(cell).strip() if cell is not None else "" for cell in rows[0]] if rows else []
        models += [name for name in header if name and name not in FIXED_COLUMNS and name not in models]
        found |= _read_sheet(collector, title, group, header, rows[1:], model)
    if not found:
        _fault_unknown_model(collector, model, models)


def _fault_unknown_model(collector: Collector, model: str, models: list[str]) -> None:
    names = ", ".join(nearest(model, models) or models) or "none"
    collector.fault("header", f"no sheet has a column {model!r}.", f"Columns of models: {names}.")


def _column(header: Sequence[str], name: str) -> int | None:
    exact = [index for index, title in enumerate(header) if title.casefold() == name.strip().casefold()]
    return exact[0] if exact else None


def _read_sheet(
    collector: Collector,
    title: str,
    group: tuple[str, str],
    header: Sequence[str],
    rows: Iterable[tuple[Any, ...]],
    model: str,
) -> bool:
    """Read one sheet and return whether it has the model's column."""
    names, scores = _column(header, TASK_COLUMN), _column(header, model)
    if names is None:
        collector.fault(f"sheet {title!r}", f"there is no column {TASK_COLUMN!r}.", "Restore the header row.")
        return scores is not None
    if scores is None:
        return False
    for number, row in enumerate(rows, start=2):
        name = row[names] if names < len(row) else None
        if name is None or not str(name).strip():
            continue
        place = f"sheet {title!r}, row {number}"
        task = collector.task(place, group[0], group[1], str(name))
        result = collector.cell(place, row[scores] if scores < len(row) else None)
        if task is not None and result is not None and (result.value is not None or model != SOTA_COLUMN):
            collector.add(place, task, result)
    return True
