"""Captions of motions and the evaluator's words: what is read, what is refused, and that no file or text does harm."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel_evaluator.errors import EvaluatorError
from genlevel_three_d.backbones.motion_words import TAGS, Vocabulary, read_vocabulary
from genlevel_three_d.forms.motion_texts import MotionTexts, read_texts

WORDS = ["unk", "sos", "eos", "a"]
WORD = 12
INDEX = {word: place for place, word in enumerate(WORDS)}
VECTORS = np.random.default_rng(0).normal(size=(len(WORDS), WORD))


# Captions


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("a person walks", "NO_TOKENS"), ("a person walks#", "NO_TOKENS"), ("a# #0.0#0.0", "NO_TOKENS"), ("a#a/DET#0.0", "BAD_CAPTION"), ("a#a/DET#0#0#0", "BAD_CAPTION"),
        ("a#a/DET#zero#0", "BAD_CAPTION"), ("a#a/DET#1.0#3.5", "CAPTION_OF_PART"), ("a#a/DET#0.0#inf", "CAPTION_OF_PART"), ("a#a", "BAD_TOKEN"), ("a#a/", "BAD_TOKEN"),
        ("a#/DET", "BAD_TOKEN"), ("a#and/or/CCONJ", "BAD_TOKEN"), ("a#a/DET //", "BAD_TOKEN"), (7, "WRONG_TYPE"), ({"a": "b"}, "WRONG_TYPE"), ([["a#a/DET"]], "WRONG_TYPE"),
        (["a#a/DET"] * 65, "TOO_MANY_CAPTIONS"),
    ],
)  # fmt: skip
def test_bad_captions_are_said(given: Any, code: str) -> None:
    found, wrong = read_texts({"captions": given})
    assert found is None
    assert [error.code for error in wrong] == [code]
    assert wrong[0].remedy


def test_a_text_file_of_the_data_set_is_its_lines() -> None:
    found, wrong = read_texts({"text": "a man#a/DET man/NOUN#0.0#0.0\nwalks#walk/VERB#nan#nan\r\nsits#sit/VERB#2.0#4.0\n"})
    assert found is not None
    assert found.captions == ((("a", "DET"), ("man", "NOUN")), (("walk", "VERB"),))
    assert [error.code for error in wrong] == ["CAPTION_OF_PART"]
    assert read_texts({}) == (None, []) == read_texts({"caption": ""})


@settings(max_examples=150)
@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("#/ \n0.")), max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    found, wrong = read_texts({"caption": text})
    assert all(error.remedy for error in wrong)
    if found is not None:
        assert found.sha256 == MotionTexts(found.captions).sha256
        assert Vocabulary(VECTORS, WORDS, INDEX).rows(found.captions[0]).shape[1] == WORD + len(TAGS)


# Words


class Harmful:
    """Runs a command when it is unpickled by what knows classes."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return Path.touch, (self.place,)


BAD_FILES = {
    "no pickle": b"\x00", "empty": b"", "a set": pickle.dumps({"unk"}), "no unk": pickle.dumps(["a"]), "another word": pickle.dumps([*WORDS, "run"]),
    "an array": pickle.dumps(np.zeros(3)), "nested": pickle.dumps([WORDS]),
}  # fmt: skip


@pytest.mark.parametrize("name", [*BAD_FILES, "harmful"])
def test_bad_word_files_are_refused_and_run_nothing(name: str, tmp_path: Path) -> None:
    np.save(tmp_path / "vectors.npy", VECTORS)
    (tmp_path / "words").write_bytes(pickle.dumps(Harmful(tmp_path / "done")) if name == "harmful" else BAD_FILES[name])
    (tmp_path / "index").write_bytes(pickle.dumps(INDEX))
    with pytest.raises(EvaluatorError) as caught:
        read_vocabulary(tmp_path / "vectors.npy", tmp_path / "words", tmp_path / "index")
    assert caught.value.reason == "WRONG_WEIGHTS"
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize("vectors", [VECTORS[:3], VECTORS[0], VECTORS * np.nan, VECTORS.astype(int)], ids=["few", "flat", "NaN", "whole numbers"])
def test_bad_vectors_are_refused(vectors: Any) -> None:
    with pytest.raises(EvaluatorError):
        Vocabulary(vectors, WORDS, INDEX)
