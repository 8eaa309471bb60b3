"""Collecting scores row by row, with every fault kept for one error at the end."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genlevel_orchestrator.catalogue import Catalogue, Task
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.levels import UNSUPPORTED, Result
from genlevel_orchestrator.results_io.sheets import INFINITE_WORDS, UNSUPPORTED_WORDS

MAXIMUM_BYTES = 64 * 1024 * 1024


@dataclass
class Collector:
    """Results by task id, and the faults met on the way."""

    path: Path
    catalogue: Catalogue
    results: dict[str, Result] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    faults: list[dict[str, str]] = field(default_factory=list)

    def fault(self, place: str, problem: str, remedy: str) -> None:
        """Note a fault at a place of the file."""
        self.faults.append({"file": str(self.path), "place": place, "problem": problem, "remedy": remedy})

    def task(self, place: str, modality: str, paradigm: str, name: str) -> Task | None:
        """Return the task that a row names, or note why there is none."""
        try:
            return self.catalogue.resolve_task(modality, paradigm, name)
        except UserError as error:
            self.fault(place, error.message, error.remedy or "Correct the name.")
            return None

    def add(self, place: str, task: Task, result: Result) -> None:
        """Keep a result; a second one for the same task is a fault."""
        if task.task_id in self.results:
            self.fault(
                place,
                f"{task.task_id} has a score at {self.places[task.task_id]} already",
                "Remove one of the two.",
            )
            return
        self.results[task.task_id] = result
        self.places[task.task_id] = place

    def cell(self, place: str, value: Any) -> Result | None:
        """Return the result a cell of a table holds, or note why it holds none."""
        if value is None:
            return UNSUPPORTED
        if isinstance(value, bool):
            self.fault(place, f"{value} is not a number", "Write the score as a number.")
            return None
        text = str(value).strip().casefold()
        if text in UNSUPPORTED_WORDS:
            return UNSUPPORTED
        if text in INFINITE_WORDS:
            return Result(math.inf)
        try:
            # Python would read 1_000 as a thousand, and an integer of 400 digits overflows.
            if "_" in text:
                raise ValueError
            return Result(float(value if isinstance(value, int | float) else text.removesuffix("%")))
        except (ValueError, OverflowError):
            self.fault(place, f"{str(value)[:60]!r} is not a number", "Write a number, or leave the cell empty.")
            return None

    def finish(self) -> dict[str, Result]:
        """Return the results.

        Raises:
            UserError: With every fault.
        """
        if self.faults:
            lines = "\n".join(f"  {f['place']}: {f['problem']} {f['remedy']}" for f in self.faults)
            raise UserError(
                f"{self.path} has {len(self.faults)} fault(s):\n{lines}",
                "Mend the places named above.",
                details=self.faults,
            )
        return self.results


def read_text(path: Path) -> str:
    """Return the text of a results file.

    Raises:
        UserError: When it is absent, too large, empty or not UTF-8.
    """
    check_file(path)
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 (byte {error.start})", "Save the file as UTF-8.") from None
    if not text.strip():
        raise UserError(f"{path} is empty", "Write one row for each task with a score.")
    return text


def check_file(path: Path) -> None:
    """Refuse a path that is no readable file of sensible size."""
    if not path.is_file():
        raise UserError(f"{path} is not a file", "Give the path of an xlsx, CSV or JSON file of scores.")
    size = path.stat().st_size
    if size > MAXIMUM_BYTES:
        raise UserError(
            f"{path} has {size} bytes; a file of scores has at most {MAXIMUM_BYTES}",
            "Give the file of per-task scores, not of predictions.",
        )
