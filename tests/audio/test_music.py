"""Pieces, MIDI files, pitch classes: pcc and e_accuracy."""

from __future__ import annotations

import io
from itertools import combinations
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pretty_midi
import pytest
from audio_speech import encode
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import jaccard_score

from genlevel_audio.app import EVALUATOR
from genlevel_audio.audio import Audio
from genlevel_audio.metrics import e_accuracy, pcc
from genlevel_audio.music import chroma, midi
from genlevel_audio.music.pieces import Piece, from_notes
from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue, SampleError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

TICKS = 96


def saved(*tracks: list[mido.Message | mido.MetaMessage], kind: int = 1, ticks: int = TICKS) -> bytes:
    """A MIDI file as mido writes it."""
    file = mido.MidiFile(type=kind, ticks_per_beat=ticks)
    file.tracks.extend(mido.MidiTrack(track) for track in tracks)
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def note(pitch: int, start: int, length: int, channel: int = 0) -> list[tuple[int, mido.Message]]:
    return [
        (start, mido.Message("note_on", note=pitch, velocity=64, channel=channel)),
        (start + length, mido.Message("note_off", note=pitch, channel=channel)),
    ]  # fmt: skip


def track(*timed: tuple[int, Any], name: str = "") -> list[Any]:
    """Messages at absolute ticks."""
    found, now = ([mido.MetaMessage("track_name", name=name)] if name else []), 0
    for time, message in sorted(timed, key=lambda item: item[0]):
        found.append(message.copy(time=time - now))
        now = time
    return found


def random_notes(source: np.random.Generator, count: int) -> list[tuple[int, Any]]:
    """Notes of which no two of one pitch overlap."""
    timed: list[tuple[int, Any]] = []
    free: dict[int, int] = {}
    for _ in range(count):
        pitch = int(source.integers(30, 90))
        start = free.get(pitch, 0) + int(source.integers(0, 400))
        length = int(source.integers(1, 500))
        timed += note(pitch, start, length)
        free[pitch] = start + length
    return timed


def test_histograms_of_bars_are_pretty_midis(tmp_path: Path) -> None:
    source = np.random.default_rng(2)
    data = saved(track(*random_notes(source, 60)), track(*note(40, 0, 900, channel=9)))
    piece = midi.read(data, "a.mid")
    judged = pretty_midi.PrettyMIDI(io.BytesIO(data))  # 120 quarter notes a minute: a bar of four lasts 2 s
    classes = piece.classes()
    assert len(classes) == int(np.ceil(judged.get_end_time() / 2.0))
    for bar, ours in enumerate(classes):
        cut = pretty_midi.Instrument(0)
        for played in (played for instrument in judged.instruments if not instrument.is_drum for played in instrument.notes):
            start, end = max(played.start, 2.0 * bar), min(played.end, 2.0 * bar + 2.0)
            if start < end:
                cut.notes.append(pretty_midi.Note(64, played.pitch, start, end))
        np.testing.assert_allclose(ours / 2.0, cut.get_pitch_class_histogram(use_duration=True, normalize=False), atol=1e-9)


@given(st.lists(st.lists(st.integers(0, 3), min_size=12, max_size=12), min_size=0, max_size=7), st.booleans())
def test_overlaps_are_those_of_loops(bars: list[list[int]], adjacent: bool) -> None:
    classes = np.array(bars, dtype=np.float64).reshape(-1, 12)
    sounding = [place for place, bar in enumerate(classes) if bar.sum()]
    pairs = [(i, j) for i, j in combinations(sounding, 2) if not adjacent or j == i + 1]
    total = sum(min(classes[i][k] / classes[i].sum(), classes[j][k] / classes[j].sum()) for i, j in pairs for k in range(12))
    found = pcc.overlaps(classes, "adjacent" if adjacent else "all")
    assert found[0] == pytest.approx(total, abs=1e-9)
    assert found[1] == len(pairs)


def test_time_signatures_make_the_bars() -> None:
    signatures = [(0, mido.MetaMessage("time_signature", numerator=3, denominator=4)), (6 * TICKS, mido.MetaMessage("time_signature", numerator=6, denominator=8))]
    piece = midi.read(saved(track(*signatures, *note(60, 0, 11 * TICKS))), "a.mid")
    assert piece.bars.tolist() == [0.0, 3.0, 6.0, 9.0, 12.0]
    np.testing.assert_array_equal(piece.classes()[:, 0], [3.0, 3.0, 3.0, 2.0])


