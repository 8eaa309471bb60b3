"""Pieces as notes in beats, with the bars they stand in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import json_type

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MAX_NOTES = 200_000
MAX_BARS = 100_000
BEATS_PER_BAR = 4.0
"""Of a piece that names no time signature, as in a MIDI file."""


@dataclass(frozen=True)
class Piece:
    """A piece.

    Attributes:
        pitches: MIDI numbers, 0 to 127.
        starts: in quarter notes; likewise `ends`, later than the starts.
        instruments: who plays each note: a name, or the number of a program.
        drums: whether a note's pitch is no pitch.
        bars: where bars begin, ascending, and where the last one ends; every note lies between.
        name: as a person knows the file.
    """

    pitches: Integers
    starts: Floats
    ends: Floats
    instruments: tuple[str | int, ...]
    drums: NDArray[np.bool_]
    bars: Floats
    name: str = ""

    def classes(self) -> Floats:
        """Beats of each pitch class in each bar, shape (bars, 12). A note over a bar line is cut there; drums are left out."""
        found = np.zeros((len(self.bars) - 1, 12))
        pitched = ~self.drums
        starts, ends, pitches = self.starts[pitched], self.ends[pitched], self.pitches[pitched]
        first = np.searchsorted(self.bars, starts, side="right") - 1
        last = np.searchsorted(self.bars, ends, side="left") - 1
        counts = last - first + 1
        note = np.repeat(np.arange(len(starts)), counts)
        bar = first[note] + np.arange(len(note)) - np.repeat(np.cumsum(counts) - counts, counts)
        beats = np.minimum(ends[note], self.bars[bar + 1]) - np.maximum(starts[note], self.bars[bar])
        np.add.at(found, (bar, pitches[note] % 12), beats)
        return found


def bar_lines(signatures: list[tuple[float, float]], end: float, shown: str) -> Floats:
    """Where bars begin, and where the last one ends.

    Args:
        signatures: where each time signature begins, ascending, and how many quarter notes a bar has from there on.
        end: of the last note.
        shown: name of the piece.

    >>> bar_lines([(0.0, 4.0), (6.0, 3.0)], 10.0, "a piece").tolist()
    [0.0, 4.0, 6.0, 9.0, 12.0]
    """
    lines: list[Floats] = []
    for place, (start, beats) in enumerate(signatures):
        until = signatures[place + 1][0] if place + 1 < len(signatures) else max(end, start)
        count = int(np.ceil((min(until, max(end, start)) - start) / beats - 1e-9))
        if count + sum(map(len, lines)) > MAX_BARS:
            raise SampleError("TOO_LONG", f"{shown} has more than {MAX_BARS} bars", remedy="cut it")
        lines.append(np.asarray(start + beats * np.arange(count), dtype=np.float64))
        last = start + beats * count
    found = np.concatenate(lines) if lines else np.zeros(0)
    return np.append(found, max(last, end) if len(found) else end)


def from_notes(value: Any, shown: str = "the piece") -> Piece:
    """A piece of its JSON form.

    Raises:
        SampleError: another form, or numbers out of range.
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("notes"), list) or not value.keys() <= {"notes", "beats_per_bar"}:
        raise SampleError("WRONG_TYPE", f"expected a MIDI file, or notes as an object, got {json_type(value)}", remedy="see docs/formats.md, kind midi")
    beats = _number(value.get("beats_per_bar", BEATS_PER_BAR), "/beats_per_bar", 0.0)
    if beats <= 0:
        raise SampleError("OUT_OF_RANGE", "beats_per_bar is not positive", remedy="give the beats of a bar", pointer="/beats_per_bar")
    if len(value["notes"]) > MAX_NOTES:
        raise SampleError("TOO_LARGE", f"{len(value['notes'])} notes, at most {MAX_NOTES} are read", remedy="cut the piece", pointer="/notes")
    notes = [_note(note, f"/notes/{place}") for place, note in enumerate(value["notes"])]
    return piece_of(notes, [(0.0, beats)], shown)


Note = tuple[int, float, float, str | int, bool]
"""Pitch, start, end, instrument, drum."""


def piece_of(notes: list[Note], signatures: list[tuple[float, float]], shown: str) -> Piece:
    """A piece of notes, in any order, and time signatures."""
    notes = sorted(notes, key=lambda note: (note[1], note[0], note[2], str(note[3])))
    end = max((note[2] for note in notes), default=0.0)
    return Piece(
        np.array([note[0] for note in notes], dtype=np.int64), np.array([note[1] for note in notes]), np.array([note[2] for note in notes]),
        tuple(note[3] for note in notes), np.array([note[4] for note in notes], dtype=bool), bar_lines(signatures, end, shown), shown,
    )


def _note(note: Any, pointer: str) -> Note:
    if not isinstance(note, Mapping) or not {"pitch", "start", "duration"} <= note.keys() <= {"pitch", "start", "duration", "instrument", "drum"}:
        raise SampleError("WRONG_TYPE", "a note has pitch, start and duration", remedy="see docs/formats.md, kind midi", pointer=pointer)
    pitch, instrument, drum = note["pitch"], note.get("instrument", 0), note.get("drum", False)
    if not isinstance(pitch, int) or isinstance(pitch, bool) or not 0 <= pitch <= 127:
        raise SampleError("OUT_OF_RANGE", "a pitch is a whole number from 0 to 127", remedy="give MIDI pitches", pointer=f"{pointer}/pitch")
    if not isinstance(instrument, int) or isinstance(instrument, bool) or not isinstance(drum, bool):
        raise SampleError("WRONG_TYPE", "instrument is a number and drum a truth value", remedy="see docs/formats.md, kind midi", pointer=pointer)
    start, duration = _number(note["start"], f"{pointer}/start", 0.0), _number(note["duration"], f"{pointer}/duration", 0.0)
    if duration <= 0:
        raise SampleError("OUT_OF_RANGE", "a note lasts no time", remedy="leave it out", pointer=f"{pointer}/duration")
    return pitch, start, start + duration, instrument, drum


def _number(value: Any, pointer: str, low: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= 1e9:
        raise SampleError("OUT_OF_RANGE", f"not a number from {low:g} to 1e9", remedy="give beats", pointer=pointer)
    return float(value)
