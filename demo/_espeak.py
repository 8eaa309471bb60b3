"""Say one text and leave; run as a script by speech.py, in a process of its own.

eSpeak NG keeps state between utterances (noise, flutter), so only a fresh process gives the same bytes for the same
text. Standard output: the sampling rate as four little-endian bytes, then 16-bit samples.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import Any

SYNCHRONOUS, UTF8 = 2, 1
RATE, PITCH, RANGE = 1, 3, 4


def main(folder: str, voice: str, pitch: str, speed: str, pitch_range: str, text: str) -> int:
    """Write the speech of `text` to standard output."""
    library = ctypes.CDLL(f"{folder}/libespeak-ng.so.1")
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, folder.encode(), 0)
    if rate <= 0:
        print("eSpeak NG does not start", file=sys.stderr)
        return 1
    pieces: list[bytes] = []

    def collect(samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, 2 * count))
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(collect)
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(voice.encode()) != 0:
        print(f"eSpeak NG has no voice {voice!r}", file=sys.stderr)
        return 1
    for parameter, value in ((RATE, speed), (PITCH, pitch), (RANGE, pitch_range)):
        library.espeak_SetParameter(parameter, int(value), 0)
    # Starting seeds the generators from the clock.
    library.espeak_ng_SetRandSeed(ctypes.c_long(1))
    ctypes.CDLL(None).srand(1)
    content = text.encode() + b"\0"
    library.espeak_Synth(content, ctypes.c_size_t(len(content)), 0, 0, 0, UTF8, None, None)
    library.espeak_Synchronize()
    sys.stdout.buffer.write(struct.pack("<i", rate) + b"".join(pieces))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
