"""Motions held against their captions: the text encoder against PyTorch's packed sequences, R-precision by sorting, what the metric shows of it."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence

from genlevel_evaluator import features, states, weights
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import EvaluatorError, Issue
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_three_d.app import EVALUATOR
from genlevel_three_d.backbones.motion_texts import TextEncoder, TextsExtractor, load_with_texts
from genlevel_three_d.backbones.motion_words import TAGS, Vocabulary
from genlevel_three_d.backbones.motions import Evaluator, EvaluatorExtractor, load_state
from genlevel_three_d.forms.motion import Motion
from genlevel_three_d.forms.motion_texts import MotionTexts, read_texts
from genlevel_three_d.scenes.matching import matching_distance, r_precision

WORDS = ["unk", "sos", "eos", "a", "person", "walk", "left", "slowly", "hand"]
WORD, HIDDEN, OUTPUT = 12, 32, 16
INDEX = {word: 2 * place for place, word in enumerate(WORDS)}
VECTORS = np.random.default_rng(0).normal(size=(2 * len(WORDS), WORD))


def text_weights(word: int = WORD, hidden: int = HIDDEN, output: int = OUTPUT) -> dict[str, Any]:
    """Seeded weights of the text encoder under the names of the reference checkpoint."""
    torch.manual_seed(1)
    parts: dict[str, nn.Module] = {
        "pos_emb": nn.Linear(15, word), "input_emb": nn.Linear(word, hidden), "gru": nn.GRU(hidden, hidden, batch_first=True, bidirectional=True),
        "output_net": nn.Sequential(nn.Linear(2 * hidden, hidden), nn.LayerNorm(hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, output)),
    }  # fmt: skip
    state: dict[str, Any] = {f"{name}.{key}": value for name, part in parts.items() for key, value in part.state_dict().items()}
    return {**state, "hidden": torch.randn(2, 1, hidden)}


def judged(state: dict[str, Any], sentences: list[list[tuple[int, str]]]) -> Any:
    """The batch as the reference evaluator reads it: rows of vectors and tags, filled up, longest first, packed."""
    order = sorted(range(len(sentences)), key=lambda place: -len(sentences[place]))
    longest = len(sentences[order[0]])
    words, tags = torch.zeros(len(sentences), longest, WORD), torch.zeros(len(sentences), longest, 15)
    for row, place in enumerate(order):
        for step, (vector, tag) in enumerate(sentences[place]):
            words[row, step] = torch.from_numpy(VECTORS[vector])
            tags[row, step, TAGS.index(tag)] = 1
    x = functional.linear(words + functional.linear(tags, state["pos_emb.weight"], state["pos_emb.bias"]), state["input_emb.weight"], state["input_emb.bias"])
    gru = nn.GRU(HIDDEN, HIDDEN, batch_first=True, bidirectional=True)
    gru.load_state_dict({key.removeprefix("gru."): value for key, value in state.items() if key.startswith("gru.")})
    packed = pack_padded_sequence(x, [len(sentences[place]) for place in order], batch_first=True)
    _, last = gru(packed, state["hidden"].repeat(1, len(sentences), 1))
    x = functional.linear(torch.cat([last[0], last[1]], dim=-1), state["output_net.0.weight"], state["output_net.0.bias"])
    x = functional.leaky_relu(functional.layer_norm(x, (HIDDEN,), state["output_net.1.weight"], state["output_net.1.bias"]), 0.2)
    return functional.linear(x, state["output_net.3.weight"], state["output_net.3.bias"]).detach().numpy()[np.argsort(order)]


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    """The text encoder in a tiny form of the architecture."""
    network = TextEncoder((WORD, HIDDEN, OUTPUT))
    load_state(nn.ModuleDict({"text_encoder": network}), {"text_encoder": text_weights()})
    return network


@pytest.fixture(scope="module")
def extractor(encoder: TextEncoder) -> TextsExtractor:
    """Both sides."""
    torch.manual_seed(0)
    motions = EvaluatorExtractor(Evaluator((24, 20, 32, OUTPUT)), np.zeros(263), np.ones(263))
    return TextsExtractor(motions, encoder, Vocabulary(VECTORS, WORDS, INDEX))


SOS, EOS, UNK = (2, "OTHER"), (4, "OTHER"), (0, "OTHER")
SENTENCES = {
    "a/DET person/NOUN walk/VERB": [SOS, (6, "DET"), (8, "NOUN"), (10, "Act_VIP"), EOS],
    "left/NOUN hand/VERB slowly/ADV": [SOS, (12, "Loc_VIP"), (16, "Body_VIP"), (14, "Desc_VIP"), EOS],
    "a/PROPN person/X a/Loc_VIP": [SOS, (6, "OTHER"), (8, "OTHER"), (6, "Loc_VIP"), EOS],
    "nobody/NOUN Walk/VERB stair/NOUN": [SOS, UNK, UNK, UNK, EOS],
    " ".join(["person/NOUN"] * 19): [SOS, *[(8, "NOUN")] * 19, EOS],
    " ".join(["person/NOUN"] * 20 + ["a/DET"] * 3): [SOS, *[(8, "NOUN")] * 20, EOS],
    "a/DET": [SOS, (6, "DET"), EOS],
}


def texts_of(*lines: str) -> MotionTexts:
    found, wrong = read_texts({"captions": [f"what it shows#{line}#0.0#0.0" for line in lines]})
    assert found is not None
    assert wrong == []
    return found


def test_the_text_encoder_is_the_evaluators(extractor: TextsExtractor) -> None:
    expected = judged(text_weights(), list(SENTENCES.values()))
    (found,) = extractor.extract([texts_of(*SENTENCES)])
    assert found == pytest.approx(expected, abs=1e-6)
    motion = Motion(np.ones((8, 263), np.float32))
    alone, moved = extractor.extract([texts_of(list(SENTENCES)[1]), motion])
    assert alone.tobytes() == found[1:2].tobytes()
    assert moved.shape == (OUTPUT,)


def test_the_whole_evaluator_is_read_from_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(2).normal(size=(len(WORDS), 300))
    numbers = {word: place for place, word in enumerate(WORDS)}
    parts: dict[str, Any] = {"text_encoder": text_weights(300, 512, 512), "epoch": 3}
    for key, value in Evaluator().state_dict().items():
        part, _, name = key.partition(".")
        parts.setdefault(part, {})[name] = value
    torch.save(parts, tmp_path / "t2m-evaluator")
    for name, array in {"t2m-mean": np.zeros(263), "t2m-std": np.ones(263), "t2m-vectors": rows}.items():
        with (tmp_path / name).open("wb") as stream:
            np.save(stream, array)
    (tmp_path / "t2m-words").write_bytes(pickle.dumps(WORDS))
    (tmp_path / "t2m-index").write_bytes(pickle.dumps(numbers))
    monkeypatch.setattr(weights, "path", lambda name: tmp_path / name)
    captions, motion = load_with_texts().extract([texts_of("a/DET person/NOUN"), Motion(np.ones((4, 263), np.float32))])
    assert (captions.shape, motion.shape) == ((1, 512), (512,))
    np.save(tmp_path / "narrow.npy", rows[:, :50])
    (tmp_path / "narrow.npy").replace(tmp_path / "t2m-vectors")
    with pytest.raises(EvaluatorError, match="50 numbers, not 300"):
        load_with_texts()


# R-precision


def sorted_share(texts: Any, motions: Any, seed: int) -> list[float]:
    """R-precision by sorting the distances of each batch, one caption after another."""
    hits, all_of_them = [0, 0, 0], 0
    for shuffle in range(20):
        source = np.random.default_rng((seed, shuffle))
        order = source.permutation(len(texts))
        numbers = [int(number * len(captions)) for number, captions in zip(source.random(len(texts)), texts, strict=True)]
        for start in range(0, len(texts) - 31, 32):
            batch = order[start : start + 32]
            for place in range(32):
                caption = texts[batch[place]][numbers[batch[place]]]
                nearest = sorted(range(32), key=lambda other: (np.sqrt(sum((caption - motions[batch[other]]) ** 2)), other))
                all_of_them += 1
                for best in range(3):
                    hits[best] += place in nearest[: best + 1]
    return [100 * count / all_of_them for count in hits]


def test_r_precision_by_sorting() -> None:
    random = np.random.default_rng(4)
    motions = random.normal(size=(75, 5))
    texts = [motions[place] + random.normal(size=(place % 3 + 1, 5)) for place in range(75)]
    found = r_precision(texts, motions, 3)
    assert found.tolist() == pytest.approx(sorted_share(texts, motions, 3))
    assert 20 < found[0] < found[1] < found[2] < 95
    assert r_precision(texts, motions, 4).tolist() != found.tolist()


def test_motions_without_a_word_of_their_captions_are_found_by_chance() -> None:
    random = np.random.default_rng(5)
    texts = list(random.normal(size=(640, 1, 6)))
    chance = [100 / 32, 200 / 32, 300 / 32]
    assert r_precision(texts, random.normal(size=(640, 6)), 0) == pytest.approx(chance, abs=2)
    # A generator that makes one motion of every caption is no better than chance, to the last digit.
    assert r_precision(texts, np.ones((640, 6)), 0).tolist() == chance


def test_matching_distance_is_the_mean_over_motions() -> None:
    texts = [np.array([[1.0, 0.0]]), np.array([[0.0, 2.0], [0.0, 4.0], [0.0, 6.0]])]
    assert matching_distance(texts, np.zeros((2, 2))) == (1 + 4) / 2


# The metric; its own arithmetic needs no network, so motions are projected


class Projection:
    """Motions to vectors by one matrix."""

    device = torch.device("cpu")
    matrix = np.random.default_rng(6).normal(size=(263, OUTPUT))

    def extract(self, values: Sequence[Motion]) -> list[Any]:
        return [(value.values.mean(axis=0) @ self.matrix).astype(np.float32) for value in values]


@pytest.fixture(scope="module")
def projected(encoder: TextEncoder) -> TextsExtractor:
    return TextsExtractor(Projection(), encoder, Vocabulary(VECTORS, WORDS, INDEX))  # type: ignore[arg-type]


ASKED = {"backbone": "t2m-evaluator", "beside": "texts"}


@pytest.fixture
def scorer(projected: TextsExtractor, monkeypatch: pytest.MonkeyPatch) -> Scorer:
    """The metric with the seeded networks."""
    monkeypatch.setattr(weights, "digest", lambda name: f"{name:a<64}")
    monkeypatch.setattr(features, "CACHE", features.FeatureCache())
    monkeypatch.setitem(EVALUATOR._extractors, "t2m-evaluator.texts", projected)
    return Scorer.of(EVALUATOR, "fid_motion", ASKED)


def motion(seed: int) -> Motion:
    return Motion(np.random.default_rng(seed).normal(size=(4, 263)).astype(np.float32))


def caption(seed: int) -> str:
    return "shown#" + " ".join(f"{WORDS[number]}/{TAGS[number]}" for number in np.random.default_rng(seed).integers(3, 9, size=8))


def samples(count: int, reference: bool = True, **more: Any) -> list[RawSample]:
    found = []
    for number in range(count):
        real = (Content(json=motion(1000 + number).values.tolist()),) if reference else ()
        presence = Presence.BOTH if reference else Presence.PREDICTION_ONLY
        captions = {"captions": [caption(number), caption(500 + number)][: number % 2 + 1]}
        found.append(RawSample(f"{number:03d}", Content(json=motion(number).values.tolist()), real, presence, captions | more))
    return found


def scored(scorer: Scorer, given: list[RawSample]) -> tuple[Value, list[Issue]]:
    rows, issues = scorer.observe(given)
    return scorer.finalize(rows), issues


def test_both_sides_are_held_against_their_captions(scorer: Scorer, projected: TextsExtractor) -> None:
    given = samples(40)
    value, issues = scored(scorer, given)
    assert issues == []
    assert "fewer_than_32_texts" not in value.warnings
    texts = [projected.extract([read_texts(one.attributes)[0]])[0].astype(float) for one in given]  # type: ignore[list-item]
    for side, first in (("", 0), ("_reference", 1000)):
        motions = np.stack(projected.extract([motion(first + number) for number in range(40)])).astype(float)
        names = [f"r_precision_{best}{side}" for best in (1, 2, 3)]
        assert [value.companions[name] for name in names] == pytest.approx(sorted_share(texts, motions, 0))
        expected = np.mean([np.linalg.norm(captions - one, axis=1).mean() for captions, one in zip(texts, motions, strict=True)])
        assert value.companions[f"matching_distance{side}"] == pytest.approx(expected, rel=1e-9)
        assert value.companions[f"texts{side}"] == 40
    assert value.signature.parameters["seed"] == 0
    assert {"t2m-vectors", "t2m-words", "t2m-index"} <= {use.name for use in value.signature.backbones}


def test_order_and_shards_change_nothing(scorer: Scorer) -> None:
    given = samples(36)
    single = [scorer.observe([one])[0] for one in given]
    whole = scorer.finalize(states.combine(single))
    assert scorer.finalize(states.combine(single[::-1])) == whole
    assert scorer.finalize(states.combine([states.combine(single[start::3]) for start in range(3)])) == whole
    assert scored(scorer, given[::-1])[0].companions == whole.companions


def test_a_bad_caption_is_a_warning_and_its_motion_still_counts(scorer: Scorer) -> None:
    given = [*samples(33), RawSample("bad", Content(json=motion(90).values.tolist()), (), Presence.PREDICTION_ONLY, {"caption": "a person walks"})]
    value, issues = scored(scorer, given)
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("bad", "NO_TOKENS", "warning")]
    assert (value.companions["predictions"], value.companions["texts"]) == (34, 33)


def test_fewer_than_a_batch_have_no_r_precision(scorer: Scorer) -> None:
    value, _ = scored(scorer, samples(31))
    assert not [name for name in value.companions if name.startswith(("r_precision", "matching"))]
    assert value.companions["texts"] == 31
    assert "fewer_than_32_texts" in value.warnings


def test_the_stand_in_has_no_space_with_captions() -> None:
    rows, issues = (default := Scorer.of(EVALUATOR, "fid_motion")).observe(samples(33))
    value = default.finalize(rows)
    assert issues == []
    assert not [name for name in value.companions if name.startswith(("r_precision", "matching", "texts"))]
    with pytest.raises((ValueError, EvaluatorError), match="beside=texts"):
        Scorer.of(EVALUATOR, "fid_motion", {"beside": "texts"})
