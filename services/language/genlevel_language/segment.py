"""Words of scripts beyond English, and tokens of programs.

Unicode's default word boundaries (UAX #29) cut Arabic, Mongolian in either script, Cyrillic, Indic scripts and Korean at what they write
between words, and keep "3.5", "don't" and combining marks whole. Where a script writes nothing between words the standard asks for a
dictionary; without one every Han, Kana and Thai character is a word, with its marks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache

from genlevel_language.word_cache import WordCache

MAX_STRING = 256
"""Longest string literal that is one token: a quotation mark may have no partner, and is looked after no further."""

_NARROW_SPACE = "\u202f"  # joins a Mongolian word with its suffix, and is white space to Python
_TATWEEL_AND_HARAKAT = re.compile("[\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]")
_OPERATORS = [
    ">>>=", "===", "!==", "<=>", "**=", "//=", ">>=", "<<=", "&&=", "||=", "??=", ">>>", "...", "==", "!=", "<=", ">=", "->", "=>", ":=",
    "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "&&", "||", "::", "<<", ">>", "**", "//", "??", "?.",
]  # fmt: skip
_CODE = re.compile(
    rf"""
      (?:[rbfu]{{1,2}})?(?:"(?:[^"\\\n]|\\.){{0,{MAX_STRING}}}"|'(?:[^'\\\n]|\\.){{0,{MAX_STRING}}}')   # a string
    | `[^`\n]{{0,{MAX_STRING}}}`
    | 0[xX][0-9a-fA-F_]+ | 0[bB][01_]+ | 0[oO][0-7_]+
    | (?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][-+]?\d+)?[fFlLuUjJ]{{0,3}}(?!\w)                     # a number
    | [^\W\d]\w* | \w+
    | \\[A-Za-z]+                                                                                      # a command of LaTeX
    | {"|".join(map(re.escape, _OPERATORS))}
    | \S
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NOT_LATIN = re.compile(
    "[\u0370-\u1dff\u1f00-\u1fff\u2c00-\u2c5f\u2c80-\u2dff\u3040-\ud7ff\uf900-\ufaff\ufb1d-\ufefe\U00010000-\U0001efff\U00020000-\U0003ffff]"
)


def unicode_words(text: str) -> list[str]:
    """Words and marks between Unicode's default word boundaries, without white space; each Han and Kana character alone.

    >>> unicode_words("Сайн уу? 3.5%，我不")
    ['Сайн', 'уу', '?', '3.5', '%', '，', '我', '不']
    """
    if _NARROW_SPACE not in text:
        return _CACHE.tokens(text.split())
    return [token for token in map(str.strip, _boundaries()(text)) if token]


def joins_words(texts: Iterable[str]) -> bool:
    """Whether any of these texts has white space that joins words."""
    return any(_NARROW_SPACE in text for text in texts)


def not_latin(references: Sequence[str]) -> bool:
    """Whether any of them has a letter of another script.

    >>> not_latin(["naïve", "日本"]), not_latin(["naïve – 3 €"])
    (True, False)
    """
    return any(not reference.isascii() and _NOT_LATIN.search(reference) is not None for reference in references)


def code_tokens(text: str) -> list[str]:
    """Identifiers, numbers, operators, string literals and commands of LaTeX.

    >>> code_tokens('x1 += f("a b")**2.5e-3; \\\\frac{a}{b}')
    ['x1', '+=', 'f', '(', '"a b"', ')', '**', '2.5e-3', ';', '\\\\frac', '{', 'a', '}', '{', 'b', '}']
    """
    return _CODE.findall(text)


def arabic(text: str) -> str:
    """Text in compatibility form (NFKC) without the vowel signs and the lengthening stroke, which writers of Arabic leave out at will.

    >>> arabic("مُحَمَّـــد ﻻ") == "محمد لا"
    True
    """
    # Signs are taken off before, too: composed with their letter they would stay.
    return _TATWEEL_AND_HARAKAT.sub("", unicodedata.normalize("NFKC", _TATWEEL_AND_HARAKAT.sub("", text)))


@cache
def _boundaries() -> Callable[[str], list[str]]:
    import regex

    def of(*classes: str) -> str:
        return "".join(rf"\p{{WB={name}}}" for name in classes)

    marks = rf"[{of('Extend', 'Format', 'ZWJ')}]*+"
    letter, hebrew, digit = of("ALetter", "Hebrew_Letter"), of("Hebrew_Letter"), of("Numeric")
    between_letters, between_digits = of("MidLetter", "MidNumLet", "Single_Quote"), of("MidNum", "MidNumLet", "Single_Quote")
    # Every repetition is possessive, so that a long word takes linear time.
    joiner = rf"[{of('ExtendNumLet')}]{marks}"
    unit = rf"""(?:[{hebrew}]{marks}"{marks}(?=[{hebrew}])
        | [{letter}]{marks}(?:[{between_letters}]{marks}(?=[{letter}]))?
        | [{digit}]{marks}(?:[{between_digits}]{marks}(?=[{digit}]))?)"""
    flag = rf"[{of('Regional_Indicator')}]{marks}"
    core = rf"""(?:
        (?=[{letter}{digit}{of('ExtendNumLet')}])
        (?:{joiner})*+(?:{unit}++(?:{joiner})++)*+(?:{unit}++(?:(?=')(?<=[{hebrew}]{marks[:-1]})'{marks}(?![{letter}]))?)?
        | {flag}{flag}
        | [^\s]{marks}
        )"""
    return regex.compile(rf"{core}(?:(?<=\u200d)(?=\p{{Extended_Pictographic}}){core})*", regex.VERBOSE | regex.V1).findall  # type: ignore[no-any-return]


def _words(word: str) -> list[str]:
    return [word] if word.isascii() and word.isalnum() else _boundaries()(word)


_CACHE = WordCache(_words)
unicode_word = _CACHE.__getitem__
"""The words of one between white space, in a text without U+202F, which joins words."""
