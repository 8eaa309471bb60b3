"""Small signal routines that the audio baselines share."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]


def mel_bands(samples: Samples, rate: int, bands: int = 26, length: int = 512, hop: int = 160) -> NDArray[np.float64]:
    """Return log energies of mel bands, one row a frame."""
    padded = np.pad(samples, (0, max(0, length - len(samples))))
    starts = np.arange(0, len(padded) - length + 1, hop)
    frames = padded[starts[:, None] + np.arange(length)] * np.hanning(length)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    top = 2595 * np.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, bands + 2) / 2595) - 1)
    frequency = np.fft.rfftfreq(length, 1 / rate)[None]
    left, middle, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (frequency - left) / (middle - left), (right - frequency) / (right - middle)
    weights = np.clip(np.minimum(rising, falling), 0, None)
    return np.asarray(np.log(power @ weights.T + 1e-8), dtype=np.float64)


def cepstra(samples: Samples, rate: int, count: int = 13) -> NDArray[np.float64]:
    """Return mel cepstra, one row a frame."""
    bands = mel_bands(samples, rate)
    number = bands.shape[1]
    basis = np.cos(np.pi / number * (np.arange(number) + 0.5)[:, None] * np.arange(count)[None])
    return np.asarray(bands @ basis, dtype=np.float64)


def warped_distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the dynamic-time-warping distance of two sequences, per step."""
    cost = np.linalg.norm(first[:, None] - second[None], axis=2)
    rows, columns = cost.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    for row in range(1, rows + 1):
        for column in range(1, columns + 1):
            before = min(total[row - 1, column], total[row, column - 1], total[row - 1, column - 1])
            total[row, column] = cost[row - 1, column - 1] + before
    return float(total[rows, columns] / (rows + columns))


def median_pitch(samples: Samples, rate: int) -> float:
    """Return the median pitch of voiced frames by autocorrelation, in Hz; 0 when nothing is voiced."""
    length, hop = rate * 40 // 1000, rate * 10 // 1000
    found = []
    for start in range(0, len(samples) - length, hop):
        frame = samples[start : start + length] - samples[start : start + length].mean()
        energy = float(frame @ frame)
        if energy < 1e-3 * length:
            continue
        correlation = np.correlate(frame, frame, "full")[length - 1 :] / energy
        low, high = rate // 400, rate // 70
        lag = low + int(np.argmax(correlation[low:high]))
        if correlation[lag] > 0.4:
            found.append(rate / lag)
    return float(np.median(found)) if found else 0.0


def normalise(samples: NDArray[Any], peak: float = 0.8) -> Samples:
    """Scale to a peak."""
    return np.asarray(samples * (peak / max(float(np.abs(samples).max()), 1e-9)), dtype=np.float64)
