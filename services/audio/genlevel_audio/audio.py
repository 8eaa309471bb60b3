"""Recordings: decoding with limits, resampling, silence."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_audio.chunks import refuse_truncated
from genlevel_audio.containers import container_of
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media import Blob

MAX_SECONDS = 3600
"""Longest recording."""
MAX_SAMPLES = 1 << 28
"""Most samples, all channels together."""
MAX_FILE_BYTES = 1 << 30
RATES = (1000, 768_000)

_BLOCK = 1 << 16
_STEP = 2.0**-15  # one step of 16-bit sound
_LOSSLESS = ("WAV", "WAVEX", "W64", "RF64", "FLAC", "AIFF")

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Audio:
    """A decoded recording.

    Attributes:
        samples: mono, float32, full scale is 1; the mean of the channels.
        rate: samples a second.
        sha256: digest of the file.
        name: name a person knows the file by.
    """

    samples: Samples
    rate: int
    sha256: str = ""
    name: str = ""

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / self.rate

    @property
    def silent(self) -> bool:
        """Whether nothing is heard: zeros or a constant, to within one step of 16-bit sound."""
        return float(np.ptp(self.samples)) < _STEP

    def at(self, rate: int, quality: str = "VHQ") -> Samples:
        """The samples at another rate (soxr, of that quality), `ceil(n * rate / self.rate)` of them."""
        if rate == self.rate:
            return self.samples
        import soxr

        converted = np.asarray(soxr.resample(self.samples, self.rate, rate, quality=quality), dtype=np.float32)
        length = math.ceil(len(self.samples) * rate / self.rate)
        return np.pad(converted, (0, max(0, length - len(converted))))[:length]


def decode(blob: Blob) -> Audio:
    """Reads WAV, FLAC, OGG or MP3; the content decides, not the extension.

    Raises:
        SampleError: not a recording, cut short, empty, too long, or with samples that are not numbers.
    """
    data = _bytes(blob)
    shown = blob.name or "audio"
    if not data:
        raise SampleError("EMPTY_FILE", f"{shown} has no bytes", remedy="save the file again")
    _refuse_other_containers(data, shown)
    refuse_truncated(data, shown)
    rate, samples = _read(data, shown)
    if not len(samples):
        raise SampleError("EMPTY_AUDIO", f"{shown} has no samples", remedy="leave the sample out, or save sound in it")
    if not np.isfinite(samples).all():
        raise SampleError("NON_FINITE", f"{shown} has samples that are NaN or infinite", remedy="save finite samples")
    return Audio(samples, rate, blob.sha256, shown)


def _bytes(blob: Blob) -> bytes:
    size = len(blob.data) if blob.data is not None else blob.path.stat().st_size if blob.path else 0
    if size > MAX_FILE_BYTES:
        raise SampleError(
            "TOO_LARGE", f"{blob.name} has {size} bytes, at most {MAX_FILE_BYTES} are read", remedy="cut it or use FLAC"
        )
    return blob.read()


def _refuse_other_containers(data: bytes, shown: str) -> None:
    found = container_of(data)
    if found is None:
        return
    code = "VIDEO_CONTAINER" if found.video else "NOT_AUDIO"
    raise SampleError(
        code, f"{shown} is {found.name}, whatever its extension says",
        remedy="save the sound as WAV or FLAC, for example: ffmpeg -i input -vn output.wav" if found.sound else "give a WAV, FLAC, OGG or MP3 file",
    )


def _read(data: bytes, shown: str) -> tuple[int, Samples]:
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            _check_header(file, shown)
            blocks = list(_blocks(file, shown))
            count = sum(map(len, blocks))
            if count < file.frames and file.format in _LOSSLESS:
                raise SampleError(
                    "MEDIA_TRUNCATED", f"{shown} ends after {count} of {file.frames} samples", remedy="copy the file again"
                )
            return int(file.samplerate), np.concatenate([np.zeros(0, np.float32), *blocks])
    except (soundfile.LibsndfileError, TypeError) as error:
        # libsndfile calls headerless data RAW, and soundfile then asks for its rate with a TypeError.
        raise SampleError(
            "UNREADABLE_AUDIO", f"{shown} cannot be read as WAV, FLAC, OGG or MP3 ({_why(error)})", remedy="save the file again"
        ) from None


def _check_header(file: Any, shown: str) -> None:
    if not RATES[0] <= file.samplerate <= RATES[1]:
        raise SampleError(
            "BAD_SAMPLE_RATE", f"{shown} has {file.samplerate} samples a second", remedy=f"use {RATES[0]} to {RATES[1]}"
        )
    _check_length(file.frames, file, shown)


def _check_length(frames: int, file: Any, shown: str) -> None:
    if frames > MAX_SECONDS * file.samplerate or frames * file.channels > MAX_SAMPLES:
        raise SampleError(
            "TOO_LONG",
            f"{shown} lasts {frames / file.samplerate:.0f} s in {file.channels} channels; at most {MAX_SECONDS} s and "
            f"{MAX_SAMPLES} samples are read",
            remedy="cut it into shorter files",
        )


def _blocks(file: Any, shown: str) -> Iterator[Samples]:
    """The mean of the channels, block by block, so that many channels are never all in memory."""
    total = 0
    while len(block := file.read(_BLOCK, dtype="float32", always_2d=True)):
        total += len(block)
        _check_length(total, file, shown)  # headers of compressed files may promise less than comes
        yield block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)


def _why(error: Exception) -> str:
    text = getattr(error, "error_string", "") or "no header that it knows"
    return str(text).rstrip(".")
