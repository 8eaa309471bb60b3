"""Spoken English numbers to digits, as Whisper's normaliser does it.

    >>> digits("two hundred and one dollars")
    '$201'
    >>> digits("nineteen eighty four and a half percent of the third")
    '1984.5% of the 3rd'

A reader goes through the words with the number gathered so far and a sign or currency that waits for its number. The number is an
integer while it can still be added to, and a string once its digits are only strung together ("one oh one").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from genlevel_audio.text import number_words as known

_ARABIC = re.compile(r"\d+(\.\d+)?\Z")
_HALF = re.compile(r"\band\s+a\s+half\b")


def digits(text: str) -> str:
    """`text`, lower case and without punctuation, with its numbers in digits."""
    return _money(" ".join(_Reader(_spaced(_halves(text)).split()).read()))


def _halves(text: str) -> str:
    """`two and a half` becomes `two point five`."""
    parts = _HALF.split(text)
    result: list[str] = []
    for index, part in enumerate(parts):
        if not part.strip():
            continue
        result.append(part)
        if index < len(parts) - 1:
            last = part.split()[-1]
            result.append("point five" if last in known.DIGITS or last in known.MULTIPLIERS else "and a half")
    return " ".join(result)


def _spaced(text: str) -> str:
    """Letters apart from digits, but endings such as `2nd` and `1960s` together."""
    text = re.sub(r"([a-z])([0-9])", r"\1 \2", text)
    text = re.sub(r"([0-9])([a-z])", r"\1 \2", text)
    return re.sub(r"([0-9])\s+(st|nd|rd|th|s)\b", r"\1\2", text)


def _money(text: str) -> str:
    """`$2 and ¢7` becomes `$2.07`, `$0.07` becomes `¢7`; a lone 1 is written `one`."""
    text = re.sub(r"([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})\b", lambda m: f"{m[1]}{m[2]}.{int(m[3]):02d}", text)
    text = re.sub(r"[€£$]0.([0-9]{1,2})\b", lambda m: f"¢{int(m[1])}", text)
    return re.sub(r"\b1(s?)\b", r"one\1", text)


def _is_arabic(word: str | None) -> bool:
    return word is not None and _ARABIC.match(word) is not None


def _fraction(value: int | str) -> Fraction | None:
    try:
        return Fraction(value)
    except ValueError:
        return None


class _Reader:
    """One pass over the words."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._out: list[str] = []
        self._value: int | str | None = None
        self._prefix = ""
        self._skip = False
        self._before: str | None = None
        self._after: str | None = None
        self._rules: tuple[tuple[Callable[[str], bool], Callable[[str], None]], ...] = (
            (lambda word: _is_arabic(word[1:] if word[0] in known.PREFIX_SYMBOLS else word), self._arabic),
            (lambda word: word not in known.WORDS, self._other),
            (known.ZEROS.__contains__, self._zero),
            (known.SMALL.__contains__, self._small),
            (known.SMALL_WITH_ENDING.__contains__, self._small_with_ending),
            (known.TENS.__contains__, self._tens),
            (known.TENS_WITH_ENDING.__contains__, self._tens_with_ending),
            (known.MULTIPLIERS.__contains__, self._multiplier),
            (known.MULTIPLIERS_WITH_ENDING.__contains__, self._multiplier_with_ending),
            (known.SIGNS.__contains__, self._sign),
            (known.CURRENCIES.__contains__, self._currency),
            (known.PER_CENT.__contains__, self._per_cent),
            (known.CONNECTORS.__contains__, self._connector),
        )

    def read(self) -> list[str]:
        """The words with numbers in digits."""
        for index, word in enumerate(self._words):
            if self._skip:
                self._skip = False
                continue
            self._before = self._words[index - 1] if index else None
            self._after = self._words[index + 1] if index + 1 < len(self._words) else None
            next(rule for applies, rule in self._rules if applies(word))(word)
        self._flush()
        return self._out

    def _write(self, result: int | str) -> None:
        self._out.append(f"{self._prefix}{result}")
        self._value, self._prefix = None, ""

    def _flush(self) -> None:
        if self._value is not None:
            self._write(self._value)

    def _number_follows(self) -> bool:
        return self._after in known.WORDS or _is_arabic(self._after)

    def _other(self, word: str) -> None:
        self._flush()
        self._write(word)

    def _arabic(self, word: str) -> None:
        signed = word[0] in known.PREFIX_SYMBOLS
        if isinstance(self._value, str) and self._value.endswith("."):
            self._value += word
            return
        self._flush()
        if signed:
            self._prefix = word[0]
        plain = word[1:] if signed else word
        exact = Fraction(plain)
        self._value = exact.numerator if exact.denominator == 1 else plain

    def _zero(self, _: str) -> None:
        self._value = f"{self._value or ''}0"

    def _with_small(self, number: int) -> int | str:
        value = self._value
        if value is None:
            return number
        if isinstance(value, str) or self._before in known.SMALL:
            # "oh twenty one": the zero of the ten gives way to the digit.
            replaces = self._before in known.TENS and number < 10
            return str(value)[:-1] + str(number) if replaces else f"{value}{number}"
        return value + number if value % (10 if number < 10 else 100) == 0 else f"{value}{number}"

    def _with_tens(self, number: int) -> int | str:
        value = self._value
        if value is None:
            return number
        return value + number if isinstance(value, int) and value % 100 == 0 else f"{value}{number}"

    def _small(self, word: str) -> None:
        self._value = self._with_small(known.SMALL[word])

    def _small_with_ending(self, word: str) -> None:
        number, ending = known.SMALL_WITH_ENDING[word]
        self._write(f"{self._with_small(number)}{ending}")

    def _tens(self, word: str) -> None:
        self._value = self._with_tens(known.TENS[word])

    def _tens_with_ending(self, word: str) -> None:
        number, ending = known.TENS_WITH_ENDING[word]
        self._write(f"{self._with_tens(number)}{ending}")

    def _multiplied(self, multiplier: int) -> int | None:
        """The number gathered so far, times `multiplier`; None where that is no whole number."""
        value = self._value
        if value is None:
            return multiplier
        if isinstance(value, str):
            exact = _fraction(value)
            product = exact * multiplier if exact is not None else None
            return product.numerator if product is not None and product.denominator == 1 else None
        return value // 1000 * 1000 + value % 1000 * multiplier

    def _multiplier(self, word: str) -> None:
        multiplier = known.MULTIPLIERS[word]
        product = self._multiplied(multiplier)
        if product is None:
            self._flush()
        self._value = multiplier if product is None else product

    def _multiplier_with_ending(self, word: str) -> None:
        multiplier, ending = known.MULTIPLIERS_WITH_ENDING[word]
        product = self._multiplied(multiplier)
        if product is None:
            self._flush()
        self._write(f"{multiplier if product is None else product}{ending}")

    def _sign(self, word: str) -> None:
        self._flush()
        if self._number_follows():
            self._prefix = known.SIGNS[word]
        else:
            self._write(word)

    def _currency(self, word: str) -> None:
        if self._value is None:
            self._write(word)
            return
        self._prefix = known.CURRENCIES[word]
        self._flush()

    def _per_cent(self, word: str) -> None:
        self._skip = word == "per" and self._after == "cent" and self._value is not None
        if self._value is not None and (word == "percent" or self._skip):
            self._write(f"{self._value}%")
        else:
            self._other(word)

    def _connector(self, word: str) -> None:
        if not self._number_follows():
            self._other(word)
        elif word == "and":
            if self._before not in known.MULTIPLIERS:
                self._other(word)
        elif word == "point":
            if self._after in known.DIGITS or _is_arabic(self._after):
                self._value = f"{self._value or ''}."
        elif self._after in known.SMALL or self._after in known.ZEROS:
            self._value = f"{self._value or ''}" + str(known.SMALL.get(str(self._after), 0)) * (2 if word == "double" else 3)
            self._skip = True
        else:
            self._other(word)
