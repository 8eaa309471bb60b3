"""Tasks that people judge: a file of their ratings or votes stands where other tasks have the model's answers.

The file becomes, in memory, what a prediction.json of the judgements would be: one sample an item, in the form of its input kind. What is
wrong with a row is noted with its line; the row still goes to the evaluator, which refuses its item, so that a spoilt rating can never
raise a score.
"""

from __future__ import annotations

import io
import json
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from genlevel_orchestrator.bundle.fields import MISSING, fields, raw_id
from genlevel_orchestrator.bundle.ids import key_of
from genlevel_orchestrator.bundle.jsonstream import Element, SampleFile
from genlevel_orchestrator.bundle.rating_checks import name_of, problem
from genlevel_orchestrator.bundle.rating_rows import LIMIT, Row, Sheet, read_rows
from genlevel_orchestrator.bundle.strictjson import decode
from genlevel_orchestrator.bundle.violations import Fault, Violations

SHEETS = {
    "mos": Sheet("ratings", "rating", ("rater", "score"), ("system",)),
    "user_preference": Sheet("votes", "vote", ("rater", "choice", "options")),
}
"""By metric."""
ENDINGS = (".csv", ".json", ".jsonl")
NAMES = frozenset(sheet.stem + ending for sheet in SHEETS.values() for ending in ENDINGS)


def files(metric_id: str, *folders: Path) -> tuple[Path, ...] | None:
    """The files of judgements in the first folder that has any; None for a metric that needs none."""
    if metric_id not in SHEETS:
        return None
    for folder in folders:
        found = [folder / (SHEETS[metric_id].stem + ending) for ending in ENDINGS]
        if any(path.is_file() for path in found):
            return tuple(path for path in found if path.is_file())
    return ()


class RatingFile(SampleFile):
    """The judgements of a task, read as samples.

    Args:
        metric_id: what they are for.
        found: the files there are; exactly one is right.
        submitted: prediction.json, which lists what was judged; None where there is none.
        task_id: for violations.
    """

    def __init__(self, metric_id: str, found: tuple[Path, ...], submitted: Path | None, task_id: str) -> None:
        super().__init__(found[0] if found else submitted or Path(), LIMIT)
        self.sheet = SHEETS[metric_id]
        self._found = found
        self._submitted = submitted
        self._task_id = task_id
        self._known: Container[str] = ()
        self._violations: Violations | None = None
        self._data = b""

    def expect(self, known: Container[str], violations: Violations) -> None:
        """Say which items there are, and where to note what is wrong."""
        self._known, self._violations = known, violations

    def open(self) -> BinaryIO:
        """The samples as a file."""
        return io.BytesIO(self._data)

    def read(self, start: int, stop: int) -> Any:
        """The sample at a place that ``scan`` gave."""
        return decode(self._data[start:stop])

    def scan(self) -> Iterator[Element]:
        """Yield one sample an item.

        Raises:
            Fault: there is no file of judgements, there are several, or the one cannot be read.
        """
        data = io.BytesIO()
        elements: list[Element] = []
        for key, entries in self._items().items():
            start = data.tell()
            value = {"id": key, "prediction": entries}
            data.write(json.dumps(value).encode())
            elements.append(Element(len(elements), start, data.tell(), value))
        self._data = data.getvalue()
        yield from elements

    def _items(self) -> dict[str, list[Any]]:
        sheet = self.sheet
        if len(self._found) != 1:
            if self._found:
                shown = " and ".join(path.name for path in self._found)
                raise Fault("TWO_RATING_FILES", f"there are {shown}", "keep one of them")
            others = " or ".join(ENDINGS[1:])
            raise Fault(
                "NO_RATINGS", f"people have to judge this task: put their {sheet.noun}s, {sheet.stem}{ENDINGS[0]} (or {others}), beside prediction.json",
                "see docs/formats.md; until then the task counts as not submitted",
            )  # fmt: skip
        submitted = self._submitted_keys()
        items: dict[str, list[Any]] = {}
        seen: dict[tuple[str, ...], Row] = {}
        for row in read_rows(self.path, sheet):
            key = self._key(row, submitted)
            if key is None:
                continue
            fault = row.fault or problem(row.entry, sheet) or self._repeated(row, key, seen)
            if fault is not None:
                self._note(row, fault, key)
            items.setdefault(key, []).append(row.entry)
        return items

    def _key(self, row: Row, submitted: Container[str] | None) -> str | None:
        """The item of a row; None, with a violation, where the row is of none of ours."""
        noun = self.sheet.noun
        if row.item is MISSING:
            self._note(row, row.fault or Fault("MISSING_ID", f"the {noun} names no item", "fill in the column `item`"), "")
            return None
        try:
            key = key_of(row.item)
        except Fault as fault:
            self._note(row, fault, "")
            return None
        if key not in self._known:
            self._note(row, Fault("SURPLUS_ID", f"item {key!r} is not in the annotation", "correct or remove the line"), key)
            return None
        if submitted is not None and key not in submitted:
            message = f"item {key!r} has a {noun}, but no prediction in {self._submitted.name if self._submitted else ''}; it does not count"
            self._note(row, Fault("JUDGED_WITHOUT_PREDICTION", message, "add the prediction, or correct the item"), key)
            return None
        return key

    def _submitted_keys(self) -> frozenset[str] | None:
        """Items that prediction.json has an output of."""
        if self._submitted is None:
            return None
        keys = set()
        try:
            for element in SampleFile(self._submitted).scan():
                value = element.value
                if isinstance(value, Mapping) and any(value.get(name) is not None for name in fields().prediction):
                    keys.add(key_of(raw_id(value)[1]))
        except Fault as fault:
            raise Fault(fault.code, f"{self._submitted.name}: {fault.message}", fault.remedy, fault.pointer) from None
        return frozenset(keys)

    def _repeated(self, row: Row, key: str, seen: dict[tuple[str, ...], Row]) -> Fault | None:
        entry = row.entry
        asked = [entry.get("system") or ""] if "score" in entry else entry["options"]
        first = seen.setdefault((key, name_of(str(entry["rater"])), *map(name_of, asked)), row)
        if first is row:
            return None
        where = f"line {first.line}" if first.line else first.pointer
        return Fault("DUPLICATE_RATING", f"rater {entry.get('rater')!r} judged item {key!r} before, at {where}", "keep one")

    def _note(self, row: Row, fault: Fault, key: str) -> None:
        if self._violations is None:
            return
        message = f"line {row.line}: {fault.message}" if row.line else fault.message
        self._violations.add(self.path, fault.code, message, fault.remedy, pointer=row.pointer, task_id=self._task_id, sample_id=key)
