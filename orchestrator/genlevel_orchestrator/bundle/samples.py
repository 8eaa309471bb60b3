"""The samples of one task: an index over annotation.json and prediction.json, from which ranges are read in key order."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from genlevel_orchestrator.bundle.fields import MISSING
from genlevel_orchestrator.bundle.identity import Identity
from genlevel_orchestrator.bundle.ids import is_odd, key_of, order_of
from genlevel_orchestrator.bundle.jsonstream import Element, SampleFile
from genlevel_orchestrator.bundle.layout import TaskSource
from genlevel_orchestrator.bundle.named_outputs import NamedOutputs
from genlevel_orchestrator.bundle.ratings import RatingFile
from genlevel_orchestrator.bundle.strictjson import HALF, decode
from genlevel_orchestrator.bundle.violations import Fault, Violations, pointer


def _predictions_of(source: TaskSource) -> SampleFile:
    """The file of answers, or that of judgements for a task that people judge."""
    if source.named:
        return NamedOutputs(source.predictions, source.task.metric_id)
    if source.judgements is None:
        return SampleFile(source.predictions)
    return RatingFile(source.task.metric_id, source.judgements, source.submitted, source.task.task_id)


class FileFault(Exception):
    """A file of a task that cannot be used at all. ``side`` is ``predictions`` or ``annotation``."""

    def __init__(self, side: str, fault: Fault) -> None:
        super().__init__(fault.message)
        self.side = side
        self.fault = fault


@dataclass(frozen=True)
class RawSample:
    """One sample as it stands in the files.

    Attributes:
        annotation: the annotated sample.
        prediction: its entry of prediction.json, None when there is none.
        annotation_pointer: place of the sample in annotation.json; likewise ``prediction_pointer``.
        size: bytes of both.
        faults: why a side cannot be read, under ``annotation`` and ``predictions``.
    """

    key: str
    annotation: Mapping[str, Any]
    prediction: Mapping[str, Any] | None
    annotation_pointer: str
    prediction_pointer: str
    size: int
    faults: Mapping[str, Fault] = field(default_factory=dict)


@dataclass
class Places:
    """Places of elements of one file: index, start and stop, -1 where there is none."""

    index: array[int]
    start: array[int]
    stop: array[int]

    @classmethod
    def empty(cls) -> Places:
        """No places."""
        return cls(array("q"), array("q"), array("q"))

    def add(self, element: Element | None) -> None:
        """Append a place."""
        self.index.append(element.number if element else -1)
        self.start.append(element.start if element else -1)
        self.stop.append(element.stop if element else -1)

    def put(self, row: int, element: Element) -> None:
        """Set a place."""
        self.index[row], self.start[row], self.stop[row] = element.number, element.start, element.stop

    def ordered(self, order: list[int]) -> Places:
        """The same in another order."""
        return Places(*(array("q", (column[row] for row in order)) for column in (self.index, self.start, self.stop)))


class TaskSamples:
    """The samples of a task, in key order.

    Attributes:
        keys: sample keys, sorted by value when all are whole numbers, else by code point.
        ambiguous: keys whose prediction was given twice with different content; they count as missing.
        excluded: keys annotated twice with different content; they cannot be scored.
        envelope: what annotation.json says beside its samples.
    """

    def __init__(self, source: TaskSource) -> None:
        self.source = source
        self.keys: list[str] = []
        self.ambiguous: set[str] = set()
        self.excluded: set[str] = set()
        self.missing = 0
        if source.annotation is None:
            fault = Fault("NO_ANNOTATION", "there is no annotation.json", "add it, or pass --references DIR")
            raise FileFault("annotation", fault)
        self._annotation = SampleFile(source.annotation)
        self._predictions = _predictions_of(source)
        self._annotated = Places.empty()
        self._predicted = Places.empty()
        self._identity = Identity()

    @property
    def envelope(self) -> dict[str, Any]:
        """What annotation.json says beside its samples."""
        return self._annotation.envelope

    def load(self, violations: Violations) -> TaskSamples:
        """Build the index; note what is wrong with samples.

        Raises:
            FileFault: one of the files cannot be used.
        """
        rows = self._load_annotation(violations)
        try:
            decode(json.dumps(self.envelope).encode())
        except Fault as fault:
            raise FileFault("annotation", fault) from None
        self._load_predictions(rows, violations)
        del rows  # 150 bytes a sample that the order needs no more
        order = order_of(self.keys)
        if order is not None:
            self.keys = [self.keys[row] for row in order]
            self._annotated = self._annotated.ordered(order)
            self._predicted = self._predicted.ordered(order)
        self.missing = sum(1 for index in self._predicted.index if index < 0)
        self._note_missing(violations)
        return self

    def _load_annotation(self, violations: Violations) -> dict[str, int]:
        """Twice the row of each key, and one more where the id is text: pairs would take another 60 bytes a sample."""
        rows: dict[str, int] = {}
        for element, key, raw in self._entries("annotation", violations):
            if key in rows:
                self._repeated("annotation", element, key, self._annotated, rows[key] // 2, violations)
                continue
            rows[key] = 2 * len(self.keys) + isinstance(raw, str)
            self._identity.know(element.value, raw)
            self.keys.append(key)
            self._annotated.add(element)
            self._predicted.add(None)
        if not rows:
            raise FileFault("annotation", Fault("NO_SAMPLES", "it holds no usable sample", "add samples"))
        return rows

    def _load_predictions(self, rows: Mapping[str, int], violations: Violations) -> None:
        retyped = surplus = 0
        if isinstance(self._predictions, RatingFile):
            self._predictions.expect(rows, violations)
        for element, key, raw in self._entries("predictions", violations):
            if key not in rows:
                surplus += 1
                self._note("predictions", element, "SURPLUS_ID", f"sample {key!r} is not in the annotation", "remove it", violations, key)
                continue
            row, textual = divmod(rows[key], 2)
            if self._predicted.index[row] >= 0:
                self._repeated("predictions", element, key, self._predicted, row, violations)
                continue
            retyped += isinstance(raw, str) != textual
            self._predicted.put(row, element)
        if retyped and not isinstance(self._predictions, RatingFile):  # a cell of a table has no type
            violations.add(
                self.source.predictions, "ID_TYPE",
                f"{retyped} ids are text where the annotation has numbers, or the other way round; they were matched as written",
                "write ids as the annotation does", severity="warning", task_id=self.source.task.task_id,
            )  # fmt: skip

    def _entries(self, side: str, violations: Violations) -> Iterator[tuple[Element, str, Any]]:
        """Elements that are objects with a sound id, with their key and the id as written."""
        file = self._annotation if side == "annotation" else self._predictions
        try:
            for element in file.scan():
                if not isinstance(element.value, Mapping):
                    self._note(side, element, "WRONG_FORM", "the sample is not an object", "write an object with `id`", violations)
                    continue
                name, raw = self._identity.of(element.value)
                if raw is MISSING:
                    missing = "its `audio_path` is that of no sample, or of several" if name == "audio_path" else "the sample has no `id`"
                    self._note(side, element, "MISSING_ID", missing, "give it one", violations)
                    continue
                try:
                    key = key_of(raw)
                except Fault as fault:
                    self._note(side, element, fault.code, fault.message, fault.remedy, violations, field=name)
                    continue
                if is_odd(raw):
                    self._note(
                        side, element, "ID_TYPE", f"id {raw!r} has a fraction; it was read as {key}", "write a whole number",
                        violations, key, field=name, severity="warning",
                    )  # fmt: skip
                yield element, key, raw
        except Fault as fault:
            raise FileFault(side, fault) from None

    def _repeated(self, side: str, element: Element, key: str, places: Places, row: int, violations: Violations) -> None:
        file = self._annotation if side == "annotation" else self._predictions
        same = _readable(file, places, row) == element.value
        if not same:
            (self.excluded if side == "annotation" else self.ambiguous).add(key)
        what = "with the same content" if same else "with another content, so neither counts"
        self._note(
            side, element, "DUPLICATE_ID", f"sample {key!r} occurs twice, {what}", "keep one", violations, key,
            severity="warning" if same else "error",
        )  # fmt: skip

    def _note(
        self, side: str, element: Element, code: str, message: str, remedy: str, violations: Violations, key: str = "",
        field: str = "", severity: str = "error",
    ) -> None:  # fmt: skip
        file = self._annotation if side == "annotation" else self._predictions
        place = file.prefix + pointer(element.number) + (pointer(field) if field else "")
        violations.add(
            file.path, code, message, remedy,
            pointer=place, severity=severity, task_id=self.source.task.task_id, sample_id=key,
        )  # fmt: skip

    def _note_missing(self, violations: Violations) -> None:
        if not self.missing:
            return
        noun = self._predictions.sheet.noun if isinstance(self._predictions, RatingFile) else "prediction"
        for key, index in zip(self.keys, self._predicted.index, strict=True):
            if index < 0:
                violations.add(
                    self._predictions.path, f"MISSING_{noun.upper()}", f"sample {key!r} has no {noun}", "add one",
                    task_id=self.source.task.task_id, sample_id=key,
                )  # fmt: skip

    def sizes(self) -> list[int]:
        """Bytes of each sample in the two files, in key order."""
        one, two = self._annotated, self._predicted
        return [
            stop - start + other_stop - other_start
            for start, stop, other_start, other_stop in zip(one.start, one.stop, two.start, two.stop, strict=True)
        ]

    def read(self, first: int, last: int) -> Iterator[RawSample]:
        """The samples of a range.

        Raises:
            FileFault: a file changed under the run.
        """
        side = "annotation"
        try:
            with self._annotation.path.open("rb") as annotation, self._predictions.open() as predictions:
                for row in range(first, last):
                    side = "annotation"
                    start, stop = self._annotated.start[row], self._annotated.stop[row]
                    faults: dict[str, Fault] = {}
                    annotated = _read_whole(annotation, start, stop, side, faults)
                    side, size, entry = "predictions", stop - start, None
                    if self._predicted.index[row] >= 0:
                        start, stop = self._predicted.start[row], self._predicted.stop[row]
                        entry = _read_whole(predictions, start, stop, side, faults)
                        size += stop - start
                    yield self._raw(row, annotated, entry, size, faults)
        except OSError as error:
            raise FileFault(side, Fault("FILE_UNREADABLE", str(error), "do not change files while a run is on")) from None
        except Fault as fault:
            raise FileFault(side, fault) from None

    def _raw(self, row: int, annotated: Any, entry: Any, size: int, faults: Mapping[str, Fault]) -> RawSample:
        key = self.keys[row]
        # A file that was rewritten in place shows in an element that no longer carries its id.
        for value in (annotated, entry):
            if value is not None and (not isinstance(value, Mapping) or key_of(self._identity.of(value)[1]) != key):
                raise Fault("FILE_CHANGED", f"sample {key!r} moved during the run", "do not change files while a run is on")
        return RawSample(
            key, annotated or {}, None if key in self.ambiguous else entry,
            self._annotation.prefix + pointer(self._annotated.index[row]),
            self._predictions.prefix + pointer(self._predicted.index[row]), size, faults,
        )  # fmt: skip


def _read_whole(file: BinaryIO, start: int, stop: int, side: str, faults: dict[str, Fault]) -> Any:
    """The element at a place; None where it holds text that cannot be sent, which is the fault of that sample alone."""
    try:
        return SampleFile.read_from(file, start, stop)
    except Fault as fault:
        if fault.code != HALF:
            raise
        faults[side] = fault
        return None


def _readable(file: SampleFile, places: Places, row: int) -> Any:
    try:
        return file.read(places.start[row], places.stop[row])
    except Fault:
        return MISSING
