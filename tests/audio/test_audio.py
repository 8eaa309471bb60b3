"""Decoding of recordings: every format, every way a file can be bad."""

from __future__ import annotations

import io
import math
import struct
import tracemalloc

import av
import numpy as np
import pytest
import soundfile
from audio_speech import RATE, encode, say
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from genlevel_audio import audio
from genlevel_audio.audio import Audio, decode
from genlevel_audio.decode import KINDS
from genlevel_evaluator import media
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content


def opened(data: bytes, name: str = "a.wav") -> Audio:
    return decode(media.from_bytes(data, name))


def refused(data: bytes, name: str = "a.wav") -> SampleError:
    with pytest.raises(SampleError) as caught:
        opened(data, name)
    assert caught.value.remedy
    assert name in caught.value.message
    return caught.value


def tone(seconds: float = 0.5, rate: int = RATE) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)


@pytest.mark.parametrize(
    ("format", "subtype", "error"),
    [("WAV", "PCM_16", 4e-5), ("WAV", "FLOAT", 1e-7), ("WAV", "DOUBLE", 1e-7), ("WAV", "PCM_U8", 1e-2), ("FLAC", "PCM_16", 4e-5), ("FLAC", "PCM_24", 1e-6), ("OGG", "VORBIS", 5e-2)],
)
def test_formats_keep_the_sound(format: str, subtype: str, error: float) -> None:
    read = opened(encode(tone(), format=format, subtype=subtype))
    assert read.rate == RATE
    assert read.samples.dtype == np.float32
    np.testing.assert_allclose(read.samples, tone(), atol=error)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("format", ["MP3", "OGG"])
def test_lossy_formats_keep_the_pitch(format: str, channels: int) -> None:
    read = opened(encode(np.column_stack([tone(1.0)] * channels), format=format), "a.mp3")
    assert read.rate == RATE
    assert len(read.samples) == pytest.approx(RATE, abs=3000)  # MP3 begins and ends in whole frames
    spectrum = np.abs(np.fft.rfft(read.samples))
    assert spectrum.argmax() * read.rate / len(read.samples) == pytest.approx(440, abs=3)


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_are_averaged(channels: int) -> None:
    parts = np.random.default_rng(1).normal(size=(70_000, channels)) * 0.1
    read = opened(encode(parts, subtype="DOUBLE"))
    np.testing.assert_allclose(read.samples, parts.mean(axis=1), atol=1e-6)


def test_the_content_decides_and_not_the_extension() -> None:
    flac = encode(tone(), format="FLAC")
    np.testing.assert_array_equal(opened(flac, "a.wav").samples, opened(flac, "a.flac").samples)


@pytest.mark.parametrize("quality", ["VHQ", "HQ"])
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_resampling_keeps_a_tone(rate: int, quality: str) -> None:
    read = opened(encode(tone(1.0), subtype="FLOAT")).at(rate, quality)
    assert len(read) == math.ceil(RATE * rate / RATE)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    np.testing.assert_allclose(read[500:-500], expected[500:-500], atol=1e-3)


def test_silence_is_zeros_or_a_constant() -> None:
    assert opened(encode(np.zeros(100))).silent
    assert opened(encode(np.full(100, 0.25), subtype="FLOAT")).silent
    assert not opened(encode(np.r_[np.zeros(99), 1e-3], subtype="FLOAT")).silent


def test_eight_bits_are_read_as_bytes_around_the_middle() -> None:
    header = b"RIFF\x28\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x04\x00\x00\x00"
    np.testing.assert_array_equal(opened(header + bytes([128, 0, 255, 192])).samples, [0.0, -1.0, 127 / 128, 0.5])


