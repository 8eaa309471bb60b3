"""Speech for tests, made by eSpeak NG (GPL-3, from the pinned package espeakng-loader, called as a tool and never imported elsewhere)."""

from __future__ import annotations

import ctypes
import io
from functools import cache
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 22050
_RETRIEVAL = 1
_UTF8 = 1
_SPEED = 1
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


@cache
def _library() -> Any:
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    assert library.espeak_Initialize(_RETRIEVAL, 0, espeakng_loader.get_data_path().encode(), 0) == RATE
    return library


@cache
def say(text: str, voice: str = "en-us", speed: int = 150) -> NDArray[np.int16]:
    """16-bit samples of `text`, 22,050 a second."""
    parts: list[NDArray[np.int16]] = []

    def collect(samples: Any, count: int, _: Any) -> int:
        if samples and count > 0:
            parts.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0

    callback = _CALLBACK(collect)
    library = _library()
    library.espeak_SetSynthCallback(callback)
    assert library.espeak_SetVoiceByName(voice.encode()) == 0
    library.espeak_SetParameter(_SPEED, speed, 0)
    spoken = text.encode() + b"\0"
    assert library.espeak_Synth(spoken, len(spoken), 0, 0, 0, _UTF8, None, None) == 0
    library.espeak_Synchronize()
    return np.concatenate(parts)


def encode(samples: NDArray[Any], rate: int = RATE, format: str = "WAV", subtype: str | None = None) -> bytes:
    """The bytes of an audio file; `samples` are (n,) or (n, channels)."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=format, subtype=subtype)
    return buffer.getvalue()


def spoken_file(text: str, voice: str = "en-us", speed: int = 150) -> bytes:
    """A WAV file of `text`."""
    return encode(say(text, voice, speed))
