"""Standard MIDI files, read strictly: notes, time signatures, who plays. Tempo is not needed, as bars are counted in beats."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from genlevel_audio.music.pieces import BEATS_PER_BAR, MAX_NOTES, Note, Piece, piece_of
from genlevel_evaluator.errors import SampleError

MAX_BYTES = 1 << 22
_DRUM_CHANNEL = 9


def is_midi(data: bytes) -> bool:
    """Whether a file says that it is one."""
    return data[:4] == b"MThd" or (data[:4] == b"RIFF" and data[8:12] == b"RMID")


def read(data: bytes, shown: str) -> Piece:
    """The piece in a file.

    Raises:
        SampleError: not MIDI, cut short, too large, without beats, without notes.
    """
    if len(data) > MAX_BYTES:
        raise SampleError("TOO_LARGE", f"{shown} has {len(data)} bytes, at most {MAX_BYTES} are read as MIDI", remedy="cut the piece")
    if not data.startswith(b"MThd"):
        raise SampleError("NOT_MIDI", f"{shown} is no standard MIDI file", remedy="save it as a MIDI file of type 0 or 1")
    file = _parsed(_music(data, shown), shown)
    if file.type == 2:
        raise SampleError("MIDI_TYPE_2", f"{shown} holds several pieces (type 2)", remedy="save each as a file of its own")
    if not 0 < file.ticks_per_beat < 0x8000:
        raise SampleError("NO_BEATS", f"{shown} counts video frames, not beats", remedy="save it with ticks per quarter note")
    # The name of the one track of type 0 is that of the piece, not of who plays.
    notes = [note for track in file.tracks for note in _notes(track, float(file.ticks_per_beat), _name(track) if file.type else "")]
    if len(notes) > MAX_NOTES:
        raise SampleError("TOO_LARGE", f"{shown} has {len(notes)} notes, at most {MAX_NOTES} are read", remedy="cut the piece")
    if not notes:
        raise SampleError("NO_NOTES", f"{shown} has no note", remedy="leave the sample out, or save notes in it")
    return piece_of(notes, _signatures(file), shown)


def _music(data: bytes, shown: str) -> bytes:
    """The header and the tracks that it announces: as the standard says, chunks of other kinds are skipped; what follows the last track is none."""
    kept, tracks, place = [], 0, 0
    announced = int.from_bytes(data[10:12], "big")
    while place < len(data) and (tracks < announced or not place):
        end = place + 8 + int.from_bytes(data[place + 4 : place + 8], "big")
        if len(data) < place + 8 or end > len(data):
            raise SampleError("MEDIA_TRUNCATED", f"{shown} ends inside a chunk, at byte {len(data)}", remedy="copy the file again")
        kind = data[place : place + 4]
        tracks += kind == b"MTrk"
        if not place or kind == b"MTrk":
            kept.append(data[place:end])
        place = end
    return b"".join(kept)


def _parsed(data: bytes, shown: str) -> Any:
    import mido

    try:
        return mido.MidiFile(file=io.BytesIO(data))
    except (mido.KeySignatureError, OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:  # whatever mido meets
        why = str(error) or type(error).__name__
        raise SampleError("UNREADABLE_MIDI", f"{shown} cannot be read as MIDI ({why})", remedy="save the file again") from None


def _notes(track: Any, ticks: float, name: str) -> Iterator[Note]:
    """Notes of a track. A note that is never let go ends with its track; a note-off ends all open notes of its pitch but those begun with it."""
    programs, now = dict[int, int](), 0
    open_notes: dict[tuple[int, int], list[int]] = {}
    for message in track:
        now += message.time
        if message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type == "note_on" and message.velocity:
            open_notes.setdefault((message.channel, message.note), []).append(now)
        elif message.type in ("note_on", "note_off"):
            key = (message.channel, message.note)
            begun = open_notes.pop(key, [])
            ended = [start for start in begun if start < now]
            if ended and len(ended) < len(begun):
                open_notes[key] = [now] * (len(begun) - len(ended))  # struck again as the one before it ends; by itself it lasts no time and is none
            yield from _ended(key, ended, now, ticks, name or _player(key[0], programs))
    for key, begun in open_notes.items():
        yield from _ended(key, [start for start in begun if start < now], now, ticks, name or _player(key[0], programs))


def _ended(key: tuple[int, int], begun: list[int], now: int, ticks: float, instrument: str | int) -> Iterator[Note]:
    channel, pitch = key
    for start in begun:
        yield pitch, start / ticks, now / ticks, instrument, channel == _DRUM_CHANNEL


def _player(channel: int, programs: dict[int, int]) -> str | int:
    return "drums" if channel == _DRUM_CHANNEL else programs.get(channel, 0)


def _name(track: Any) -> str:
    return next((str(message.name).strip("\0 \t\r\n") for message in track if message.type == "track_name"), "")


def _signatures(file: Any) -> list[tuple[float, float]]:
    """Where each time signature begins, and the quarter notes of its bars; four to a bar before the first."""
    found: dict[float, float] = {}
    for track in file.tracks:
        now = 0
        for message in track:
            now += message.time
            if message.type == "time_signature" and message.numerator:
                found[now / file.ticks_per_beat] = 4.0 * message.numerator / message.denominator
    if 0.0 not in found:
        found[0.0] = BEATS_PER_BAR
    return sorted(found.items())
