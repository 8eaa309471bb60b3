"""Extractors: from what a model wrote to the answer it gave. Each returns None where it finds no answer; none of them guesses."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Mapping
from typing import Any

from genlevel_evaluator.errors import SampleError
from genlevel_language import figures, letters, normalise, statements

_FINAL = re.compile(r"(?:\banswer\b[*_]*\s*(?:is\s*:?|[:=])|(?:答案|答え)\s*(?:[是为為は]\s*[:：]?|[:：]))\s*", re.IGNORECASE)
_TAGGED = re.compile(r"<answer>([^<>]*)</answer>", re.IGNORECASE)
# "No idea" and "no image" say nothing; "not yes" says that it is no answer.
_YES_NO = re.compile(
    r"(?<!\w)(?:(not)\s+)?(yes|no(?!\s+(?:idea|clue|answer|doubt|image|picture|video|audio|information|way\s+to)\b)|true|false)(?!\w)", re.IGNORECASE
)
_UNSAID = re.compile(r"(?<!\w)(?:not|cannot\s+say|neither)\s+(?:yes|no)(?!\w)", re.IGNORECASE)
_EITHER = re.compile(r"\s*(?:\b(?:and|or)\b|/|\s)\s*(?:yes|no|true|false)\b", re.IGNORECASE)
_YES_WORDS = {"yes": "yes", "true": "yes", "1": "yes", "是": "yes", "はい": "yes", "no": "no", "false": "no", "0": "no", "否": "no", "是的": "yes", "对": "yes", "有": "yes", "不是": "no", "没有": "no", "不": "no", "いいえ": "no"}
_FLAW = r"(?:defect|vulnerab|bug|insecure|flaw)\w*"
_BETWEEN = (
    "an?|any|the|to|be|have|has|there|are|contain|appear|seem|see|find|show|exhibit|include|introduce|indicate|obvious|security|known|potential|"
    "apparent|clear|significant|explicit|major|evident|visible|specific|serious|inherently"
)
_NO_DEFECT = re.compile(
    rf"\b(?:no|not|without|free\s+of|\w+n['’]t|cannot|non|neither|nor|never)[-\s]+(?:(?:{_BETWEEN})[-\s]+){{0,6}}?{_FLAW}"
    rf"|\b(?:defect|bug|vulnerability)[-\s]free\b|\b(?<!not )secure\b|\b{_FLAW}\s*[:?]\s*(?:no|none|false|0)\b",
    re.IGNORECASE,
)
_DEFECT = re.compile(rf"\b{_FLAW}|\bnot\s+secure\b", re.IGNORECASE)
_LABELLED = re.compile(r"\s*(?:label|target|output|result|prediction)\s*[:=]\s*([01])\W*", re.IGNORECASE)


def none(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The text as it is."""
    del attributes
    return text


