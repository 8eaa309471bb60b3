"""Files of whole samples that are cut short, or that were written without knowing their length."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile
from audio_speech import RATE, encode
from test_audio import opened, refused, tone


def test_every_truncation_of_a_wave_file_is_refused() -> None:
    whole = encode(tone(0.01))
    for length in (4, 11, 12, 20, 36, 40, 43, 44, 45, len(whole) - 2):
        assert refused(whole[:length]).code in ("MEDIA_TRUNCATED", "UNREADABLE_AUDIO"), length


@pytest.mark.parametrize(
    ("format", "endian", "name"),
    [("AIFF", "FILE", "AIFF"), ("AIFF", "LITTLE", "AIFF"), ("W64", "FILE", "W64"), ("RF64", "FILE", "RF64"), ("WAV", "BIG", "WAV"), ("CAF", "FILE", "CAF")],
)
def test_every_truncation_of_another_file_of_chunks_is_refused(format: str, endian: str, name: str) -> None:
    sound = np.random.default_rng(3).normal(size=1001) * 0.1
    buffer = io.BytesIO()
    soundfile.write(buffer, sound, RATE, format=format, subtype="PCM_24", endian=endian)
    whole = buffer.getvalue()
    np.testing.assert_allclose(opened(whole, "a.bin").samples, sound, atol=1e-6)
    for length in range(12, len(whole) - 1, 11):
        error = refused(whole[:length], "a.bin")
        assert error.code in ("MEDIA_TRUNCATED", "UNREADABLE_AUDIO"), length
    cut = refused(whole[: len(whole) - 1500], "a.bin")
    assert cut.code == "MEDIA_TRUNCATED"
    assert "its header announces 30" in cut.message  # 3,003 bytes, of which AIFF and CAF count a few of their own
    assert f"a {name} file that ends before its sound" in refused(whole[:36], "a.bin").message


def test_a_truncated_au_file_is_refused_and_one_of_open_length_is_read() -> None:
    whole = bytearray(encode(tone(), format="AU"))
    assert "16000 bytes of sound, its header announces" in refused(bytes(whole[:16024]), "a.au").message
    whole[8:12] = b"\xff" * 4
    assert len(opened(bytes(whole), "a.au").samples) == len(tone())


def test_a_streamed_aiff_file_with_an_open_length_is_read() -> None:
    whole = bytearray(encode(tone(), format="AIFF"))
    place = whole.index(b"SSND")
    whole[place + 4 : place + 8] = struct.pack(">I", 0x7F000008)
    assert len(opened(bytes(whole), "a.aiff").samples) == len(tone())


def test_streamed_wave_files_with_an_open_length_are_read() -> None:
    whole = bytearray(encode(tone()))
    place = whole.index(b"data")
    whole[place + 4 : place + 8] = struct.pack("<I", 0xFFFFFFFF)
    assert len(opened(bytes(whole)).samples) == len(tone())


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_file_cut_inside_a_page_is_refused(subtype: str) -> None:
    sound = np.random.default_rng(5).normal(size=48_000) * 0.1
    whole = encode(sound, 24_000, format="OGG", subtype=subtype)
    assert len(opened(whole, "a.ogg").samples) == len(opened(whole + b"TAG" + bytes(125), "a.ogg").samples) == len(sound)
    pages = [place for place in range(len(whole)) if whole[place : place + 4] == b"OggS"]
    assert len(pages) > 3
    for length in (pages[-1] + 10, pages[-1] + 27, pages[-1] + 30, len(whole) // 2, len(whole) - 1):
        assert refused(whole[:length], "a.ogg").code == "MEDIA_TRUNCATED", length
