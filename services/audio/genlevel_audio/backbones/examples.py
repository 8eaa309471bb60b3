"""A stand-in for CLAP that can be had offline: a recording as the names of the known sounds it is nearest to.

    recording = sum of p(i) v("the sound of " name(i)),  p = softmax of cos(h(recording), h(sound(i))) / 0.1
    text      = v(text)

v is the sentence vector of MiniLM, h the mean feature of aiSFX less that of all known sounds. What is like no known sound is not heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_audio.audio import Audio, decode
from genlevel_audio.backbones import aisfx
from genlevel_evaluator import media, weights
from genlevel_evaluator.captions import Caption
from genlevel_evaluator.networks import sentences

KNOWN = "known-sounds"
TEMPERATURE = 0.1
KNOWN_SECONDS = 5
SOUNDS = {
    "ambi_choir": "a choir singing", "ambi_drone": "a machine humming", "ambi_glass_rub": "a glass", "ambi_piano": "a piano",
    "ambi_sauna": "water and steam", "ambi_swoosh": "wind", "bass_thick_c": "a bass", "drum_cymbal_open": "a cymbal",
    "drum_roll": "a drum roll", "drum_snare_hard": "a drum", "drum_cowbell": "a cowbell", "elec_beep": "an electronic beep",
    "elec_chime": "chimes", "guit_em9": "a guitar", "guit_harmonics": "strings plucked", "mehackit_phone1": "a telephone",
    "mehackit_robot1": "a robot speaking", "misc_burp": "a person burping", "misc_cineboom": "thunder and an explosion",
    "misc_crow": "a crow, a bird calling", "perc_bell": "a bell ringing", "perc_door": "a door closing", "perc_snap": "a snap of fingers",
    "perc_till": "a cash register", "tabla_tun1": "a hand drum", "vinyl_hiss": "noise and crackling", "vinyl_scratch": "a scratch",
}
"""Files of the manifest's entry by name, and what is heard in them."""


class Examples:
    """Both networks and the known sounds."""

    def __init__(self, hearing: aisfx.Aisfx, vectors: sentences.SentenceVectors, sounds: Sequence[tuple[Audio, str]]) -> None:
        self._hearing, self._vectors = hearing, vectors
        known = np.stack([self._mean(sound) for sound, _ in sounds])
        self._centre = known.mean(axis=0)
        self._known = _unit(known - self._centre)
        self._names = np.stack([self._vectors.run(self._vectors.prepare(f"the sound of {name}")) for _, name in sounds]).astype(np.float64)

    def extract(self, values: Sequence[Audio | Caption]) -> list[NDArray[np.float32]]:
        """One vector a value, (384,)."""
        return [self._text(value.text) if isinstance(value, Caption) else self._heard(value) for value in values]

    def shares(self, audio: Audio) -> NDArray[np.float64]:
        """How near each known sound is; they sum to one."""
        near = np.exp(self._known @ _unit((self._mean(audio) - self._centre)[None])[0] / TEMPERATURE)
        return np.asarray(near / near.sum())

    def _text(self, text: str) -> NDArray[np.float32]:
        return self._vectors.run(self._vectors.prepare(text))

    def _heard(self, audio: Audio) -> NDArray[np.float32]:
        return np.asarray(self.shares(audio) @ self._names, dtype=np.float32)

    def _mean(self, audio: Audio) -> NDArray[np.float64]:
        return np.asarray(self._hearing.extract([audio])[0].astype(np.float64).mean(axis=0))


def _unit(rows: NDArray[Any]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0))


def build() -> Examples:
    """The networks and sounds that packages ship."""
    folder = weights.path(KNOWN)
    return Examples(aisfx.build(), sentences.load(), [(_begun(decode(media.from_path(folder / f"{name}.flac"))), caption) for name, caption in SOUNDS.items()])


def _begun(audio: Audio) -> Audio:
    """The first seconds of a recording, in which it is heard what it is."""
    return replace(audio, samples=audio.samples[: KNOWN_SECONDS * audio.rate])
