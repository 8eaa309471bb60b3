"""The speech synthesiser: eSpeak NG, a shared library inside a pinned package.

The library and its data are unpacked into a temporary folder for the time of the build; each utterance is spoken by a
process of its own (_espeak.py), because the library keeps state from one to the next.
"""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from demo import sources

PACKAGE = "espeakng-loader"
SCRIPT = Path(__file__).with_name("_espeak.py")
_KEEP: list[Any] = []


@functools.cache
def _folder() -> Path:
    """Unpack the library and its data."""
    folder = tempfile.TemporaryDirectory(prefix="genlevel-espeak-")
    _KEEP.append(folder)
    root = Path(folder.name)
    for name in sources.members(PACKAGE, "espeakng_loader/"):
        if name.endswith(".py") or ".." in PurePosixPath(name).parts:
            continue
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(sources.read(PACKAGE, name))
    return root / "espeakng_loader"


@functools.cache
def _speak(text: str, voice: str, pitch: int, speed: int, pitch_range: int) -> tuple[int, NDArray[np.float64]]:
    words = [str(_folder()), voice, str(pitch), str(speed), str(pitch_range), text]
    done = subprocess.run([sys.executable, "-I", str(SCRIPT), *words], capture_output=True, check=False)
    if done.returncode != 0:
        raise ValueError(done.stderr.decode(errors="replace").strip())
    rate = int.from_bytes(done.stdout[:4], "little")
    return rate, np.frombuffer(done.stdout, "<i2", offset=4).astype(np.float64) / 32768.0


def rate() -> int:
    """Return the sampling rate of the synthesiser."""
    return _speak("a", "en-us", 50, 160, 50)[0]


def say(text: str, voice: str = "en-us", *, pitch: int = 50, speed: int = 160, pitch_range: int = 50) -> NDArray[np.float64]:
    """Return the speech of `text` as samples in [-1, 1].

    Args:
        text: what to say.
        voice: an eSpeak voice, with an optional variant such as `en-us+f3`.
        pitch: 0 to 100.
        speed: words a minute.
        pitch_range: liveliness, 0 to 100.
    """
    return _speak(text, voice, pitch, speed, pitch_range)[1]
