"""Spectrograms: aiSFX's against librosa, VGGish's against scalar loops over the definition."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audio_speech import say

from genlevel_audio.audio import Audio
from genlevel_audio.spectrogram import aisfx_blocks, vggish_blocks


def _mel(hertz: float) -> float:
    return 1127.0 * math.log(1.0 + hertz / 700.0)


def test_aisfx_blocks_are_librosas(tmp_path: Path, oracle: Callable[[str, Any], Any]) -> None:
    speech = Audio(say("A long enough sentence to fill more than one block of sound.").astype(np.float32) / 40000, 22050).at(44100)
    np.save(tmp_path / "samples.npy", speech)
    oracle("mel", [{"samples": str(tmp_path / "samples.npy"), "bands": str(tmp_path / "bands.npy")}])
    expected = np.load(tmp_path / "bands.npy")
    blocks = aisfx_blocks(speech)
    assert blocks.shape == (len(expected) // 100, 100, 96)
    np.testing.assert_allclose(blocks.reshape(-1, 96), expected[: len(blocks) * 100], atol=2e-5)


def test_vggish_windows_by_the_definition() -> None:
    source = np.random.default_rng(4)
    sound = 0.2 * source.normal(size=16000)
    windows = vggish_blocks(sound)
    assert windows.shape == (1, 96, 64)
    edges = [_mel(125.0) + (_mel(7500.0) - _mel(125.0)) * i / 65 for i in range(66)]
    hann = [0.5 - 0.5 * math.cos(2 * math.pi * i / 400) for i in range(400)]
    for frame, band in ((0, 0), (17, 5), (50, 31), (95, 63)):
        piece = sound[frame * 160 : frame * 160 + 400] * hann
        total = 0.0
        for k in range(1, 257):
            magnitude = abs(sum(piece * np.exp(-2j * math.pi * k * np.arange(400) / 512)))
            place = _mel(k * 16000 / 512)
            rising = (place - edges[band]) / (edges[band + 1] - edges[band])
            falling = (edges[band + 2] - place) / (edges[band + 2] - edges[band + 1])
            total += magnitude * max(0.0, min(rising, falling))
        assert windows[0, frame, band] == pytest.approx(math.log(total + 0.01), abs=1e-5)


@pytest.mark.parametrize(("samples", "windows"), [(1, 1), (399, 1), (15600, 1), (30800, 1), (30960, 2), (160000, 10)])
def test_vggish_windows_are_whole_but_at_least_one(samples: int, windows: int) -> None:
    assert len(vggish_blocks(np.ones(samples))) == windows


def test_short_sound_is_filled_with_silence() -> None:
    block = aisfx_blocks(np.sin(np.arange(4000.0)))
    assert block.shape == (1, 100, 96)
    assert (block[0, 6:] == 0).all()
    assert block[0, 1].max() > 0.3
    assert vggish_blocks(np.zeros(800))[0, 90, 3] == pytest.approx(math.log(0.01))


def test_silence_has_no_peak_to_divide_by() -> None:
    assert not aisfx_blocks(np.zeros(5000)).any()
