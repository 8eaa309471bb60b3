"""Pitch classes of recordings: power of a short-time spectrum by the nearest tone of equal temperament at 440 Hz."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from genlevel_audio.audio import Audio

RATE, FFT, HOP = 22_050, 4096, 1024
LOW, HIGH = 110.0, 2_100.0
"""Edges of what is listened to: below, tones lie closer than the bins of the spectrum; above, overtones rule."""
_SILENCE = 1e-8  # mean power under which a bar is a rest


def bar_classes(audio: Audio, seconds: float) -> NDArray[np.float64]:
    """Power of each pitch class in each stretch of so many seconds, shape (bars, 12); a remainder of less than half a bar is left out."""
    # A constant is no tone, but its beginning and its end would be heard as clicks.
    level = np.float32(audio.samples.mean(dtype=np.float64))
    samples = replace(audio, samples=audio.samples - level).at(RATE).astype(np.float64)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, FFT // 2), FFT)[::HOP]
    filters = _filters()
    bars = max(1, math.floor(len(samples) / RATE / seconds + 0.5))
    found = np.zeros((bars, 12))
    window = np.hanning(FFT + 1)[:-1]
    place = np.minimum((np.arange(len(frames)) * HOP / RATE / seconds).astype(int), bars)
    for bar in range(bars):
        mine = frames[place == bar]
        power = np.abs(np.fft.rfft(mine * window, axis=1)) ** 2 @ filters.T
        if len(mine) and float(np.mean(mine**2)) > _SILENCE:
            found[bar] = power.sum(axis=0)
    return found


def _filters() -> NDArray[np.float64]:
    """1 where a bin is nearest to a tone of the class."""
    frequencies = np.fft.rfftfreq(FFT, 1.0 / RATE)
    heard = (frequencies >= LOW) & (frequencies <= HIGH)
    tones = np.round(69.0 + 12.0 * np.log2(np.where(heard, frequencies, 440.0) / 440.0)).astype(int) % 12
    return np.asarray((tones[None, :] == np.arange(12)[:, None]) & heard[None, :], dtype=np.float64)
