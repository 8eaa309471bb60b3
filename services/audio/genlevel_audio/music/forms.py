"""Readers of the kinds `midi` and `orchestration`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genlevel_audio import audio
from genlevel_audio.audio import Audio
from genlevel_audio.music import midi
from genlevel_audio.music.pieces import MAX_NOTES, Piece, from_notes
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, json_type

MAX_EVENTS = 100_000


@dataclass(frozen=True)
class Events:
    """Which (instrument, pitch) pairs sound at each event."""

    cells: tuple[frozenset[tuple[str, int]], ...]


def decode_piece(content: Content, attributes: Mapping[str, Any]) -> Piece | Audio:
    """A MIDI file, notes, or a recording."""
    del attributes
    if content.media is None:
        return from_notes(content.json)
    data = content.media.read()
    return midi.read(data, content.media.name or "the piece") if midi.is_midi(data) else audio.decode(content.media)


def decode_orchestration(content: Content, attributes: Mapping[str, Any]) -> Piece | Events:
    """A MIDI file, or `{"events": [[[instrument, pitch], ...], ...]}`."""
    del attributes
    if content.media is not None:
        return midi.read(content.media.read(), content.media.name or "the piece")
    value = content.json
    if not isinstance(value, Mapping) or value.keys() != {"events"} or not isinstance(value["events"], list):
        raise SampleError("WRONG_TYPE", f"expected a MIDI file, or events as an object, got {json_type(value)}", remedy="see docs/formats.md, kind orchestration")
    if len(value["events"]) > MAX_EVENTS or sum(len(event) for event in value["events"] if isinstance(event, list)) > MAX_NOTES:
        raise SampleError("TOO_LARGE", f"more than {MAX_EVENTS} events or {MAX_NOTES} cells", remedy="cut the piece", pointer="/events")
    return Events(tuple(_event(event, f"/events/{place}") for place, event in enumerate(value["events"])))


def _event(event: Any, pointer: str) -> frozenset[tuple[str, int]]:
    if not isinstance(event, list) or not all(isinstance(cell, list) and len(cell) == 2 and _is_cell(*cell) for cell in event):
        raise SampleError("WRONG_TYPE", "an event is a list of [instrument, pitch], pitch from 0 to 127", remedy="see docs/formats.md", pointer=pointer)
    return frozenset((named(instrument), pitch) for instrument, pitch in event)


def _is_cell(instrument: Any, pitch: Any) -> bool:
    whole = isinstance(pitch, int) and not isinstance(pitch, bool) and 0 <= pitch <= 127
    return whole and isinstance(instrument, str | int) and not isinstance(instrument, bool)


def named(instrument: str | int) -> str:
    """An instrument as it is compared: without regard to case and outer spaces.

    >>> named(" Violin I "), named(41)
    ('violin i', '41')
    """
    return " ".join(str(instrument).casefold().split())