def test_a_whole_clip_is_no_recording_even_with_sound_in_it() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        pictures = container.add_stream("mpeg4", rate=5)
        pictures.width = pictures.height = 16
        sound = container.add_stream("aac", rate=RATE)
        for _ in range(5):
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8))))
        frame = av.AudioFrame.from_ndarray(tone(0.5).astype(np.float32)[None], format="fltp", layout="mono")
        frame.rate = RATE
        container.mux(sound.encode(frame))
        container.mux(sound.encode())
        container.mux(pictures.encode())
    error = refused(buffer.getvalue(), "speech.wav")
    assert error.code == "VIDEO_CONTAINER"
    assert "ffmpeg" in error.remedy


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers(value: float) -> None:
    samples = tone()
    samples[77] = value
    assert refused(encode(samples, subtype="FLOAT")).code == "NON_FINITE"


def test_doubles_beyond_single_precision_are_not_numbers_either() -> None:
    assert refused(encode(np.array([0.0, 1e300]), subtype="DOUBLE")).code == "NON_FINITE"


def test_no_samples_and_no_bytes() -> None:
    assert refused(encode(np.zeros(0))).code == "EMPTY_AUDIO"
    assert refused(b"").code == "EMPTY_FILE"


def test_truncated_flac_and_damaged_headers() -> None:
    flac = encode(np.random.default_rng(1).normal(size=40_000) * 0.1, format="FLAC")
    assert refused(flac[: len(flac) // 2], "a.flac").code in ("MEDIA_TRUNCATED", "UNREADABLE_AUDIO")
    assert refused(flac[:20], "a.flac").code == "UNREADABLE_AUDIO"
    assert refused(encode(tone(), format="OGG")[:60], "a.ogg").code == "UNREADABLE_AUDIO"


@pytest.mark.parametrize(
    ("start", "code", "word"),
    [
        (b"\x00\x00\x00\x18ftypisom", "VIDEO_CONTAINER", "MPEG-4"),
        (b"\x1aE\xdf\xa3", "VIDEO_CONTAINER", "Matroska"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "VIDEO_CONTAINER", "AVI"),
        (b"\x00\x00\x00\x18ftypM4A ", "NOT_AUDIO", "MPEG-4 audio"),
        (b"\x89PNG\r\n\x1a\n", "NOT_AUDIO", "PNG"),
        (b"PK\x03\x04", "NOT_AUDIO", "zip"),
        (b"MThd\x00\x00", "NOT_AUDIO", "MIDI"),
    ],
)
def test_other_containers_are_named(start: bytes, code: str, word: str) -> None:
    error = refused(start + bytes(200), "speech.wav")
    assert error.code == code
    assert word in error.message


@pytest.mark.parametrize("data", [b"hello, this is text\n" * 20, bytes(1000), bytes(range(256)) * 8])
def test_bytes_that_are_no_audio(data: bytes) -> None:
    assert refused(data, "a.mp3").code == "UNREADABLE_AUDIO"


def test_ten_hours_are_refused_by_the_header() -> None:
    buffer = io.BytesIO()
    with soundfile.SoundFile(buffer, "w", 8000, 1, format="FLAC", subtype="PCM_16") as file:
        for _ in range(36):
            file.write(np.zeros(8000 * 1000, dtype=np.int16))
    error = refused(buffer.getvalue(), "long.flac")
    assert error.code == "TOO_LONG"
    assert "36000 s" in error.message


def test_a_wave_file_that_announces_ten_hours_is_refused_before_it_is_read() -> None:
    rate, hours = 16_000, 10
    size = hours * 3600 * rate * 2
    header = b"RIFF" + struct.pack("<I", 36 + size) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16) + b"data" + struct.pack("<I", size)
    assert refused(header + bytes(2 * rate), "a.wav").code in ("TOO_LONG", "MEDIA_TRUNCATED")  # cut short: one second is there


def test_long_recordings_take_memory_by_their_own_length(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(np.zeros((8000 * 300, 4), np.int16), 8000, format="FLAC")  # 38 MB as floats of four channels
    monkeypatch.setattr(audio, "MAX_SECONDS", 299)
    tracemalloc.start()
    assert refused(data, "a.flac").code == "TOO_LONG"
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    monkeypatch.setattr(audio, "MAX_SECONDS", 300)
    tracemalloc.reset_peak()
    assert len(opened(data, "a.flac").samples) == 8000 * 300
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 25 << 20  # the mean of the channels, twice while its parts are joined


def test_many_channels_count_against_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "MAX_SAMPLES", 1000)
    assert refused(encode(np.zeros((300, 4)))).code == "TOO_LONG"
    assert len(opened(encode(np.zeros((250, 4)))).samples) == 250


def test_large_files_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "MAX_FILE_BYTES", 100)
    assert refused(encode(tone())).code == "TOO_LARGE"


