"""Samples as they come in, and how many of them are decoded at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from genlevel_evaluator.errors import Issue, SampleError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence, Sample

CHUNK = 32
"""Samples decoded at a time, so that media never pile up in memory."""
HELD_BYTES = 1 << 30
"""Decoded media that are held together; a chunk with more is scored in parts."""
TEXT_CHUNK, TEXT_CHARACTERS = 1024, 1 << 20
"""Samples of nothing but text, or lists of texts, decoded at a time, and characters after which no more are added."""


@dataclass(frozen=True)
class RawSample:
    """A sample as it came in. `faults` are sides that could not even be read from the message."""

    id: str
    prediction: Content | None = None
    references: tuple[Content, ...] = ()
    presence: Presence = Presence.BOTH
    attributes: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[SampleError, ...] = ()


def file_of(content: Content) -> str:
    """Name of the file that a content is; empty where it is none."""
    return content.media.name if content.media is not None else ""


def naming_files(issues: Sequence[Issue], samples: Sequence[RawSample]) -> list[Issue]:
    """The issues, with the file of their side where it has exactly one and they name none."""
    if not issues:
        return []
    known = {sample.id: sample for sample in samples}
    return [issue if issue.file else replace(issue, file=_only_file(known[issue.sample_id], issue.severity)) for issue in issues]


def _only_file(sample: RawSample, side: str) -> str:
    if any(fault.side == side for fault in sample.faults):
        return ""
    contents = {"prediction": (sample.prediction,), "reference": sample.references}.get(side, ())
    return file_of(contents[0]) if len(contents) == 1 and contents[0] is not None else ""


def chunks(samples: Sequence[RawSample]) -> Iterator[Sequence[RawSample]]:
    """The samples in order, in runs that fit in memory together."""
    start = 0
    while start < len(samples):
        end = start + _text_run(samples, start)
        end = end if end > start else start + CHUNK
        yield samples[start:end]
        start = end


def _characters(content: Content) -> int:
    """Characters of a text, or of a list of texts; -1 of anything else, which may be large once it is decoded."""
    if content.text is not None:
        return len(content.text)
    if type(content.json) is list and all(type(item) is str for item in content.json):
        return sum(map(len, content.json))
    return -1


def _text_run(samples: Sequence[RawSample], start: int) -> int:
    """How many samples from there on hold nothing but text or lists of texts, of one chunk at most."""
    characters = 0
    for place in range(start, min(start + TEXT_CHUNK, len(samples))):
        for content in (samples[place].prediction, *samples[place].references):
            if content is not None:
                size = _characters(content)
                if size < 0:
                    return place - start
                characters += size
        if characters > TEXT_CHARACTERS:
            return place + 1 - start
    return min(TEXT_CHUNK, len(samples) - start)


def parts(decoded: Iterable[tuple[Sample, int]]) -> Iterator[list[tuple[Sample, int]]]:
    """Decoded samples in order, in lists that end as soon as their media take `HELD_BYTES`."""
    held: list[tuple[Sample, int]] = []
    size = 0
    for entry in decoded:
        held.append(entry)
        for value in (entry[0].prediction, *entry[0].references):
            if hasattr(value, "__dict__"):  # texts and lists have none: nearly all values, in the innermost loop of text metrics
                size += _size(value)
        if size >= HELD_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def _size(value: Any) -> int:
    """Bytes of the arrays in a decoded value."""
    return sum(int(getattr(part, "nbytes", 0)) for part in vars(value).values())
