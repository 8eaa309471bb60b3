"""Mel-cepstra of speech, with the constants of pymcd.

WORLD gives the spectral envelope every 5 ms (DIO and StoneMask for the pitch, CheapTrick for the envelope); its logarithm is
turned into a cepstrum and warped to the mel scale by an all-pass of 0.65 (Tokuda et al. 1994, SPTK's freqt). Both steps are linear, so
they are one matrix.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from genlevel_audio import world

RATE = 22_050
FRAME_MILLISECONDS = 5.0
FFT_SIZE = 512
ORDER = 13
ALPHA = 0.65
_FLOOR = 1e-8

Envelope = Literal["pymcd", "power"]
Matrix = NDArray[np.float64]


def mel_cepstra(samples: NDArray[Any], envelope: Envelope = "pymcd") -> tuple[Matrix, Matrix]:
    """Coefficients 0 to 13 of each frame, shape (frames, 14), and its pitch in Hz, 0 where no voice is heard.

    Args:
        samples: mono, `RATE` a second.
        envelope: `pymcd` takes WORLD's power spectrum for an amplitude spectrum, as pymcd does: its logarithm is doubled down to a floor of 1e-8;
            `power` takes it for what it is.
    """
    power, pitch = world.analysis(samples, RATE, FRAME_MILLISECONDS, FFT_SIZE)
    logarithm = np.log(power * power + _FLOOR) if envelope == "pymcd" else np.log(power + _FLOOR)
    return np.asarray(logarithm @ _to_mel_cepstrum().T), pitch


@cache
def _to_mel_cepstrum() -> Matrix:
    """From the log power spectrum (257 bins) to mel-cepstral coefficients, shape (14, 257)."""
    bins = FFT_SIZE // 2 + 1
    cepstrum = np.fft.irfft(np.eye(bins), axis=1).T[:bins]
    cepstrum[0] /= 2.0
    cepstrum[-1] /= 2.0
    return _warping(bins) @ cepstrum


def _warping(count: int) -> Matrix:
    """The all-pass frequency warping of `count` cepstral coefficients into `ORDER + 1`, as a matrix."""
    unit = np.eye(count)
    warped = np.zeros((ORDER + 1, count))
    for term in unit[::-1]:
        before = warped.copy()
        warped[0] = term + ALPHA * before[0]
        warped[1] = (1.0 - ALPHA * ALPHA) * before[0] + ALPHA * before[1]
        for order in range(2, ORDER + 1):
            warped[order] = before[order - 1] + ALPHA * (before[order] - warped[order - 1])
    return warped
