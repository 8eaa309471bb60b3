"""Reports of a run: one JSON document, the nine-sheet workbook, one self-contained page, and the scores of samples beside them."""

from __future__ import annotations

from genlevel_orchestrator.report.compare import Comparison, compare
from genlevel_orchestrator.report.document import SCHEMA_VERSION, build_report
from genlevel_orchestrator.report.files import FORMATS, Rendered, file_name, render, write_reports
from genlevel_orchestrator.report.samples import FILE_NAME, read_samples

__all__ = [
    "FILE_NAME",
    "FORMATS",
    "SCHEMA_VERSION",
    "Comparison",
    "Rendered",
    "build_report",
    "compare",
    "file_name",
    "read_samples",
    "render",
    "write_reports",
]
