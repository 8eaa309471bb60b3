"""Vocabulary of spoken English numbers, and what each word stands for."""

from __future__ import annotations

_SMALL = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_POWERS = ["thousand", "million", "billion", "trillion", "quadrillion", "quintillion", "sextillion", "septillion", "octillion", "nonillion", "decillion"]
_IRREGULAR = {"one": "first", "two": "second", "three": "third", "five": "fifth", "twelve": "twelfth"}
_IRREGULAR_ENDING = {"one": "st", "two": "nd", "three": "rd"}

ZEROS = frozenset({"o", "oh", "zero"})
SMALL = {word: value for value, word in enumerate(_SMALL, 1)}
TENS = {word: value for value, word in zip(range(20, 100, 10), _TENS, strict=True)}
MULTIPLIERS = {"hundred": 100, **{word: 1000**power for power, word in enumerate(_POWERS, 1)}}


def _ordinal(word: str) -> str:
    return _IRREGULAR.get(word, word + ("h" if word.endswith("t") else "th"))


SMALL_WITH_ENDING = {
    **{"sixes" if word == "six" else word + "s": (value, "s") for word, value in SMALL.items()},
    "zeroth": (0, "th"),
    **{_ordinal(word): (value, _IRREGULAR_ENDING.get(word, "th")) for word, value in SMALL.items()},
}
TENS_WITH_ENDING = {
    **{word[:-1] + "ies": (value, "s") for word, value in TENS.items()},
    **{word[:-1] + "ieth": (value, "th") for word, value in TENS.items()},
}
MULTIPLIERS_WITH_ENDING = {
    **{word + "s": (value, "s") for word, value in MULTIPLIERS.items()},
    **{word + "th": (value, "th") for word, value in MULTIPLIERS.items()},
}

SIGNS = {"minus": "-", "negative": "-", "plus": "+", "positive": "+"}
CURRENCIES = {
    "pound": "£", "pounds": "£", "euro": "€", "euros": "€", "dollar": "$", "dollars": "$", "cent": "¢", "cents": "¢",
}
PREFIX_SYMBOLS = frozenset(SIGNS.values()) | frozenset(CURRENCIES.values())
PER_CENT = frozenset({"per", "percent"})
CONNECTORS = frozenset({"and", "double", "triple", "point"})

DIGITS = frozenset(SMALL) | frozenset(TENS) | ZEROS
"""Words that may follow a spoken decimal point."""

WORDS = (
    DIGITS | frozenset(SMALL_WITH_ENDING) | frozenset(TENS_WITH_ENDING) | frozenset(MULTIPLIERS)
    | frozenset(MULTIPLIERS_WITH_ENDING) | frozenset(SIGNS) | frozenset(CURRENCIES) | PER_CENT | CONNECTORS
)
"""Every word that can be part of a number."""
