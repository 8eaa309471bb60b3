"""Files of sample lines: one JSON object a line, read in order of the lines."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from genlevel_orchestrator.bundle.content import PRESENCES, Content, Reader, Sample
from genlevel_orchestrator.bundle.fields import Form
from genlevel_orchestrator.bundle.ids import key_of
from genlevel_orchestrator.bundle.jsonstream import ELEMENT_LIMIT
from genlevel_orchestrator.bundle.media import MediaBase
from genlevel_orchestrator.bundle.strictjson import HALF, decode, decode_halves
from genlevel_orchestrator.bundle.violations import Fault
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs.results import IssueRecord

_PARTS = 256
_OWN = ("id", "prediction", "reference", "references", "presence")
_NOT_READ = Fault("REFERENCE_NOT_READ", "this metric has no reference; the one given was not read", "leave it out")


class SampleLines:
    """A file of sample lines.

    Args:
        path: the file.
        root: folder that media may lie in.
        form: how the metric's input kind is written.

    Attributes:
        faults: every bad line, as ``line N: what``.
    """

    def __init__(self, path: Path, root: Path, form: Form) -> None:
        base = MediaBase(root.resolve(), path.resolve().parent)
        self._path = path
        self._reader = Reader(form, base, base)
        self.faults: list[dict[str, Any]] = []

    def check(self) -> None:
        """Read all lines once, so that every bad one is reported before anything is scored.

        Raises:
            UserError: with every bad line.
        """
        hashes = self._hashes()
        faults = self.faults
        if repeated := {one for some in hashes for one, other in pairwise(sorted(some)) if one == other}:
            self._note_repeated(repeated, faults)
        if not any(hashes) and not self.faults:
            self.faults.append({"line": 1, "code": "FILE_EMPTY", "message": "there is no sample", "remedy": "write one object a line"})
        if self.faults:
            lines = "\n".join(f"  line {f['line']}: {f['message']}; {f['remedy']}" for f in self.faults[:50])
            raise UserError(
                f"{self._path}: {len(self.faults)} bad line(s):\n{lines}", "Mend the lines; docs/formats.md shows their form.",
                details=self.faults,
            )  # fmt: skip

    def _hashes(self) -> list[array[int]]:
        """Hashes of all ids, by their lowest bits: a million ids themselves would take 200 MB, and their hashes sorted all at once 40."""
        found = [array("q") for _ in range(_PARTS)]
        for _, key, _ in self._objects():
            number = hash(key)
            found[number % _PARTS].append(number)
        return found

    def _note_repeated(self, repeated: set[int], faults: list[dict[str, Any]]) -> None:
        """Look again at the lines whose id may stand on another line too."""
        self.faults = []
        first: dict[str, int] = {}
        for number, key, _ in self._objects():
            if hash(key) in repeated and first.setdefault(key, number) != number:
                message = f"id {key!r} stands on line {first[key]} too"
                faults.append({"line": number, "code": "DUPLICATE_ID", "message": message, "remedy": "give every sample its own id"})
        self.faults = sorted(faults, key=lambda fault: int(fault["line"]))

    def samples(self) -> Iterator[tuple[Sample | None, list[IssueRecord]]]:
        """The samples, each with what is wrong with its media."""
        for number, key, value in self._objects():
            yield self._sample(number, key, value)

    def _objects(self) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
        try:
            with self._path.open("rb") as file:
                number = 0
                while line := file.readline(ELEMENT_LIMIT + 1):
                    number += 1
                    if len(line) > ELEMENT_LIMIT:
                        self._fault(number, Fault("SAMPLE_TOO_LARGE", f"longer than {ELEMENT_LIMIT} bytes", "keep media in files"))
                        return
                    if line.strip():
                        yield from self._object(number, line)
        except OSError as error:
            raise UserError(f"{self._path}: {error.strerror}", "Give a file of sample lines.") from None

    def _object(self, number: int, line: bytes) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
        try:
            value = _decoded(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
            key = self._key(value)
        except Fault as fault:
            self._fault(number, fault)
            return
        yield number, key, value

    def _key(self, value: Any) -> str:
        if not isinstance(value, Mapping):
            raise Fault("WRONG_FORM", "not an object", 'write {"id": ..., "prediction": ..., "reference": ...}')
        if "id" not in value:
            raise Fault("MISSING_ID", "there is no `id`", "give every sample an id")
        key = key_of(value["id"])
        if "reference" in value and "references" in value:
            raise Fault("WRONG_FORM", "both `reference` and `references`", "give one of the two")
        if not isinstance(value.get("references", []), list | Fault):
            raise Fault("WRONG_FORM", "`references` is not a list", "write a list, or use `reference`")
        if not isinstance(presence := value.get("presence"), Fault) and presence not in (None, "", *PRESENCES):
            raise Fault("WRONG_FORM", f"`presence` is {str(presence)[:40]!r}", f"write one of {', '.join(PRESENCES)}, or leave it out")
        given = value.get("prediction") is not None or value.get("reference") is not None or value.get("references")
        if not given and not self._reader.form.reference_free:  # an item that nobody made or judged is a sample all the same
            raise Fault("WRONG_FORM", "neither a prediction nor a reference", "give at least one of them")
        return key

    def _fault(self, number: int, fault: Fault) -> None:
        self.faults.append({"line": number, "code": fault.code, "message": fault.message, "remedy": fault.remedy})

    def _sample(self, number: int, key: str, value: Mapping[str, Any]) -> tuple[Sample | None, list[IssueRecord]]:
        for name, item in value.items():
            if isinstance(item, Fault) and name != "prediction":
                return None, [self._issue(number, key, "reference", "" if name not in _OWN else f"/{name}", item)]
        given = value["references"] if "references" in value else [value.get("reference")]
        issues: list[IssueRecord] = []
        references: list[Content] = []
        for index, item in enumerate(item for item in given if item is not None):
            place = f"/references/{index}" if "references" in value else "/reference"
            try:
                references.append(self._reader.content(item, "reference"))
            except Fault as fault:
                if not self._reader.form.reference_free:
                    return None, [self._issue(number, key, "reference", place, fault)]
                issues.append(self._issue(number, key, "warning", place, _NOT_READ))
        prediction = None
        if value.get("prediction") is not None:
            try:
                if isinstance(value["prediction"], Fault):
                    raise value["prediction"]
                prediction = self._reader.content(value["prediction"], "prediction")
            except Fault as fault:
                issues.append(self._issue(number, key, "prediction", "/prediction", fault))
        attributes = {name: item for name, item in value.items() if name not in _OWN}
        presence = value.get("presence") or self._presence(prediction is not None, bool(references), value)
        return Sample(key, prediction, tuple(references), attributes, presence), issues

    def _presence(self, predicted: bool, referenced: bool, value: Mapping[str, Any]) -> str:
        if predicted:
            return "both" if referenced else "prediction_only"
        # A line of a set metric that never had a prediction is a member of the real set, not one that is missing.
        real = self._reader.form.set_metric and value.get("prediction") is None
        return "reference_only" if real else "prediction_missing"

    def _issue(self, number: int, key: str, side: str, place: str, fault: Fault) -> IssueRecord:
        return IssueRecord(key, fault.code, side, f"line {number}: {fault.message}", fault.remedy, str(self._path), place + fault.pointer)


def _decoded(line: bytes) -> Any:
    """The object of a line; a fault stands for each value that holds half of a character, since it is its sample's alone."""
    try:
        return decode(line)
    except Fault as fault:
        if fault.code != HALF:
            raise
        whole, faults = decode_halves(line)
        if "id" in faults or not faults:
            raise
        return {**whole, **faults}
