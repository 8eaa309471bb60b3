"""Reading the long form: one row or object for each task, as CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.catalogue.names import nearest
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.levels import Result
from genlevel_orchestrator.results_io.collect import Collector, read_text

REQUIRED = ("modality", "paradigm", "task", "score")
OPTIONAL = ("model", "coverage", "comparable")
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")

Rows = Iterable[tuple[str, Mapping[str, Any]]]


def read_csv(path: Path, catalogue: Catalogue, model: str) -> dict[str, Result]:
    """Return the results of one model from CSV with a header row."""
    text = read_text(path)
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip().casefold() for name in next(reader)]
        lines = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise UserError(f"{path}, line {reader.line_num}: {error}", "Save the file as CSV again.") from None
    _check_columns(path, header)
    collector = Collector(path, catalogue)
    rows: list[tuple[str, Mapping[str, Any]]] = []
    for number, cells in lines:
        if len(cells) != len(header):
            problem = f"the row has {len(cells)} cells, the header {len(header)}."
            collector.fault(f"line {number}", problem, "Quote cells that contain commas.")
            continue
        rows.append((f"line {number}", dict(zip(header, cells, strict=True))))
    _read_rows(collector, rows, model)
    return collector.finish()


def _check_columns(path: Path, header: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name for name in header if name not in REQUIRED and name not in OPTIONAL]
    if missing or unknown:
        problems = [f"column {name!r} is missing" for name in missing]
        problems += [f"column {name!r} is unknown" for name in unknown]
        allowed = ", ".join((*REQUIRED, *OPTIONAL))
        raise UserError(
            f"{path}: {'; '.join(problems)}", f"The columns are {allowed}; the last three are optional."
        )


def read_json(path: Path, catalogue: Catalogue, model: str) -> dict[str, Result]:
    """Return the results of one model from a JSON list of objects, or an object whose ``results`` is that list."""
    text = read_text(path)
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path} is not JSON ({error})", "Write a list of objects, one for each task."
        ) from None
    entries = document.get("results") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise UserError(
            f"{path} holds neither a list nor an object with a list 'results'",
            f"Write a list of objects with the keys {', '.join(REQUIRED)}.",
        )
    collector = Collector(path, catalogue)
    rows: list[tuple[str, Mapping[str, Any]]] = []
    for index, entry in enumerate(entries):
        place = f"/{index}" if isinstance(document, list) else f"/results/{index}"
        if _check_entry(collector, place, entry):
            rows.append((place, entry))
    _read_rows(collector, rows, model)
    return collector.finish()


def _check_entry(collector: Collector, place: str, entry: Any) -> bool:
    if not isinstance(entry, dict):
        collector.fault(place, "the entry is not an object.", f"Write the keys {', '.join(REQUIRED)}.")
        return False
    missing = [name for name in REQUIRED if name not in entry]
    unknown = [str(name) for name in entry if name not in REQUIRED and name not in OPTIONAL]
    if missing or unknown:
        problem = (
            f"missing keys: {', '.join(missing) or 'none'}; unknown keys: {', '.join(unknown) or 'none'}."
        )
        collector.fault(place, problem, f"The keys are {', '.join((*REQUIRED, *OPTIONAL))}.")
        return False
    wrong = [name for name in ("modality", "paradigm", "task") if not isinstance(entry[name] or "", str)]
    score = entry["score"]
    if score is not None and (isinstance(score, bool) or not isinstance(score, int | float)):
        wrong.append("score")
    for name in wrong:
        collector.fault(
            f"{place}/{name}", f"{entry[name]!r} has the wrong type.", "Names are text, scores numbers."
        )
    return not wrong


def _read_rows(collector: Collector, rows: Rows, model: str) -> None:
    kept = list(rows)
    models = sorted({str(row["model"]).strip() for _, row in kept if row.get("model")})
    if models:
        kept = [
            (place, row)
            for place, row in kept
            if str(row.get("model") or "").strip().casefold() == model.casefold()
        ]
        if not kept:
            names = ", ".join(nearest(model, models) or models)
            collector.fault("model", f"there is no model {model!r}.", f"Models of the file: {names}.")
    for place, row in kept:
        _read_row(collector, place, row)


def _read_row(collector: Collector, place: str, row: Mapping[str, Any]) -> None:
    task = collector.task(place, row["modality"] or "", row["paradigm"] or "", row["task"] or "")
    result = collector.cell(place, row["score"])
    coverage = _coverage(collector, place, row.get("coverage"))
    comparable = _comparable(collector, place, row.get("comparable"))
    if task is not None and result is not None:
        collector.add(place, task, result._replace(coverage=coverage, comparable=comparable))


def _coverage(collector: Collector, place: str, value: Any) -> float:
    if value is None or value == "":
        return 1.0
    try:
        coverage = float(value)
    except (TypeError, ValueError):
        coverage = -1.0
    if not 0.0 <= coverage <= 1.0:
        collector.fault(place, f"coverage {value!r} is not a share from 0 to 1.", "Write such a share.")
        return 1.0
    return coverage


def _comparable(collector: Collector, place: str, value: Any) -> bool:
    word = str(value).strip().casefold()
    if value is None or word in ("", *_TRUE):
        return True
    if word not in _FALSE:
        collector.fault(place, f"comparable {value!r} is neither true nor false.", "Write true or false.")
    return False
