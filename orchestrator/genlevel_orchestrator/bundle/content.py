"""From a sample as it stands in the files to one that can be sent: its content, its attributes, and what is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genlevel_orchestrator.bundle import fields
from genlevel_orchestrator.bundle.adapters import adapt, intents, joined, ordered_like
from genlevel_orchestrator.bundle.attributes import attributes
from genlevel_orchestrator.bundle.fields import MISSING, Form
from genlevel_orchestrator.bundle.media import MediaBase, MediaFile, MediaFolder
from genlevel_orchestrator.bundle.samples import RawSample
from genlevel_orchestrator.bundle.violations import Fault
from genlevel_orchestrator.runs.results import IssueRecord

PRESENCES = ("both", "prediction_only", "reference_only", "prediction_missing")
"""What an annotation may say under `presence`, and a sample says."""


@dataclass(frozen=True)
class Content:
    """One prediction or reference; exactly one of the three is set. Files inside ``json`` are MediaFile objects."""

    text: str | None = None
    json: Any = MISSING
    media: MediaFile | None = None

    def plain(self) -> Any:
        """A form that is the same exactly when the content is."""
        if self.text is not None:
            return ["text", self.text]
        if self.media is not None:
            return ["media", _identity(self.media)]
        return ["json", self.json]

    def files(self) -> list[MediaFile]:
        """All files of the content."""
        return [self.media] if self.media is not None else list(_files(self.json))


@dataclass(frozen=True)
class Sample:
    """One sample, ready to be sent.

    Attributes:
        presence: ``both``, ``prediction_only``, ``reference_only``, ``prediction_missing`` or empty (derived from the sides).
    """

    key: str
    prediction: Content | None
    references: tuple[Content, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    presence: str = ""

    def digest(self) -> bytes:
        """SHA-256 of all that can change the score: keys, answers, attributes and the bytes of media, not where they lie."""
        parts = [
            self.key, self.presence, self.prediction.plain() if self.prediction else None,
            [reference.plain() for reference in self.references], dict(self.attributes),
        ]  # fmt: skip
        return hashlib.sha256(_CANONICAL.encode(parts).encode()).digest()

    def files(self) -> list[MediaFile]:
        """All files of the sample."""
        sides = (self.prediction, *self.references)
        return [file for side in sides if side is not None for file in side.files()]


def _identity(file: MediaFile) -> dict[str, Any]:
    return {"sha256": file.sha256, "name": file.name}


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=_identity)


def _files(value: Any) -> list[MediaFile]:
    if isinstance(value, MediaFile):
        return [value]
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [file for item in items for file in _files(item)]


@dataclass(frozen=True)
class Reader:
    """Reads the samples of one task.

    Attributes:
        sample_type: the annotation's ``type``.
        names: how the two files are shown in issues.
        excluded: keys that cannot be scored because the annotation contradicts itself.
        digests: whether files are read and hashed; without, only their presence is checked.
        envelope: what the annotation says beside its samples.
    """

    form: Form
    prediction_base: MediaBase
    reference_base: MediaBase
    sample_type: str = ""
    names: tuple[str, str] = ("prediction.json", "annotation.json")
    excluded: frozenset[str] = frozenset()
    envelope: Mapping[str, Any] = field(default_factory=dict)

    def read(self, raw: RawSample) -> tuple[Sample | None, list[IssueRecord]]:
        """The sample, or None when its reference is at fault, and what is wrong with it."""
        if raw.key in self.excluded:
            fault = Fault("DUPLICATE_ID", "the annotation holds two different samples of this id", "keep one")
            return None, [self._issue(raw, "reference", fault, "")]
        if "annotation" in raw.faults:
            return None, [self._issue(raw, "reference", raw.faults["annotation"], "")]
        place, values = ("", []) if self.form.reference_free else fields.referenced(raw.annotation, self.form, self.sample_type)
        try:
            if self.form.kind == "text" and isinstance(maps := self.envelope.get("intent_label"), Mapping):
                values = intents(values, maps)
            references = tuple(self.content(value, "reference") for value in values)
        except Fault as fault:
            return None, [self._issue(raw, "reference", fault, place)]
        prediction, issues = self._prediction(raw, values)
        if references:
            further, noted = self._beside(raw)
            references, issues = references + further, issues + noted
        presence = raw.annotation.get("presence")
        if presence not in PRESENCES:
            presence = self._presence(prediction, references)
        return Sample(raw.key, prediction, references, attributes(raw.annotation, self.form.kind, self.envelope), presence), issues

    def _prediction(self, raw: RawSample, references: list[Any]) -> tuple[Content | None, list[IssueRecord]]:
        if "predictions" in raw.faults:
            return None, [self._issue(raw, "prediction", raw.faults["predictions"], "")]
        if raw.prediction is None:
            return None, []
        place, value = fields.predicted(raw.prediction, self.form, self.sample_type)
        if value is MISSING:
            return None, []
        try:
            return self.content(ordered_like(value, references), "prediction"), []
        except Fault as fault:
            return None, [self._issue(raw, "prediction", fault, place)]

    def _beside(self, raw: RawSample) -> tuple[tuple[Content, ...], list[IssueRecord]]:
        """Files that only companions look at."""
        found: list[Content] = []
        issues = []
        for place, role, value in fields.beside(raw.annotation, self.form):
            try:
                found.append(Content(json={role: self.reference_base.open(value, False)}))
            except Fault as fault:
                issues.append(self._issue(raw, "warning", fault, place))
        return tuple(found), issues

    def _presence(self, prediction: Content | None, references: tuple[Content, ...]) -> str:
        if prediction is None:
            return "prediction_missing"
        return "both" if references else "prediction_only"

    def content(self, value: Any, side: str) -> Content:
        """One side of a sample as it is sent.

        Raises:
            Fault: a file it names cannot be used.
        """
        paths = self.form.prediction_paths if side == "prediction" else self.form.reference_paths
        base = self.prediction_base if side == "prediction" else self.reference_base
        if fields.is_media(value) or (paths and isinstance(value, str)):
            found = base.open(value, self.form.folders)
            return Content(json=list(found.files)) if isinstance(found, MediaFolder) else Content(media=found)
        if self.form.joined and isinstance(value, list):
            value = joined(value)
        value = adapt(value, self.form.kind, self.form.box_format)
        if isinstance(value, str):
            return Content(text=value)
        for pointer in self.form.media:
            value = _with_files(value, pointer.split("/")[1:], base)
        return Content(json=value)

    def _issue(self, raw: RawSample, side: str, fault: Fault, place: str) -> IssueRecord:
        start = raw.prediction_pointer if side == "prediction" else raw.annotation_pointer
        name = self.names[0] if side == "prediction" else self.names[1]
        return IssueRecord(raw.key, fault.code, side, fault.message, fault.remedy, name, start + place + fault.pointer)


def _with_files(value: Any, path: list[str], base: MediaBase) -> Any:
    """The value with the files at a place opened; a value of another form stays as it is, for the evaluator to refuse."""
    if not path:
        return base.open(value, False) if isinstance(value, str) or fields.is_media(value) else value
    head, rest = path[0], path[1:]
    if head == "*" and isinstance(value, list):
        return [_with_files(item, rest, base) for item in value]
    if isinstance(value, Mapping) and head in value:
        return {**value, head: _with_files(value[head], rest, base)}
    return value
