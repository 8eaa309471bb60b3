"""DNSMOS (Reddy et al. 2021, 2022): what listeners would say of speech, predicted by P.835 and P.808 networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_audio.audio import Audio
from genlevel_audio.spectrogram import SPEECH_RATE, dnsmos_bands
from genlevel_evaluator import weights

SECONDS = 9.01
SCALES = ("signal", "background", "overall", "p808")
THREADS = 2
_WINDOW = 144_160
_HIDDEN = 160
"""Samples at the end of a window that the P.808 network does not hear."""
_POLYNOMIALS = ((-0.08397278, 1.22083953, 0.0052439), (-0.13166888, 1.60915514, -0.39604546), (-0.06766283, 1.11546468, 0.04602535))
"""From the networks' scale to listeners', published with them: signal, background, overall."""


class Dnsmos:
    """Both networks."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads leave the processor to others
        self._p835, self._p808 = (
            onnxruntime.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"]) for name in ("sig_bak_ovr.onnx", "model_v8.onnx")
        )

    def extract(self, values: Sequence[Audio]) -> list[NDArray[np.float32]]:
        """The four scales of each window, shape (windows, 4)."""
        return [np.array([self._window(window) for window in windows(value.at(SPEECH_RATE))], dtype=np.float32) for value in values]

    def _window(self, samples: NDArray[np.float32]) -> list[float]:
        raw = self._p835.run(None, {"input_1": samples[None]})[0][0]
        p808 = self._p808.run(None, {"input_1": dnsmos_bands(samples[:-_HIDDEN])[None]})[0][0][0]
        return [*(float(np.polyval(polynomial, value)) for polynomial, value in zip(_POLYNOMIALS, raw, strict=True)), float(p808)]


def windows(samples: NDArray[Any]) -> list[NDArray[np.float32]]:
    """Windows of 9.01 s, one a second; what is shorter is doubled until it is long enough.

    >>> len(windows(np.zeros(16_000))), len(windows(np.zeros(16_000 * 12)))
    (7, 3)
    """
    sound = np.asarray(samples, dtype=np.float32)
    while len(sound) < _WINDOW:
        sound = np.concatenate([sound, sound])
    starts = range(0, (int(math.floor(len(sound) / SPEECH_RATE) - SECONDS) + 1) * SPEECH_RATE, SPEECH_RATE)
    return [sound[start : start + _WINDOW] for start in starts if start + _WINDOW <= len(sound)]


def build() -> Dnsmos:
    """The networks that the package ships."""
    return Dnsmos(weights.path("dnsmos"))
