"""Extractors: from what a model wrote to the answer it gave. Each returns None where it finds no answer; none of them guesses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from genlevel_evaluator.errors import SampleError
from genlevel_language import normalise

_AFTER_ANSWER = re.compile(r"\banswer\b(?:\s+is\b|\s*[:=])?", re.IGNORECASE)
_FINAL = re.compile(r"(?:final\s+answer|answer)\s*(?:is\s*:?|[:=])\s*", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_ALONE = re.compile(r"\W*([A-Z])\W*", re.IGNORECASE)
_BRACKETED = re.compile(r"(?<!\w)[(\[]\s*([A-Za-z])\s*[)\]]")
_MARKED = re.compile(r"(?:^|(?<=\s))([A-Z])(?=\s*[).:,](?:\s|$))")
_STANDING = re.compile(r"(?<![\w'’])([A-Z])(?![\w'’])")
_YES_NO = re.compile(r"(?<!\w)(yes|no|true|false)(?!\w)", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\w)")
_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS = {word: value for value, word in enumerate(_UNITS.split())} | {
    word: 20 + 10 * place for place, word in enumerate(_TENS.split())
}
_NUMBER_WORD = re.compile(r"(?<!\w)(?:(" + "|".join(_TENS.split()) + r")[-\s])?(" + "|".join(_WORDS) + r")(?!\w)", re.IGNORECASE)


def none(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The text as it is."""
    del attributes
    return text


def option_letter(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The letter of the chosen option, in upper case.

    Looked for in this order, first in what follows the last word "answer" and then in the whole text: a letter alone; a letter
    in brackets; a letter followed by a bracket, colon, comma or full stop; the text of one of the `options`; a capital letter
    that stands by itself (not A or I, which are words, unless the text ends there).

    >>> option_letter("The answer is (C).", {}), option_letter("b", {}), option_letter("A dog, I think", {})
    ('C', 'B', None)
    """
    tail = _AFTER_ANSWER.split(text)[-1]
    for part in (tail, text) if tail != text else (text,):
        letter = _letter_in(part, _options(attributes))
        if letter:
            return letter
    return None


def _letter_in(text: str, options: Sequence[str]) -> str | None:
    if alone := _ALONE.fullmatch(text):
        return alone[1].upper()
    for pattern in (_BRACKETED, _MARKED):
        if match := pattern.search(text):
            return match[1].upper()
    wanted = normalise.answer(text)
    for place, option in enumerate(options):
        if wanted and wanted == normalise.answer(option):
            return chr(ord("A") + place)
    end = len(text.rstrip(" .\n\t"))
    for match in _STANDING.finditer(text):
        if match[1] not in "AI" or match.end() >= end:
            return match[1]
    return None


def _options(attributes: Mapping[str, Any]) -> list[str]:
    found = attributes.get("options", attributes.get("labels", []))
    if not isinstance(found, list) or not all(isinstance(item, str | int | float) for item in found):
        message, remedy = "options (or labels) is not a list of texts", "give the answer options as a list"
        raise SampleError("BAD_ATTRIBUTE", message, remedy=remedy, side="reference", pointer="/options")
    return [str(item) for item in found]


def public_option_letter(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The rule of the public predictor: A where the lower-case word "answer" is missing, else the alphabetically first of the
    option letters that occurs anywhere after the last "answer", A where none does.

    >>> public_option_letter("The answer is C because All others fail", {})
    'A'
    """
    if "answer" not in text:
        return "A"
    tail = re.split("answer", text, flags=re.IGNORECASE)[-1]
    count = len(_options(attributes)) or 4
    letters = [chr(ord("A") + place) for place in range(min(count, 26))]
    return next((letter for letter in letters if letter in tail), "A")


def yes_no(text: str, attributes: Mapping[str, Any]) -> str | None:
    """`yes` or `no`: the first of the words yes, no, true, false; or the number 1 or 0 alone.

    >>> yes_no("No, it is not.", {}), yes_no("1", {}), yes_no("Nothing", {})
    ('no', 'yes', None)
    """
    del attributes
    if text.strip() in ("0", "1"):
        return "yes" if text.strip() == "1" else "no"
    match = _YES_NO.search(text)
    return None if match is None else "yes" if match[1].casefold() in ("yes", "true") else "no"


def integer(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The first whole number, in digits or as an English word below one hundred; a number with a fraction is no whole number.

    >>> integer("There are 1,200 birds", {}), integer("twenty-one", {}), integer("about 2.5", {}), integer("3.0", {})
    ('1200', '21', None, '3')
    """
    del attributes
    digits, word = _NUMBER.search(text), _NUMBER_WORD.search(text)
    if digits and (not word or digits.start() < word.start()):
        whole, _, fraction = digits[0].replace(",", "").replace("−", "-").partition(".")
        # Zeros are cut as text: Python refuses to turn more than 4,300 digits into a number.
        sign = "-" if whole.startswith("-") else ""
        return (sign + whole.lstrip("+-0") if whole.strip("+-0") else "0") if not fraction.strip("0") else None
    if not word:
        return None
    value = _WORDS[word[2].casefold()]
    return str(value + _WORDS[word[1].casefold()] if word[1] and value < 10 else _WORDS[(word[1] or word[2]).casefold()])


def number(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The first number, in digits (a fraction is kept) or as an English word below one hundred.

    >>> number("There are 1,200 birds", {}), number("about 2.5", {}), number("a dozen", {}), number("none of 3", {})
    ('1200', '2.5', None, '3')
    """
    digits, word = _NUMBER.search(text), _NUMBER_WORD.search(text)
    if digits and (not word or digits.start() < word.start()):
        return digits[0].replace(",", "").replace("−", "-")
    return integer(text, attributes)


def label(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The one of the labels (attribute `labels` or `options`) that the text names, as whole words and without regard to case.

    A label inside a longer one that is named does not count; a text that names none or several has no answer.

    >>> label("It is a polar bear.", {"labels": ["bear", "polar bear", "dog"]})
    'polar bear'
    """
    labels = [name for name in _options(attributes) if normalise.answer(name)]
    if not labels:
        message, remedy = "extractor=label needs the attribute labels", "list the labels in the sample's attribute labels"
        raise SampleError("NO_LABELS", message, remedy=remedy, side="reference")
    rest, found = normalise.answer(text), []
    for name in sorted(set(labels), key=lambda item: (-len(item), item)):
        rest, hits = re.subn(rf"(?<!\w){re.escape(normalise.answer(name))}(?!\w)", "\0", rest)
        if hits:
            found.append(name)
    return found[0] if len(found) == 1 else None


def final_answer(text: str, attributes: Mapping[str, Any]) -> str | None:
    r"""What the last `\boxed{...}` holds, else the rest of the line after the last "answer is" or "answer:", else the whole text.

    >>> final_answer("2 + 2. Final Answer: 4\nDone.", {}), final_answer(r"so \boxed{x+1}", {}), final_answer("4", {})
    ('4', 'x+1', '4')
    """
    del attributes
    if boxed := _BOXED.findall(text):
        return str(boxed[-1])
    parts = _FINAL.split(text)
    return parts[-1].split("\n")[0] if len(parts) > 1 else text


EXTRACTORS: dict[str, Callable[[str, Mapping[str, Any]], str | None]] = {
    "none": none,
    "option_letter": option_letter,
    "public_option_letter": public_option_letter,
    "yes_no": yes_no,
    "integer": integer,
    "label": label,
    "final_answer": final_answer,
}
