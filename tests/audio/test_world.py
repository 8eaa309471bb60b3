"""WORLD's envelope through its C functions against pyworld's own Python functions."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from audio_speech import RATE, say
from numpy.typing import NDArray

from genlevel_audio import world


def _pyworlds(signal: NDArray[Any]) -> NDArray[np.float64]:
    import pyworld

    signal = signal.astype(np.float64)
    return np.asarray(pyworld.wav2world(signal, RATE, fft_size=512, frame_period=5.0)[1])


@pytest.fixture
def no_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build of pyworld that hides its C functions."""
    monkeypatch.setattr(world, "_library", lambda: None)


def _signals() -> list[NDArray[Any]]:
    speech = say("An envelope of speech.") / 32768.0
    return [speech, speech[4000:4512], np.random.default_rng(1).normal(size=9000) * 0.1, np.r_[np.zeros(3000), speech[:9000]]]


def test_the_c_functions_are_there() -> None:
    assert world._library() is not None


def test_both_ways_equal_wav2world() -> None:
    for signal in _signals():
        np.testing.assert_array_equal(world.analysis(signal, RATE, 5.0, 512)[0], _pyworlds(signal))


@pytest.mark.usefixtures("no_symbols")
def test_without_the_c_functions_the_numbers_are_the_same() -> None:
    for signal in _signals():
        np.testing.assert_array_equal(world.analysis(signal, RATE, 5.0, 512)[0], _pyworlds(signal))


def test_threads_do_not_disturb_one_another() -> None:
    signals = _signals()
    alone = [world.analysis(signal, RATE, 5.0, 512)[0] for signal in signals]
    found: dict[int, NDArray[np.float64]] = {}
    threads = [
        threading.Thread(target=lambda i=i: found.__setitem__(i, world.analysis(signals[i % 4], RATE, 5.0, 512)[0])) for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(8):
        np.testing.assert_array_equal(found[index], alone[index % 4])