def option_letter(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The letter of the chosen option, in upper case (genlevel_language.letters); the text of one of the `options` stands for its letter.

    >>> option_letter("The answer is (C).", {}), option_letter("b", {}), option_letter("A dog, I think", {}), option_letter("A or B", {})
    ('C', 'B', None, None)
    """
    return letters.one(text, letters.options(attributes))


def option_letters(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The letters of all chosen options, in order of the alphabet.

    >>> option_letters("(C) and (A)", {})
    'A, C'
    """
    return letters.several(text, letters.options(attributes))


def public_option_letter(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The rule of the public predictor: A where the lower-case word "answer" is missing, else the alphabetically first of the
    option letters that occurs anywhere after the last "answer", A where none does.

    >>> public_option_letter("The answer is C because All others fail", {})
    'A'
    """
    if "answer" not in text:
        return "A"
    tail = re.split("answer", text, flags=re.IGNORECASE)[-1]
    count = len(letters.options(attributes)) or 4
    return next((letter for letter in string.ascii_uppercase[:count] if letter in tail), "A")


def public_choice(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The rule of the public predictor for the type `multiple choice`: of a text longer than one character the first of A, B, C and
    D that it contains.

    >>> public_choice("Because of C", {}), public_choice("e", {})
    ('B', 'e')
    """
    del attributes
    return next((letter for letter in "ABCD" if letter in text), text) if len(text) > 1 else text


def public_before_tag(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The rule of the public scorer for object matching: the text before the first `<`.

    >>> public_before_tag("2<|im_end|>", {})
    '2'
    """
    del attributes
    return text.partition("<")[0]


def yes_no(text: str, attributes: Mapping[str, Any]) -> str | None:
    """`yes` or `no`, from the words yes, no, true, false, or 1 or 0 alone: what the text says its answer is, else the word it begins
    with, else the one it holds. A text that holds both has no answer.

    >>> yes_no("No, it is not.", {}), yes_no("1", {}), yes_no("Nothing", {}), yes_no("Yes or no", {}), yes_no("It is not true.", {})
    ('no', 'yes', None, None, 'no')
    """
    del attributes
    whole = statements.plain(text)
    for part in (whole, *statements.committed(whole)):
        alone = _YES_WORDS.get(normalise.answer(part))
        first = None if _UNSAID.match(part) else _YES_NO.match(part.lstrip(" \t\n\"'“‘*#:-(["))
        if alone or (first and not _EITHER.match(first.string, first.end())):
            return alone or _polarity(first)
    found = {_polarity(match) for match in _YES_NO.finditer(_UNSAID.sub("", whole))}
    return found.pop() if len(found) == 1 else None


def _polarity(match: re.Match[str] | None) -> str | None:
    if match is None:
        return None
    return "yes" if (match[2].casefold() in ("yes", "true")) is (match[1] is None or match[2].casefold() in ("yes", "no")) else "no"


def integer(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The first whole number, in digits or as an English word; a number with a fraction is no whole number.

    >>> integer("There are 1,200 birds", {}), integer("twenty-one", {}), integer("about 2.5", {}), integer("3.0", {})
    ('1200', '21', None, '3')
    """
    del attributes
    return figures.whole(text)


def single_number(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The one number of a text: the one of what is boxed or of "the answer is", else the only one there is. Words count where
    there are no digits. A text with several different numbers has no answer.

    >>> [single_number(text, {}) for text in ("5 + 7 = 12", "5 + 7 = 12, so the answer is 12.0", "three", "有3只猫", "1/2")]
    [None, '12', '3', '3', None]
    """
    del attributes
    return figures.single(text)


def defect(text: str, attributes: Mapping[str, Any]) -> str | None:
    """`1` where a text says that code has a defect, `0` where it says that it has none; a text that says both has no answer.

    >>> [defect(text, {}) for text in ("No defect detected.", "The function is vulnerable.", "1", "Yes", "I cannot tell")]
    ['0', '1', '1', '1', None]
    """
    if labelled := _LABELLED.fullmatch(statements.plain(text)):
        return labelled[1]
    rest, none_found = _NO_DEFECT.subn(" ", text)
    found = bool(_DEFECT.search(rest))
    if bool(none_found) != found:
        return "1" if found else "0"
    said = None if found else yes_no(text, attributes)
    return said and ("1" if said == "yes" else "0")


def public_defect(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The rule of the public predictor: 0 where "no defect" occurs, else 1.

    >>> public_defect("No defect.", {}), public_defect("0", {})
    ('0', '1')
    """
    del attributes
    return "0" if "no defect" in text.lower() else "1"


def label(text: str, attributes: Mapping[str, Any]) -> str | None:
    """The one of the labels (attribute `labels` or `options`) that the text names, as whole words and without regard to case.

    A label inside a longer one that is named does not count; a text that names none or several has no answer.

    >>> label("It is a polar bear.", {"labels": ["bear", "polar bear", "dog"]})
    'polar bear'
    """
    labels = [name for name in letters.options(attributes) if normalise.answer(name)]
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
    whole = statements.plain(text) if "</think" in text or "\\boxed" in text else text
    if (inside := statements.boxed(whole)) is not None:
        return inside
    if tagged := _TAGGED.findall(whole):
        return str(tagged[-1])
    parts = _FINAL.split(whole)
    return parts[-1].split("\n")[0] if len(parts) > 1 else whole


EXTRACTORS: dict[str, Callable[[str, Mapping[str, Any]], str | None]] = {
    "none": none,
    "option_letter": option_letter,
    "option_letters": option_letters,
    "public_option_letter": public_option_letter,
    "public_choice": public_choice,
    "public_before_tag": public_before_tag,
    "yes_no": yes_no,
    "integer": integer,
    "single_number": single_number,
    "defect": defect,
    "public_defect": public_defect,
    "label": label,
    "final_answer": final_answer,
}
