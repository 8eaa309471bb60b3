"""Text normalisers of WER."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from genlevel_audio.text import english, number_words
from genlevel_audio.text.normalisers import Normaliser, tokens

_OTHER = [
    "o'clock", "don't", "colour", "it's", "been", "he'd", "Mr.", "St", "3.5", "$4", "12", "007", "1,000", "half", "and a half", "the", "5th",
    "%", "¢", "£", "$", "(x y)", "[z]", "é", "œuvre", "um", "0", "ab12cd", "per cent", "$0.07", "-3", "+", "1960s", "1s", "2.", "3 s", "cause",
]


INVISIBLE = "\u200b\ufeff\xad\u200e\u200f\u2060\u200c\u200d\u202a\u2066\xa0\u3000"
"""Zero-width space, byte-order mark, soft hyphen, marks of direction, joiners, and two spaces that only look alike."""


def test_english_is_whispers_normaliser(oracle: Callable[[str, Any], Any]) -> None:
    source = random.Random(3)
    words = sorted(number_words.WORDS) + _OTHER
    texts = [" ".join(source.choices(words, k=source.randint(1, 9))) for _ in range(8000)]
    texts += ["".join(source.choices("ab1 .,'$%£-(n)t", k=20)) for _ in range(2000)]
    texts += list(english._spelling())
    texts += [text for mark in INVISIBLE for text in (f"{mark}hello", f"co{mark}lour", f"don't{mark} go", f"on the 2{mark}nd", f"hi {mark} you")]
    for text, expected in zip(texts, oracle("normaliser", texts), strict=True):
        assert english.normalise(text).split() == expected.split(), text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He owes $20 million.", "he owes $20000000"),
        ("nineteen eighty-four", "1984"),
        ("one oh one", "101"),
        ("two pounds and seven cents", "£2.07"),
        ("ten percent of one", "10% of one"),
        ("minus three point one four", "-3.14"),
        ("the thirty second minute", "the 32nd minute"),
        ("", ""),
        ("(inaudible) [music]", ""),
    ],
)
def test_english_examples(text: str, expected: str) -> None:
    assert english.normalise(text) == expected


def test_basic_keeps_marks_and_joins_apostrophes() -> None:
    assert tokens("L’eau, ＦＵＬＬ—width!", "basic") == ["leau", "full", "width"]
    assert tokens("हिन्दी", "basic") == ["हिन्दी"]


@pytest.mark.parametrize("normaliser", ["english", "basic"])
def test_invisible_characters_belong_to_their_words(normaliser: Normaliser) -> None:
    for mark in INVISIBLE[:-2]:
        assert tokens(f"hel{mark}lo you", normaliser) == [f"hel{mark}lo", "you"]
    for space in INVISIBLE[-2:]:
        assert tokens(f"hel{space}lo you", normaliser) == ["hel", "lo", "you"]


def test_character_splits_unspaced_writing() -> None:
    assert tokens("今天 天气，很好。", "character") == list("今天天气很好")
    assert tokens("ｶﾞ", "character") == ["ガ"]
