"""How one sample's answer is read: the extractor that fits its references, and the references in the extractor's form.

`extractor=by_reference` decides by the accepted answers and the options of the sample alone, never by the prediction:

    every reference is ...                                                  the answer is read with
    a letter of the `options`, several, or the text of one of them          option_letter, option_letters
    a single letter, where no options are listed                            option_letter
    yes, no, true or false                                                  yes_no
    a number in digits                                                      single_number
    one of the `labels`                                                     label
    anything else                                                           final_answer

`option_letter` itself reads so only the samples whose references name an option; other samples of such a task are read as
`final_answer`, because there is no letter to look for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from genlevel_language import letters, normalise
from genlevel_language.extract import EXTRACTORS, label, single_number, yes_no

_YES_NO = re.compile(r"\W*(?:yes|no|true|false)\W*", re.IGNORECASE)
_NUMBER = re.compile(r"\s*[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?\s*\.?\s*")
_AS_WRITTEN = ("none", "final_answer", "public_option_letter", "public_choice", "public_before_tag", "public_defect")


class Reading(NamedTuple):
    """How to read one sample.

    Attributes:
        extractor: the one that reads its prediction.
        references: what its answer is compared with.
    """

    extractor: str
    references: tuple[str, ...]

    def answer(self, prediction: str, attributes: Mapping[str, Any]) -> str | None:
        """The answer in a prediction; None where there is none."""
        return EXTRACTORS[self.extractor](prediction, attributes)


def reading(extractor: str, references: Sequence[str], attributes: Mapping[str, Any]) -> Reading:
    """How a sample is read.

    >>> reading("by_reference", ["Paris"], {"options": ["Rome", "Paris"]}), reading("by_reference", ["1,200"], {})
    (Reading(extractor='option_letter', references=('B',)), Reading(extractor='single_number', references=('1200',)))
    """
    given = tuple(references)
    if extractor in _AS_WRITTEN:
        return Reading(extractor, given)
    if extractor in ("by_reference", "option_letter", "option_letters"):
        found = _lettered(given, letters.options(attributes) if extractor != "by_reference" or "options" in attributes else ())
        if found is None:
            return _worded(given, attributes) if extractor == "by_reference" else Reading("final_answer", given)
        return found if extractor != "option_letters" else Reading(extractor, found.references)
    read = EXTRACTORS[extractor]
    return Reading(extractor, _read(given, lambda text: read(text, attributes)))


def _lettered(references: tuple[str, ...], texts: Sequence[str]) -> Reading | None:
    """The reading of a sample whose references name options; None where one does not."""
    found = [letters.of_reference(reference, texts) for reference in references]
    if not found or None in found:
        return None
    several = any(letter is not None and "," in letter for letter in found)
    return Reading("option_letters" if several else "option_letter", tuple(letter for letter in found if letter))


def _worded(references: tuple[str, ...], attributes: Mapping[str, Any]) -> Reading:
    """The reading by form of a sample whose references name no option."""
    if all(_YES_NO.fullmatch(reference) for reference in references):
        return Reading("yes_no", _read(references, lambda text: yes_no(text, {})))
    if all(_NUMBER.fullmatch(reference) for reference in references):
        return Reading("single_number", _read(references, lambda text: single_number(text, {})))
    names = attributes.get("labels")
    if isinstance(names, list):
        known = {normalise.answer(str(name)) for name in names}
        if all(normalise.answer(reference) in known for reference in references):
            return Reading("label", _read(references, lambda text: label(text, {"labels": names})))
    return Reading("final_answer", references)


def _read(references: tuple[str, ...], read: Callable[[str], str | None]) -> tuple[str, ...]:
    """References in the extractor's form; as written where it finds nothing."""
    return tuple(text if (found := read(text)) is None else found for text in references)
