"""Log-mel spectrograms, as the networks were trained on them."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

AISFX_RATE, AISFX_BANDS, AISFX_FRAMES = 44_100, 96, 100
_AISFX_FFT, _AISFX_HOP, _AISFX_MAXIMUM = 2048, 1024, 9.457798957824707

VGGISH_RATE, VGGISH_BANDS, VGGISH_FRAMES = 16_000, 64, 96
_VGGISH_WINDOW, _VGGISH_HOP, _VGGISH_FFT, _VGGISH_OFFSET = 400, 160, 512, 0.01
_VGGISH_EDGES = (125.0, 7500.0)

CLAP_RATE, CLAP_BANDS, CLAP_SAMPLES = 48_000, 64, 480_000
_CLAP_FFT, _CLAP_HOP, _CLAP_EDGES = 1024, 480, (50.0, 14_000.0)
_INT16 = 32_767.0

SPEECH_RATE = 16_000
_SPEECH_HOP, _DNSMOS_FFT, _SPEAKER_FFT = 160, 321, 400

_CHUNK = 1024
"""Frames transformed at once, so that the spectrum of a long recording is never in memory as a whole."""


def aisfx_blocks(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Blocks of 100 frames of 96 bands, shape (blocks, 100, 96), of mono sound at 44.1 kHz.

    The sound is brought to a peak of one, frames are centred, bands are triangles in Hz on HTK's mel scale with unit sum.
    """
    sound = np.asarray(samples, dtype=np.float64)
    peak = float(np.abs(sound).max())
    sound = np.pad(sound / peak if peak > 0 else sound, _AISFX_FFT // 2)
    power = _bands(sound, _AISFX_FFT, _AISFX_HOP, _AISFX_FFT, 2, _aisfx_filters())
    bands = np.log10(power * 1e4 + 1.0) / _AISFX_MAXIMUM
    return _blocks(bands, AISFX_FRAMES, 0.0)


def vggish_blocks(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Windows of 0.96 s as 96 frames of 64 bands, shape (windows, 96, 64), of mono sound at 16 kHz."""
    sound = np.asarray(samples, dtype=np.float64)
    sound = np.pad(sound, (0, max(0, _VGGISH_WINDOW - len(sound))))
    bands = np.log(_bands(sound, _VGGISH_WINDOW, _VGGISH_HOP, _VGGISH_FFT, 1, _vggish_filters()) + _VGGISH_OFFSET)
    return _blocks(bands, VGGISH_FRAMES, math.log(_VGGISH_OFFSET))


def clap_windows(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Windows of 10 s as 1001 frames of 64 bands in decibels, shape (windows, 1001, 64), of mono sound at 48 kHz.

    Samples are clipped to -1..1 and cut to 16 bits. A recording shorter than a window is repeated while it fits whole, then filled up with
    zeros; the last window of a longer one ends where the recording ends.
    """
    sound = np.trunc(np.clip(np.asarray(samples, dtype=np.float32), -1.0, 1.0) * np.float32(_INT16)).astype(np.float64) / _INT16
    if len(sound) < CLAP_SAMPLES:
        sound = np.tile(sound, CLAP_SAMPLES // len(sound))
        sound = np.pad(sound, (0, CLAP_SAMPLES - len(sound)))
    starts = [*range(0, len(sound) - CLAP_SAMPLES, CLAP_SAMPLES), len(sound) - CLAP_SAMPLES]
    return np.stack([_clap_frames(sound[start : start + CLAP_SAMPLES]) for start in starts])


def _clap_frames(sound: Matrix) -> NDArray[np.float32]:
    padded = np.pad(sound, _CLAP_FFT // 2, mode="reflect")
    power = _bands(padded, _CLAP_FFT, _CLAP_HOP, _CLAP_FFT, 2, _slaney_filters(CLAP_RATE, _CLAP_FFT, CLAP_BANDS, *_CLAP_EDGES))
    return np.asarray(10.0 * np.log10(np.maximum(power, 1e-10)), dtype=np.float32)


def dnsmos_bands(samples: NDArray[Any]) -> NDArray[np.float32]:
    """120 bands in decibels below the loudest, 80 at most, as (dB + 40) / 40; shape (frames, 120), of mono sound at 16 kHz."""
    power = 10.0 * np.log10(np.maximum(_speech_bands(samples, _DNSMOS_FFT, 120), 1e-10))
    below = power - power.max()
    return np.asarray((np.maximum(below, -80.0) + 40.0) / 40.0, dtype=np.float32)


def speaker_bands(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Power of 40 bands, shape (frames, 40), of mono sound at 16 kHz."""
    return np.asarray(_speech_bands(samples, _SPEAKER_FFT, 40), dtype=np.float32)


def _speech_bands(samples: NDArray[Any], size: int, bands: int) -> Matrix:
    sound = np.pad(np.asarray(samples, dtype=np.float64), size // 2)
    return _bands(sound, size, _SPEECH_HOP, size, 2, _slaney_filters(SPEECH_RATE, size, bands, 0.0, SPEECH_RATE / 2))


def _blocks(bands: Matrix, size: int, silence: float) -> NDArray[np.float32]:
    """Whole blocks; a recording shorter than one is filled up with silence, a remainder after others is dropped."""
    if len(bands) < size:
        bands = np.pad(bands, ((0, size - len(bands)), (0, 0)), constant_values=silence)
    count = len(bands) // size
    return bands[: count * size].reshape(count, size, -1).astype(np.float32)


def _bands(sound: Matrix, window: int, hop: int, size: int, power: int, filters: Matrix) -> Matrix:
    """Bands of the short-time Fourier transform under a periodic Hann window, shape (frames, len(filters))."""
    frames = np.lib.stride_tricks.sliding_window_view(sound, window)[::hop]
    weights = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(window) / window)
    result = np.empty((len(frames), len(filters)))
    for start in range(0, len(frames), _CHUNK):
        spectrum = np.abs(np.fft.rfft(frames[start : start + _CHUNK] * weights, size, axis=1)) ** power
        result[start : start + _CHUNK] = spectrum @ filters.T
    return result


def _mel(frequency: Any) -> Any:
    return 2595.0 * np.log10(1.0 + np.asarray(frequency) / 700.0)


def _triangles(places: Matrix, corners: Matrix) -> Matrix:
    """Triangles over neighbouring triples of `corners`, at `places`: shape (len(corners) - 2, len(places))."""
    widths = np.diff(corners)
    rising = (places[None, :] - corners[:-2, None]) / widths[:-1, None]
    falling = (corners[2:, None] - places[None, :]) / widths[1:, None]
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)))


@cache
def _aisfx_filters() -> Matrix:
    corners = 700.0 * (10.0 ** (np.linspace(0.0, _mel(AISFX_RATE / 2), AISFX_BANDS + 2) / 2595.0) - 1.0)
    filters = _triangles(np.linspace(0.0, AISFX_RATE / 2, _AISFX_FFT // 2 + 1), corners)
    return np.asarray(filters / filters.sum(axis=1, keepdims=True))


@cache
def _vggish_filters() -> Matrix:
    # TensorFlow's VGGish draws its triangles on the mel axis, not in Hz, and leaves out the constant bin.
    edges = _mel(np.array(_VGGISH_EDGES))
    filters = _triangles(_mel(np.linspace(0.0, VGGISH_RATE / 2, _VGGISH_FFT // 2 + 1)), np.linspace(edges[0], edges[1], VGGISH_BANDS + 2))
    filters[:, 0] = 0.0
    return filters


def _slaney(mel: Any) -> Any:
    """Frequency of a place on Slaney's scale: straight up to 1 kHz, then 27 steps to a factor of 6.4."""
    mels = np.asarray(mel, dtype=np.float64)
    return np.where(mels < 15.0, mels * 200.0 / 3.0, 1000.0 * np.exp(np.log(6.4) / 27.0 * (mels - 15.0)))


def _on_slaney(frequency: float) -> float:
    return frequency * 3.0 / 200.0 if frequency < 1000.0 else 15.0 + 27.0 * math.log(frequency / 1000.0) / math.log(6.4)


@cache
def _slaney_filters(rate: int, size: int, bands: int, low: float, high: float) -> Matrix:
    """Triangles of unit area."""
    corners = _slaney(np.linspace(_on_slaney(low), _on_slaney(high), bands + 2))
    filters = _triangles(np.asarray(np.fft.rfftfreq(size, 1.0 / rate), dtype=np.float64), corners)
    return np.asarray(filters * (2.0 / (corners[2:] - corners[:-2]))[:, None])