def test_tempo_plays_no_part() -> None:
    notes = random_notes(np.random.default_rng(4), 30)
    with_tempo = [(0, mido.MetaMessage("set_tempo", tempo=900_000)), (300, mido.MetaMessage("set_tempo", tempo=250_000)), *notes]
    one, other = (midi.read(saved(track(*timed)), "a.mid").classes() for timed in (notes, with_tempo))
    np.testing.assert_array_equal(one, other)


def test_notes_without_an_end_and_doubled_notes() -> None:
    open_note = [mido.Message("note_on", note=60, velocity=9), mido.Message("note_on", note=62, velocity=9, time=TICKS), mido.Message("note_on", note=62, velocity=0, time=TICKS)]
    piece = midi.read(saved(open_note), "a.mid")
    assert sorted(zip(piece.pitches.tolist(), piece.starts.tolist(), piece.ends.tolist(), strict=True)) == [(60, 0.0, 2.0), (62, 1.0, 2.0)]
    doubled = [mido.Message("note_on", note=60, velocity=9), mido.Message("note_on", note=60, velocity=9, time=TICKS), mido.Message("note_off", note=60, time=TICKS)]
    assert midi.read(saved(doubled), "a.mid").starts.tolist() == [0.0, 1.0]


def test_a_note_that_lasts_no_time_is_none() -> None:
    data = saved(track(*note(60, 0, 96), *note(64, 96, 0), *note(60, 96, 96)))
    assert midi.read(data, "a.mid").pitches.tolist() == [60, 60]


