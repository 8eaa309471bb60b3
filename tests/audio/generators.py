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


GENERATORS: dict[str, Callable[[np.random.Generator, int], list[RawSample]]] = {"wer": wer, "mcd": mcd, "fad": fad}
