"""Files of per-task scores: the public nine-sheet workbook, CSV and JSON."""

from __future__ import annotations

from genlevel_orchestrator.results_io.document import drift_document, level_numbers, levels_document
from genlevel_orchestrator.results_io.fraction_warnings import fraction_warnings
from genlevel_orchestrator.results_io.read import read_results, read_sota
from genlevel_orchestrator.results_io.sheets import SHEETS
from genlevel_orchestrator.results_io.write_xlsx import write_results_xlsx

__all__ = [
    "SHEETS",
    "drift_document",
    "fraction_warnings",
    "level_numbers",
    "levels_document",
    "read_results",
    "read_sota",
    "write_results_xlsx",
]
