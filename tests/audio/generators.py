"""Random samples of every audio metric, for the laws of tests/common/test_laws.py."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

sys.path.append(str(Path(__file__).resolve().parent))

from audio_speech import encode, spoken_file

_WORDS = ["good", "morning", "seven", "people", "walked", "over", "the", "bridge", "and", "nobody", "spoke"]


def _recording(data: bytes) -> Content:
    return Content(media=media.from_bytes(data, "a.wav"))


def _sentence(source: np.random.Generator) -> str:
    return " ".join(source.choice(_WORDS, size=source.integers(2, 7)))


def wer(source: np.random.Generator, count: int) -> list[RawSample]:
    """Spoken sentences: one missing, one silent, one with an empty reference, one broken; references right or wrong."""
    samples = []
    for index in range(count):
        said = _sentence(source)
        reference = said if source.random() < 0.5 else _sentence(source)
        prediction: Content | None = _recording(spoken_file(said))
        presence = Presence.BOTH
        if index % 7 == 1:
            prediction, presence = None, Presence.PREDICTION_MISSING
        elif index % 7 == 2:
            prediction = _recording(encode(np.zeros(8000)))
        elif index % 7 == 3:
            reference = ""
        elif index % 7 == 4:
            prediction = _recording(b"RIFF, but no more")
        samples.append(RawSample(str(index), prediction, (Content(text=reference),), presence))
    return samples


def mcd(source: np.random.Generator, count: int) -> list[RawSample]:
    """Pairs of one sentence by two voices: one identical, one missing, one silent."""
    samples = []
    for index in range(count):
        text = _sentence(source)
        reference = spoken_file(text, "en-us", int(source.integers(130, 180)))
        prediction: Content | None = _recording(spoken_file(text, "en-gb-x-rp"))
        presence = Presence.BOTH
        if index % 7 == 1:
            prediction = _recording(reference)
        elif index % 7 == 2:
            prediction, presence = None, Presence.PREDICTION_MISSING
        elif index % 7 == 3:
            prediction = _recording(encode(np.zeros(8000)))
        samples.append(RawSample(str(index), prediction, (_recording(reference),), presence))
    return samples


def fad(source: np.random.Generator, count: int) -> list[RawSample]:
    """Both sides, or one of them; a file of several windows; equal files."""
    samples = []
    for index in range(count):
        one, other = _recording(spoken_file(_sentence(source))), _recording(spoken_file(_sentence(source), "en-gb-x-rp"))
        if index % 7 == 1:
            samples.append(RawSample(str(index), one, presence=Presence.PREDICTION_ONLY))
        elif index % 7 == 2:
            samples.append(RawSample(str(index), None, (other,), Presence.REFERENCE_ONLY))
        elif index % 7 == 3:
            long = _recording(encode(0.1 * source.normal(size=120_000)))
            samples.append(RawSample(str(index), long, (other,)))
        else:
            samples.append(RawSample(str(index), one, (one if index % 7 == 4 else other,)))
    return samples


_SOUNDS = ["a bell ringing", "a person speaking", "wind and rain", "a guitar", "two dogs that bark"]


def _heard(source: np.random.Generator) -> bytes:
    """A short tone, noise, or a word."""
    times = np.arange(4000) / 8000
    kind = int(source.integers(3))
    sound = 0.3 * np.sin(2 * np.pi * float(source.integers(200, 900)) * times) if kind else 0.1 * source.normal(size=4000)
    return spoken_file(str(source.choice(_WORDS))) if kind == 2 else encode(sound, 8000)


def clap(source: np.random.Generator, count: int) -> list[RawSample]:
    """Sounds and texts: one text or two, a source, a true recording; one missing, one broken."""
    samples = []
    for index in range(count):
        prediction: Content | None = _recording(_heard(source))
        references = [Content(text=str(source.choice(_SOUNDS))) for _ in range(1 + index % 2)]
        presence = Presence.BOTH
        if index % 7 == 1:
            prediction, presence = None, Presence.PREDICTION_MISSING
        elif index % 7 == 2:
            references.append(Content(json={"source": media.from_bytes(_heard(source), "s.wav")}))
        elif index % 7 == 3:
            references.append(Content(json={"audio": media.from_bytes(_heard(source), "t.wav")}))
        elif index % 7 == 4:
            prediction = _recording(b"no sound")
        samples.append(RawSample(str(index), prediction, tuple(references), presence))
    return samples


def cider(source: np.random.Generator, count: int) -> list[RawSample]:
    """Transcripts and two spoken sentences; one missing, one empty."""
    samples = []
    for index in range(count):
        sentence = _sentence(source)
        said = sentence if index % 3 == 0 else _sentence(source)
        prediction: Content | None = Content(json={"text": said})
        presence = Presence.BOTH
        if index % 7 == 1:
            prediction, presence = None, Presence.PREDICTION_MISSING
        elif index % 7 == 2:
            prediction = Content(json={"text": ""})
        elif index % 7 in (3, 4):
            prediction = _recording(spoken_file(said))
        samples.append(RawSample(str(index), prediction, (Content(text=sentence), Content(text=_sentence(source))), presence))
    return samples


def mos(source: np.random.Generator, count: int) -> list[RawSample]:
    """Noise of a length that fills one window when it is doubled; one missing, one silent."""
    samples = []
    for index in range(count):
        prediction: Content | None = _recording(encode(float(source.uniform(0.01, 0.2)) * source.normal(size=4560), 8000))
        presence = Presence.PREDICTION_ONLY
        if index % 7 == 1:
            prediction, presence = None, Presence.PREDICTION_MISSING
        elif index % 7 == 2:
            prediction = _recording(encode(np.zeros(8000)))
        samples.append(RawSample(str(index), prediction, (), presence))
    return samples


def pcc(source: np.random.Generator, count: int) -> list[RawSample]:
    """Pieces of notes, a recording; one missing, one of a single bar."""
    samples = []
    for index in range(count):
        bars = 1 if index % 7 == 2 else int(source.integers(2, 6))
        notes = [
            {"pitch": int(source.integers(40, 80)), "start": 4.0 * bar + int(source.integers(3)), "duration": int(source.integers(1, 5)) / 4, "drum": bool(beat == 2)}
            for bar in range(bars) for beat in range(3)
        ]
        prediction: Content | None = Content(json={"beats_per_bar": 4, "notes": notes})
        presence = Presence.PREDICTION_ONLY
        if index % 7 == 1:
            prediction, presence = None, Presence.PREDICTION_MISSING
        elif index % 7 == 3:
            prediction = _recording(encode(0.1 * source.normal(size=40_000), 8000))
        samples.append(RawSample(str(index), prediction, (), presence))
    return samples


def e_accuracy(source: np.random.Generator, count: int) -> list[RawSample]:
    """Events of three instruments; one missing, one with another number of events, empty events on both sides."""
    def cells() -> list[list[object]]:
        return [[str(source.choice(["flute", "oboe", "horn"])), int(source.integers(60, 64))] for _ in range(int(source.integers(0, 4)))]

    samples = []
    for index in range(count):
        reference = [cells() for _ in range(5)]
        prediction: Content | None = Content(json={"events": reference if index % 7 == 3 else [cells() for _ in range(4 if index % 7 == 2 else 5)]})
        presence = Presence.BOTH
        if index % 7 == 1:
            prediction, presence = None, Presence.PREDICTION_MISSING
        samples.append(RawSample(str(index), prediction, (Content(json={"events": reference}),), presence))
    return samples


GENERATORS: dict[str, Callable[[np.random.Generator, int], list[RawSample]]] = {
    "wer": wer, "mcd": mcd, "fad": fad, "clap_score": clap, "clap_style_score": clap, "cider": cider, "mos": mos, "pcc": pcc, "e_accuracy": e_accuracy,
}
