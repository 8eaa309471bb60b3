"""Predicted opinions against speechmos, and who speaks against the recurrence itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from audio_speech import encode, say
from numpy.typing import NDArray

from genlevel_audio.app import EVALUATOR
from genlevel_audio.audio import Audio, decode
from genlevel_audio.backbones import speaker
from genlevel_audio.spectrogram import speaker_bands
from genlevel_evaluator import media, weights
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

SENTENCE = "Seven people walked over the bridge, and nobody spoke a word about it."
pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, arctic: bytes, oracle: Callable[[str, Any], Any]) -> list[tuple[NDArray[np.float32], dict[str, float], Path]]:
    """Samples of real and synthetic speech and of noise at 16 kHz, what speechmos says, and where librosa's mels lie."""
    folder = tmp_path_factory.mktemp("dnsmos")
    source = np.random.default_rng(1)
    spoken = Audio(say(SENTENCE).astype(np.float32) / 32768, 22_050).at(16_000)
    sounds = [decode(media.from_bytes(arctic, "a.wav")).at(16_000), np.tile(spoken, 3)[: 16_000 * 11], (0.05 * source.normal(size=4_000)).astype(np.float32)]
    requests = []
    for place, sound in enumerate(sounds):
        np.save(folder / f"{place}.npy", sound)
        requests.append({"samples": str(folder / f"{place}.npy"), "mels": str(folder / f"mels{place}.npy")})
    answers = oracle("dnsmos", requests)
    return [(sound, answer, Path(request["mels"])) for sound, answer, request in zip(sounds, answers, requests, strict=True)]


def test_scales_are_those_of_speechmos(judged: list[tuple[NDArray[np.float32], dict[str, float], Path]]) -> None:
    network = EVALUATOR.extractor("dnsmos")
    for sound, answer, _ in judged:
        found = np.asarray(network.extract([Audio(sound, 16_000)])[0]).mean(axis=0)
        np.testing.assert_allclose(found, [answer["sig_mos"], answer["bak_mos"], answer["ovrl_mos"], answer["p808_mos"]], atol=2e-4)
    assert judged[0][1]["ovrl_mos"] > judged[2][1]["ovrl_mos"] + 1.0


def test_a_set_of_recordings(arctic: bytes) -> None:
    scorer = Scorer.of(EVALUATOR, "mos", {"scale": "p808"})
    contents = [Content(media=media.from_bytes(data, "a.wav")) for data in (arctic, encode(np.zeros(8_000)))]
    samples = [RawSample(str(i), content, (), Presence.PREDICTION_ONLY) for i, content in enumerate(contents)]
    rows, issues = scorer.observe([*samples, RawSample("2", None, (), Presence.PREDICTION_MISSING)])
    value = scorer.finalize(rows)
    assert [(issue.sample_id, issue.code) for issue in issues] == [("1", "SILENT")]
    assert value.warnings == ("predicted", "not_comparable")
    assert (value.expected, value.present) == (3, 1)
    assert set(value.companions) == {"overall", "signal", "background", "windows"}
    assert value.value is not None
    assert 1.0 < value.companions["overall"] < 5.0


def test_bands_of_the_speaker_network_are_librosas(judged: list[tuple[NDArray[np.float32], dict[str, float], Path]]) -> None:
    for sound, _, mels in judged:
        expected = np.load(mels)
        np.testing.assert_allclose(speaker_bands(sound), expected, rtol=1e-3, atol=1e-5 * float(expected.max()))


def _recurrence(bands: NDArray[np.float32], state: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Three layers of LSTM, a linear layer and its length, by their formulas."""
    inputs = bands.astype(np.float64)
    for layer in range(3):
        ours, before = np.zeros(256), np.zeros(256)
        outputs = []
        for row in inputs:
            gates = (
                state[f"lstm.weight_ih_l{layer}"] @ row + state[f"lstm.bias_ih_l{layer}"]
                + state[f"lstm.weight_hh_l{layer}"] @ before + state[f"lstm.bias_hh_l{layer}"]
            )  # fmt: skip
            let_in, forget, candidate, let_out = np.split(gates, 4)
            ours = ours / (1 + np.exp(-forget)) + np.tanh(candidate) / (1 + np.exp(-let_in))
            before = np.tanh(ours) / (1 + np.exp(-let_out))
            outputs.append(before)
        inputs = np.array(outputs)
    vector = np.maximum(state["linear.weight"] @ before + state["linear.bias"], 0.0)
    return np.asarray(vector / np.linalg.norm(vector))


def test_the_speaker_network_is_its_recurrence_on_the_real_weights() -> None:
    checkpoint = torch.load(weights.path("resemblyzer"), map_location="cpu", weights_only=True)["model_state"]
    state = {name: tensor.double().numpy() for name, tensor in checkpoint.items()}
    audio = Audio(say(SENTENCE).astype(np.float32)[:60_000] / 32768, 22_050)
    samples = speaker.raised(audio.at(16_000))
    starts = speaker.window_starts(len(samples))
    assert len(starts) > 1
    bands = speaker_bands(np.pad(samples, (0, max(0, (starts[-1] + 160) * 160 - len(samples)))))
    mean = np.mean([_recurrence(bands[start : start + 160], state) for start in starts], axis=0)
    np.testing.assert_allclose(EVALUATOR.extractor("resemblyzer").extract([audio])[0], mean / np.linalg.norm(mean), atol=1e-5)


def test_one_speaker_is_more_alike_than_two(arctic: bytes) -> None:
    real = decode(media.from_bytes(arctic, "a.wav"))
    middle = len(real.samples) // 2
    halves = [Audio(part, real.rate) for part in (real.samples[:middle], real.samples[middle:])]
    made = Audio(say(SENTENCE, "en-us").astype(np.float32) / 32768, 22_050)
    one, same, other = EVALUATOR.extractor("resemblyzer").extract([*halves, made])
    assert float(one @ same) > float(one @ other) + 0.1