@pytest.mark.parametrize("rate", [1, 999, 800_000])
def test_absurd_rates_are_refused(rate: int) -> None:
    assert refused(encode(np.zeros(10), rate)).code == "BAD_SAMPLE_RATE"


@settings(max_examples=60)
@given(st.integers(0, 400), st.integers(0, 255), st.sampled_from(["WAV", "FLAC", "OGG"]))
def test_one_damaged_byte_never_crashes(place: int, value: int, format: str) -> None:
    data = bytearray(encode(tone(0.05), format=format))
    data[place % len(data)] = value
    try:
        samples = opened(bytes(data)).samples
    except SampleError:
        return
    assert np.isfinite(samples).all()


@pytest.mark.parametrize("content", [Content(text="a.wav"), Content(json=[1, 2]), Content(json=None)])
def test_an_audio_kind_wants_a_file(content: Content) -> None:
    with pytest.raises(SampleError, match="expected an audio file"):
        KINDS["audio"].read(content, "prediction", {})


def test_a_decoded_recording_knows_its_file() -> None:
    blob = media.from_bytes(encode(say("Hello.")), "hello.wav")
    read = decode(blob)
    assert (read.sha256, read.name) == (blob.sha256, "hello.wav")
    assert read.seconds == pytest.approx(len(read.samples) / RATE)


@pytest.mark.parametrize(("rate", "target"), [(48_000, 16_000), (44_100, 22_050), (44_100, 8_000)])
@pytest.mark.parametrize("quality", ["VHQ", "HQ"])
def test_what_the_new_rate_cannot_hold_is_rejected(rate: int, target: int, quality: str) -> None:
    times = np.arange(rate) / rate
    tone = np.sin(2 * np.pi * 0.6 * target * times)  # above half of the target: it would alias to 0.4 of it
    converted = Audio(tone.astype(np.float32), rate).at(target, quality)
    middle = converted[target // 4 : -target // 4].astype(np.float64)
    assert 20 * np.log10(np.sqrt(np.mean(middle**2)) / np.sqrt(0.5)) < -90.0  # float32 itself ends near -150 dB


def test_one_bit_files_are_refused_clearly() -> None:
    header = b"RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\xe8\x03\x00\x00\x01\x00\x01\x00data\x08\x00\x00\x00"
    with pytest.raises(SampleError, match="samples of 1 bits") as caught:
        opened(header + bytes(8))
    assert caught.value.remedy
    extensible = header[:16] + b"\x28" + header[17:20] + b"\xfe\xff" + header[22:36] + b"\x16\x00\x01\x00\x04\x00\x00\x00\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71" + header[36:]
    with pytest.raises(SampleError, match="samples of 1 bits"):
        opened(extensible + bytes(8))
    with pytest.raises(SampleError):
        opened(b"DSD \x1c\x00\x00\x00\x00\x00\x00\x00" + bytes(60))


def test_a_constant_a_clipped_and_a_quiet_recording_are_kept_as_they_are() -> None:
    tone = np.sin(np.arange(8000) / 20)
    for sound in (np.clip(4 * tone, -1, 1), 0.25 + 0.5 * tone, 0.001 * tone):
        np.testing.assert_allclose(opened(encode(sound, 8000, subtype="FLOAT")).samples, sound, atol=1e-7)
    assert opened(encode(np.full(8000, 0.5), 8000)).silent
