"""The report in its three formats, in memory or on disk."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.report.document import build_report
from genlevel_orchestrator.report.numbers import from_json
from genlevel_orchestrator.report.page import render_page
from genlevel_orchestrator.report.samples import FILE_NAME, write_samples
from genlevel_orchestrator.results_io import write_results_xlsx
from genlevel_orchestrator.runs.details import SampleDetails
from genlevel_orchestrator.runs.results import RunResult

FORMATS = {
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
    "samples": "application/gzip",
}
STAND_IN_COLUMN = "{model} [not comparable]"


class Rendered(NamedTuple):
    """A report in one format."""

    file_name: str
    media_type: str
    content: bytes


def file_name(report_format: str) -> str:
    """Return what the file of a format is called in the folder of a report."""
    return FILE_NAME if report_format == "samples" else f"report.{report_format}"


def render(
    result: RunResult, catalogue: Catalogue, report_format: str, details: Mapping[str, SampleDetails] | None = None
) -> Rendered:
    """Return the report of a finished run in one format.

    Args:
        result: The run.
        catalogue: What it was scored by.
        report_format: One of ``FORMATS``.
        details: What lies behind the values, for the format ``samples``.

    Raises:
        UserError: When there is no such format.
    """
    if report_format == "samples":
        content = write_samples(result, details or {})
        return Rendered(f"{_stem(result.name)}-{FILE_NAME}", FORMATS[report_format], content)
    return _render(build_report(result, catalogue), catalogue, report_format)


def write_reports(
    result: RunResult,
    catalogue: Catalogue,
    folder: Path,
    formats: Iterable[str] = tuple(FORMATS),
    details: Mapping[str, SampleDetails] | None = None,
) -> dict[str, Path]:
    """Write the report into a folder, which is made if need be; return the path of each format."""
    report = build_report(result, catalogue)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for report_format in formats:
        if report_format == "samples":
            rendered = render(result, catalogue, report_format, details)
        else:
            rendered = _render(report, catalogue, report_format)
        paths[report_format] = folder / file_name(report_format)
        _replace(paths[report_format], rendered.content)
    return paths


def _render(report: dict[str, Any], catalogue: Catalogue, report_format: str) -> Rendered:
    if report_format not in FORMATS:
        raise UserError(f"unknown report format {report_format!r}", f"Write one of {', '.join(FORMATS)}.")
    if report_format == "json":
        content = (json.dumps(report, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
    elif report_format == "html":
        # A lone surrogate in a name would otherwise end the report.
        content = render_page(report).encode("utf-8", "replace")
    else:
        content = _workbook(report, catalogue)
    return Rendered(f"{_stem(report['run']['name'])}.{report_format}", FORMATS[report_format], content)


def _stem(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "report"


def _workbook(report: dict[str, Any], catalogue: Catalogue) -> bytes:
    """Return the nine-sheet workbook. Values of stand-in networks get a column of their own, where no scorer takes them for the model's."""
    model = str(report["run"]["model"])
    values: dict[str, float | None] = {}
    stand_ins: dict[str, float | None] = {}
    for task in report["tasks"]:
        if task["value"] is not None:
            column = stand_ins if task["comparable"] is False else values
            column[task["task_id"]] = from_json(task["value"])
    columns = {model: values}
    if stand_ins:
        columns[STAND_IN_COLUMN.format(model=model)] = stand_ins
    first = next(iter(report["levels"].values()), None)
    levels = {model: first["levels"]} if first else None
    with tempfile.TemporaryDirectory(prefix="genlevel-report-") as folder:
        path = Path(folder) / "report.xlsx"
        write_results_xlsx(path, catalogue, columns, levels)
        return path.read_bytes()


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".report-", delete=False) as stream:
        stream.write(content)
    written = Path(stream.name)
    written.chmod(0o644)
    written.replace(path)
