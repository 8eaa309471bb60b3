"""From a transcript to the items that WER counts.

    >>> tokens("Hello, World!", "basic")
    ['hello', 'world']
    >>> tokens("你好，ＡＢ", "character")
    ['你', '好', 'a', 'b']
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Literal

from genlevel_audio.text import english

Normaliser = Literal["english", "basic", "character"]


def _english(text: str) -> list[str]:
    return english.normalise(text).split()


def _basic(text: str) -> list[str]:
    """NFKC, lower case, punctuation and symbols off; marks stay, since they are vowels in many scripts."""
    folded = unicodedata.normalize("NFKC", text).lower()
    # An apostrophe inside a word joins it (l'eau, don't): it goes without leaving a space.
    folded = re.sub(r"(?<=\w)['’ʼ](?=\w)", "", folded)
    return "".join(" " if unicodedata.category(character)[0] in "SP" else character for character in folded).split()


def _character(text: str) -> list[str]:
    """Every character of the basic form, spaces apart: for Chinese, Japanese and other unspaced writing."""
    return list("".join(_basic(text)))


_BY_NAME: Mapping[str, Callable[[str], list[str]]] = {"english": _english, "basic": _basic, "character": _character}


_UNSPACED = {"zh", "cmn", "yue", "wuu", "nan", "hak", "lzh", "ja"}


def normaliser_of(language: str) -> Normaliser:
    """The normaliser of a language named as BCP 47 has it.

    >>> normaliser_of("en-GB"), normaliser_of("zh_Hant"), normaliser_of("mn")
    ('english', 'character', 'basic')
    """
    primary = re.split("[-_]", language.strip().lower())[0]
    return "english" if primary == "en" else "character" if primary in _UNSPACED else "basic"


def tokens(text: str, normaliser: Normaliser) -> list[str]:
    """Words, or characters, of a transcript."""
    return _BY_NAME[normaliser](text)
