"""Reports of a run: one JSON document, the nine-sheet workbook and one self-contained page."""

from __future__ import annotations

from genlevel_orchestrator.report.compare import Comparison, compare
from genlevel_orchestrator.report.document import SCHEMA_VERSION, build_report
from genlevel_orchestrator.report.files import FORMATS, Rendered, render, write_reports

__all__ = [
    "FORMATS",
    "SCHEMA_VERSION",
    "Comparison",
    "Rendered",
    "build_report",
    "compare",
    "render",
    "write_reports",
]
