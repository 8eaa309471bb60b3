"""Writing the public scorer's nine-sheet workbook."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.results_io.sheets import FIXED_COLUMNS, LEVEL_SHEET, SHEETS

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_CELL_LIMIT = 32_767


def write_results_xlsx(
    path: Path,
    catalogue: Catalogue,
    columns: Mapping[str, Mapping[str, float | None]],
    level_scores: Mapping[str, Mapping[str, float]] | None = None,
) -> None:
    """Write one column of raw scores for each model, over all tasks in workbook order.

    Task names are written exactly as the public workbook has them, so its scorer finds them. A task without a value gets an
    empty cell. Text is stored as text, so a model called ``=1+1`` stays a name.

    Args:
        path: The file to write.
        catalogue: Names, labels and SoTA come from it.
        columns: Raw values by task id, for each model.
        level_scores: Levels by number for each model; they go to a tenth sheet, which the public scorer skips.
    """
    import openpyxl

    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for title, (modality, paradigm) in SHEETS.items():
        rows: list[list[Any]] = [[*FIXED_COLUMNS, *columns]]
        for task in catalogue.group_tasks(modality, paradigm):
            scores = [_score(values.get(task.task_id)) for values in columns.values()]
            fixed = [task.number, task.name_raw, task.short_name, task.metric_label, task.sota_workbook]
            rows.append([*fixed, *scores])
        _fill(workbook.create_sheet(title), rows)
    if level_scores is not None:
        rows = [["Model", "Level-2", "Level-3", "Level-4", "Level-5"]]
        rows += [[model, *(levels.get(n) for n in "2345")] for model, levels in level_scores.items()]
        _fill(workbook.create_sheet(LEVEL_SHEET), rows)
    workbook.save(path)


def _score(value: float | None) -> float | str | None:
    if value is None:
        return None
    if math.isinf(value):
        return "+inf" if value > 0 else "-inf"
    return value


def _fill(sheet: Worksheet, rows: list[list[Any]]) -> None:
    for number, values in enumerate(rows, start=1):
        for column, value in enumerate(values, start=1):
            cell = sheet.cell(number, column)
            if not isinstance(value, str):
                cell.value = value
                continue
            cell.value = _CONTROL.sub("", value)[:_CELL_LIMIT]
            # Without this, openpyxl and spreadsheets run text that begins with "=" as a formula.
            cell.data_type = "s"
            cell.quotePrefix = value[:1] in ("=", "+", "-", "@")
