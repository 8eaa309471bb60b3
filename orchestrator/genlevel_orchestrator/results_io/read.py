"""Reading per-task scores of a model, or SoTA values, from xlsx, CSV or JSON."""

from __future__ import annotations

from pathlib import Path

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.levels import UNSUPPORTED, Result
from genlevel_orchestrator.results_io.read_long import read_csv, read_json
from genlevel_orchestrator.results_io.read_xlsx import read_xlsx
from genlevel_orchestrator.results_io.sheets import SOTA_COLUMN

_READERS = {".xlsx": read_xlsx, ".csv": read_csv, ".json": read_json}


def read_results(
    path: Path, catalogue: Catalogue, model: str, zero_is_unsupported: bool = False
) -> dict[str, Result]:
    """Return the results of one model by task id; tasks that the file leaves out are not in it.

    Args:
        path: A nine-sheet workbook, or a CSV or JSON file in long form.
        catalogue: Names are matched against it by key, never by position.
        model: The model's column in a workbook, or its value in a column ``model``.
        zero_is_unsupported: Whether 0 stands for "not supported", as in the published tables.

    Raises:
        UserError: With every fault of the file.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(_READERS)
        raise UserError(
            f"{path}: files of type {path.suffix or '(none)'} hold no scores", f"Use one of {known}."
        )
    results = reader(path, catalogue, model)
    if zero_is_unsupported:
        results = {task_id: UNSUPPORTED if r.value == 0.0 else r for task_id, r in results.items()}
    return results


def read_sota(path: Path, catalogue: Catalogue) -> dict[str, float]:
    """Return SoTA values by task id from a file laid out like results.

    A workbook's column is ``SoTA Performance``; in long form ``score`` is the SoTA (``model``, if there, is ``SoTA``). A value
    equal to the published cell leaves the catalogue's own conversion of that cell in force.
    """
    model = SOTA_COLUMN if path.suffix.lower() == ".xlsx" else "SoTA"
    values = {}
    for task_id, result in read_results(path, catalogue, model).items():
        if result.value is not None and result.value != catalogue.tasks[task_id].sota_workbook:
            values[task_id] = result.value
    return values
