"""LAION-CLAP against transformers with the same seeded weights, its feature extractor and its tokenizer; the stand-in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from audio_speech import say
from tokenizers import ByteLevelBPETokenizer
from torch.nn import functional
from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, RobertaTokenizer

from genlevel_audio.app import EVALUATOR
from genlevel_audio.audio import Audio
from genlevel_audio.backbones import clap, examples
from genlevel_audio.backbones.roberta import Tokenizer
from genlevel_audio.spectrogram import clap_windows
from genlevel_evaluator import weights
from genlevel_evaluator.captions import Caption
from genlevel_evaluator.errors import EvaluatorError

SENTENCES = ["A dog barks.", "  two  spaces, and don't you're", "RAIN on 23 tin-roofs!?", "naïve café 雨の音 🎵", "word " * 200, "tab\tand\nline "]
_NAMES = {
    "text_model": "text_branch", "audio_model.audio_encoder": "audio_branch", "batch_norm": "bn0", "layernorm_before": "norm1",
    "layernorm_after": "norm2", "_projection.linear1": "_projection.0", "_projection.linear2": "_projection.2",
}  # fmt: skip
_INSIDE = {"attention.output.dense": "attn.proj", "intermediate.dense": "mlp.fc1", "output.dense": "mlp.fc2", "attention.self.": "attn."}


@pytest.fixture(scope="module")
def theirs() -> ClapModel:
    """CLAP with two layers of text, weights that are not near zero and statistics like those of decibels."""
    torch.manual_seed(5)
    model = ClapModel(ClapConfig(text_config={"layer_norm_eps": 1e-5, "num_hidden_layers": 2})).eval()
    for name, tensor in model.state_dict().items():
        if "running_mean" in name:
            tensor.normal_(-30.0, 20.0)
        elif "running_var" in name:
            tensor.uniform_(50.0, 250.0)
        elif tensor.is_floating_point():
            tensor.add_(torch.randn_like(tensor), alpha=0.03)
    return model


def laions(model: ClapModel) -> dict[str, torch.Tensor]:
    """Its tensors under the names of LAION's file."""
    state = {}
    for name, tensor in model.state_dict().items():
        for old, new in _NAMES.items():
            name = name.replace(old, new)
        for old, new in _INSIDE.items() if name.startswith("audio_branch") else ():
            name = name.replace(old, new)
        state[name] = tensor
    for name in [name for name in state if ".attn.query." in name]:
        state[name.replace("query", "qkv")] = torch.cat([state.pop(name.replace("query", part)) for part in ("query", "key", "value")])
    return state


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """vocab.json and merges.txt learnt from a few lines, in RoBERTa's order of marks."""
    folder = tmp_path_factory.mktemp("bpe")
    learner = ByteLevelBPETokenizer()
    lines = ["a dog barks and another dog barks", "rain on roofs", "don't you hear the rain, the birds and 23 bells"] * 20
    learner.train_from_iterator(lines, vocab_size=420, min_frequency=2, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    learner.save_model(str(folder))
    return folder / "vocab.json", folder / "merges.txt"


def test_the_tokenizer_is_robertas(vocabulary: tuple[Path, Path]) -> None:
    words, merges = vocabulary
    judge = RobertaTokenizer(vocab=str(words), merges=str(merges))
    ours = Tokenizer(words, merges)
    for sentence in SENTENCES:
        expected = judge(sentence, truncation=True, max_length=77)["input_ids"]
        assert ours(sentence).tolist() == expected, sentence
    assert len(ours("word " * 200)) == 77
    assert len(json.loads(words.read_text())) > 300


def test_windows_are_the_feature_extractors() -> None:
    judge = ClapFeatureExtractor(frequency_min=50, frequency_max=14_000, truncation="rand_trunc")
    source = np.random.default_rng(3)
    for length in (1_000, 130_000, 480_000):
        sound = (0.3 * source.normal(size=length)).astype(np.float32)  # some of it is clipped
        cut = np.trunc(np.clip(sound, -1, 1) * np.float32(32767)) / 32767
        expected = judge(cut, sampling_rate=48_000, return_tensors="np")["input_features"][0]
        np.testing.assert_allclose(clap_windows(sound), expected, atol=2e-4)


def test_long_recordings_are_heard_to_their_end() -> None:
    sound = np.zeros(1_100_000)
    sound[-200_000:] = 0.1 * np.random.default_rng(1).normal(size=200_000)
    windows = clap_windows(sound)
    assert windows.shape == (3, 1001, 64)
    np.testing.assert_array_equal(windows[2], clap_windows(sound[-480_000:])[0])
    assert len(clap_windows(np.zeros(480_000))) == 1


def test_both_towers_are_transformers(theirs: ClapModel, vocabulary: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "630k.pt"
    torch.save({"epoch": 3, "state_dict": {f"module.{name}": tensor for name, tensor in laions(theirs).items()}}, file)
    places = {"clap-630k-audioset": file, "roberta-vocabulary": vocabulary[0], "gpt2-merges": vocabulary[1]}
    monkeypatch.setattr(weights, "path", lambda name: places[name])
    ours = clap.build()
    audio = Audio(say("two windows").astype(np.float32) / 32768, 22_050)
    heard, read = ours.extract([audio, Caption("a dog barks")])
    assert (heard.shape, read.shape) == ((1, 512), (1, 512))
    with torch.no_grad():
        mels = torch.from_numpy(clap_windows(audio.at(48_000)))[:, None]
        numbers = torch.from_numpy(Tokenizer(*vocabulary)("a dog barks"))[None]
        expected = [theirs.get_audio_features(input_features=mels), theirs.get_text_features(input_ids=numbers)]
    for found, vectors in zip((heard, read), expected, strict=True):
        pooled = vectors if isinstance(vectors, torch.Tensor) else vectors.pooler_output
        np.testing.assert_allclose(found, functional.normalize(pooled, dim=1).numpy(), atol=2e-6)
        assert found.std() > 0.02


def test_another_checkpoint_is_refused(theirs: ClapModel) -> None:
    state = laions(theirs)
    del state["audio_branch.layers.2.blocks.5.mlp.fc1.weight"]
    with pytest.raises(EvaluatorError, match=r"layers\.2\.blocks\.5\.mlp\.fc1"):
        clap.Clap(clap.tensors(state), Tokenizer.__new__(Tokenizer))


@pytest.mark.weights
def test_the_stand_in_hears_what_it_knows() -> None:
    network = EVALUATOR.extractor("examples-aisfx-minilm")
    assert isinstance(network, examples.Examples)
    names = list(examples.SOUNDS)
    times = np.arange(40_000) / 22_050
    bell = sum(np.sin(2 * np.pi * pitch * times) * np.exp(-3 * times) for pitch in (620, 1_260, 1_840, 2_510))
    shares = network.shares(Audio(0.1 * np.asarray(bell, dtype=np.float32), 22_050))
    assert shares.sum() == pytest.approx(1.0)
    tonal = ("perc_bell", "elec_chime", "ambi_glass_rub", "guit_harmonics", "ambi_piano", "drum_cowbell", "guit_em9", "elec_beep")
    assert sum(shares[names.index(name)] for name in tonal) > 0.5
    hiss = network.shares(Audio(np.random.default_rng(1).normal(size=40_000).astype(np.float32) * 0.1, 22_050))
    assert sum(hiss[names.index(name)] for name in tonal) < 0.3