def test_channels_of_one_track_are_players_and_drums_no_piano() -> None:
    both = [*note(72, 0, 96, channel=0), (0, mido.Message("program_change", channel=1, program=68)), *note(72, 0, 96, channel=1), *note(60, 0, 96, channel=9)]
    assert set(midi.read(saved(track(*both, name="Symphony"), kind=0), "a.mid").instruments) == {0, 68, "drums"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (saved(track(*note(60, 0, 96)))[:-9], "MEDIA_TRUNCATED"),
        (b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk\x00\x00\x00\x06\x00\xff\x59\x02\x0f\x05", "UNREADABLE_MIDI"),
        (b"MThd\x00\x00\x00\x06\x00\x02\x00\x01\x00\x60MTrk\x00\x00\x00\x04\x00\xff\x2f\x00", "MIDI_TYPE_2"),
        (b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\xe7\x28MTrk\x00\x00\x00\x04\x00\xff\x2f\x00", "NO_BEATS"),
        (b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x00MTrk\x00\x00\x00\x04\x00\xff\x2f\x00", "NO_BEATS"),
        (saved(track()), "NO_NOTES"),
        (b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk\x00\x00\x00\x03\x00\x11\x22", "UNREADABLE_MIDI"),
        (b"MThd\x00\x00\x00\x06\x00\x00\x00\x02\x00\x60", "UNREADABLE_MIDI"),
        (b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x00\x60MTrk\x00\x00\x00\x0a\x00\xff\x58\x04\x04\x02\x18\x08\x00\x90", "UNREADABLE_MIDI"),
        (b"RIFF\x00\x00\x00\x00RMIDdata", "NOT_MIDI"),
        (b"MThd" + bytes(midi.MAX_BYTES), "TOO_LARGE"),
    ],
)
def test_broken_midi_is_named(data: bytes, code: str) -> None:
    with pytest.raises(SampleError) as caught:
        midi.read(data, "a.mid")
    assert caught.value.code == code
    assert caught.value.remedy


@given(st.binary(max_size=60))
def test_no_bytes_crash_the_reader(tail: bytes) -> None:
    data = b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk" + len(tail).to_bytes(4, "big") + tail
    try:
        piece = midi.read(data, "a.mid")
    except SampleError:
        return
    assert len(piece.pitches)


def test_too_many_bars_are_refused() -> None:
    with pytest.raises(SampleError, match="bars"):
        from_notes({"beats_per_bar": 0.001, "notes": [{"pitch": 60, "start": 0, "duration": 1000}]})


@pytest.mark.parametrize(
    "value",
    [
        [], {"notes": {}}, {"notes": [1]}, {"notes": [{"pitch": 128, "start": 0, "duration": 1}]}, {"notes": [{"pitch": 60, "start": -1, "duration": 1}]},
        {"notes": [{"pitch": 60, "start": 0, "duration": 0}]}, {"notes": [], "beats_per_bar": 0}, {"notes": [{"pitch": True, "start": 0, "duration": 1}]},
        {"notes": [{"pitch": 60, "start": 0, "duration": float("nan")}]}, {"notes": [{"pitch": 60, "start": 0, "duration": 1, "drum": 3}]}, {"notes": [], "tempo": 1},
    ],
)  # fmt: skip
def test_notes_of_another_form_are_refused(value: Any) -> None:
    with pytest.raises(SampleError):
        from_notes(value)


def scored(metric: str, *samples: tuple[Content | None, Content | None], **parameters: object) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(EVALUATOR, metric, parameters)
    given = [
        RawSample(str(place), prediction, (reference,) if reference else (), Presence.PREDICTION_MISSING if prediction is None else Presence.BOTH if reference else Presence.PREDICTION_ONLY)
        for place, (prediction, reference) in enumerate(samples)
    ]
    rows, issues = scorer.observe(given)
    return scorer.finalize(rows), issues


def test_pcc_of_pieces() -> None:
    drone = Content(json={"notes": [{"pitch": 60, "start": 0, "duration": 12}]})
    steps = Content(json={"notes": [{"pitch": 60 + bar, "start": 4 * bar, "duration": 4} for bar in range(4)]})
    short = Content(json={"notes": [{"pitch": 60, "start": 0, "duration": 2}, {"pitch": 35, "start": 8, "duration": 1, "drum": True}]})
    value, issues = scored("pcc", (drone, None), (steps, None), (short, None), (None, None))
    assert value.value == 25.0
    assert [issue.code for issue in issues] == ["TOO_FEW_BARS"]
    assert (value.expected, value.present) == (4, 2)
    half = Content(json={"notes": [{"pitch": 60, "start": 0, "duration": 4}, {"pitch": 60, "start": 4, "duration": 2}, {"pitch": 61, "start": 6, "duration": 2}, {"pitch": 61, "start": 8, "duration": 4}]})
    assert scored("pcc", (half, None))[0].value == pytest.approx(100 * (0.5 + 0.0 + 0.5) / 3)
    assert scored("pcc", (half, None), bars="adjacent")[0].value == 50.0


def test_pcc_of_recordings_is_never_comparable() -> None:
    times = np.arange(4 * 8000) / 8000
    tones = [0.3 * np.sin(2 * np.pi * pitch * times) for pitch in (440.0, 880.0, 466.16)]
    same, other = np.concatenate(tones[:2]), np.concatenate([tones[0], tones[2]])
    found = [scored("pcc", (Content(media=media.from_bytes(encode(sound, 8000), "a.wav")), None), seconds_per_bar=4.0)[0] for sound in (same, other)]
    assert (found[0].value or 0.0) > 97
    assert (found[1].value or 100.0) < 15
    assert found[0].warnings == ("pcc_of_recordings", "not_comparable")


@pytest.mark.parametrize(("seconds", "bars"), [(0.4, 1), (1.0, 1), (2.99, 1), (3.0, 2), (4.99, 2), (5.0, 3), (7.0, 4), (9.0, 5)])
def test_half_a_bar_at_the_end_of_a_recording_is_a_bar(seconds: float, bars: int) -> None:
    sound = np.ones(round(seconds * 8000), dtype=np.float32)
    assert len(chroma.bar_classes(Audio(sound, 8000), 2.0)) == bars


def test_chroma_knows_the_tones_and_the_rests() -> None:
    times = np.arange(22_050) / 22_050
    for tone in range(12):
        sound = 0.2 * np.sin(2 * np.pi * 440.0 * 2.0 ** ((tone - 9) / 12) * times)
        classes = chroma.bar_classes(Audio(np.concatenate([sound, np.zeros(22_050)]).astype(np.float32), 22_050), 1.0)
        assert classes.shape == (2, 12)
        assert int(classes[0].argmax()) == tone
        assert classes[0][tone] > 0.9 * classes[0].sum()
    assert not chroma.bar_classes(Audio(np.zeros(22_050, dtype=np.float32), 22_050), 1.0).any()


@pytest.mark.parametrize("level", [0.25, -1.0])
def test_a_constant_is_a_rest_and_no_part_of_a_tone(level: float) -> None:
    times = np.arange(4 * 8000) / 8000
    tone = 0.1 * np.sin(2 * np.pi * 440 * times)
    assert not chroma.bar_classes(Audio(np.full(4 * 8000, level, dtype=np.float32), 8000), 2.0).any()
    plain, raised = (chroma.bar_classes(Audio((tone + added).astype(np.float32), 8000), 2.0) for added in (0.0, level))
    np.testing.assert_allclose(raised, plain, atol=1e-3 * plain.max())


CELLS = st.lists(st.frozensets(st.tuples(st.sampled_from(["flute", "oboe"]), st.integers(60, 62)), max_size=4), min_size=1, max_size=6)


@given(CELLS, CELLS)
def test_event_accuracy_is_scikit_learns_jaccard(one: list[frozenset[tuple[str, int]]], other: list[frozenset[tuple[str, int]]]) -> None:
    count = min(len(one), len(other))
    names = [(name, pitch) for name in ("flute", "oboe") for pitch in range(60, 63)]
    prediction, reference = ([[int(name in cells) for name in names] for cells in side[:count]] for side in (one, other))
    kept = [place for place in range(count) if any(prediction[place]) or any(reference[place])]
    total, events, _, _ = e_accuracy.agreement(one[:count], other[:count])
    assert events == len(kept)
    if kept:
        judged = jaccard_score(np.array(reference)[kept], np.array(prediction)[kept], average="samples", zero_division=0)
        assert total / events == pytest.approx(float(judged))


def _loops(prediction: Piece, reference: Piece) -> float:
    ratios = []
    for time in sorted(set(reference.starts.tolist())):
        sides = []
        for piece in (prediction, reference):
            sides.append({(str(piece.instruments[n]).lower(), piece.pitches[n]) for n in range(len(piece.pitches)) if piece.starts[n] <= time < piece.ends[n]})
        if sides[0] | sides[1]:
            ratios.append(len(sides[0] & sides[1]) / len(sides[0] | sides[1]))
    return 100.0 * sum(ratios) / len(ratios)


def test_midi_files_are_compared_at_the_onsets_of_the_reference() -> None:
    source = np.random.default_rng(9)
    files = [saved(track(*random_notes(source, 25), name="Flute "), track(*random_notes(source, 25), name="oboe")) for _ in range(2)]
    value, issues = scored("e_accuracy", *((Content(media=media.from_bytes(files[0], "a.mid")), Content(media=media.from_bytes(files[1], "b.mid"))),))
    assert not issues
    assert value.value == pytest.approx(_loops(*(midi.read(data, "x") for data in files)))
    same, _ = scored("e_accuracy", (Content(media=media.from_bytes(files[0], "a.mid")), Content(media=media.from_bytes(files[0], "a.mid"))))
    assert same.value == 100.0


def test_who_plays_may_be_left_out() -> None:
    sides = [Content(json={"events": [[[name, 60]], [[name, 61]]]}) for name in ("flute", "oboe")]
    assert scored("e_accuracy", (sides[0], sides[1]))[0].value == 0.0
    assert scored("e_accuracy", (sides[0], sides[1]), instruments="none")[0].value == 100.0


def test_what_cannot_be_compared_is_an_issue_and_counts_nothing() -> None:
    two, three = (Content(json={"events": [[["flute", 60]]] * count}) for count in (2, 3))
    file = Content(media=media.from_bytes(saved(track(*note(60, 0, 96))), "a.mid"))
    empty = Content(json={"events": [[], []]})
    value, issues = scored("e_accuracy", (two, three), (file, two), (two, two), (empty, empty), (None, two))
    assert [issue.code for issue in issues] == ["EVENT_COUNT", "MIXED_FORMS"]
    assert value.value == pytest.approx(100.0 * 2 / (3 + 2 + 2 + 0 + 2))
    assert scored("e_accuracy", (empty, empty))[0].reason == "no_reference"
