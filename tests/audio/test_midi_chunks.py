"""What stands in a MIDI file beside its tracks."""

from __future__ import annotations

import pytest
from test_music import note, saved, track

from genlevel_audio.music import midi
from genlevel_evaluator.errors import SampleError


@pytest.mark.parametrize("place", ["after the header", "between tracks", "at the end"])
def test_chunks_of_another_kind_are_skipped(place: str) -> None:
    plain = saved(track(*note(60, 0, 96)), track(*note(64, 96, 96)))
    foreign = b"XFIH" + (5).to_bytes(4, "big") + b"MTrk!"
    at = {"after the header": 14, "between tracks": plain.rindex(b"MTrk"), "at the end": len(plain)}[place]
    read, expected = midi.read(plain[:at] + foreign + plain[at:], "a.mid"), midi.read(plain, "a.mid")
    assert (read.pitches.tolist(), read.starts.tolist()) == (expected.pitches.tolist(), expected.starts.tolist()) == ([60, 64], [0.0, 1.0])


@pytest.mark.parametrize("tail", [bytes(1), bytes(7), bytes(512), b"\r\n", b"TAG" + bytes(125)])
def test_what_follows_the_last_track_is_no_music(tail: bytes) -> None:
    assert midi.read(saved(track(*note(60, 0, 96))) + tail, "a.mid").pitches.tolist() == [60]


def test_zeros_in_place_of_a_track_are_no_track() -> None:
    two = saved(track(*note(60, 0, 96)), track(*note(64, 96, 96)))
    for zeros in (3, 8, 100):
        with pytest.raises(SampleError) as caught:
            midi.read(two[: two.rindex(b"MTrk")] + bytes(zeros), "a.mid")
        assert caught.value.code in ("MEDIA_TRUNCATED", "UNREADABLE_MIDI")
