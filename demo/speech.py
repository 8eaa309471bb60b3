"""The speech synthesiser: eSpeak NG, a shared library inside a pinned package, called through ctypes.

The library and its data are unpacked into a temporary folder for the time of the build.
"""

from __future__ import annotations

import ctypes
import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo import sources

PACKAGE = "espeakng-loader"
_SYNCHRONOUS = 2
_UTF8 = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_KEEP: list[Any] = []


@functools.cache
def _library() -> tuple[ctypes.CDLL, int]:
    """Unpack the library and its data, and start it."""
    folder = tempfile.TemporaryDirectory(prefix="genlevel-espeak-")
    _KEEP.append(folder)
    root = Path(folder.name)
    for name in sources.members(PACKAGE, "espeakng_loader/"):
        if name.endswith(".py") or ".." in Path(name).parts:
            continue
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(sources.read(PACKAGE, name))
    library = ctypes.CDLL(str(root / "espeakng_loader" / "libespeak-ng.so.1"))
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, str(root / "espeakng_loader").encode(), 0)
    if rate <= 0:
        raise RuntimeError("eSpeak NG does not start")
    return library, rate


def rate() -> int:
    """Return the sampling rate of the synthesiser."""
    return _library()[1]


def say(text: str, voice: str = "en-us", *, pitch: int = 50, speed: int = 160, pitch_range: int = 50) -> NDArray[Any]:
    """Return the speech of `text` as samples in [-1, 1].

    Args:
        text: what to say.
        voice: an eSpeak voice, with an optional variant such as `en-us+f3`.
        pitch: 0 to 100.
        speed: words a minute.
        pitch_range: liveliness, 0 to 100.
    """
    library, _ = _library()
    pieces: list[NDArray[np.int16]] = []

    def collect(samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            pieces.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)(collect)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise ValueError(f"eSpeak NG has no voice {voice!r}")
    for parameter, value in ((_RATE, speed), (_PITCH, pitch), (_RANGE, pitch_range)):
        library.espeak_SetParameter(parameter, value, 0)
    # Breath and flutter are random: both generators start anew with each utterance.
    library.espeak_ng_SetRandSeed(ctypes.c_long(1))
    ctypes.CDLL(None).srand(1)
    content = text.encode() + b"\0"
    library.espeak_Synth(content, len(content), 0, 0, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    return np.concatenate(pieces).astype(np.float64) / 32768.0
