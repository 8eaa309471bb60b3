"""Option letters: which of the answer options a text names, and whether a reference names one.

A letter is taken where the text commits itself, in this order: in `\\boxed{}`, after "the answer is" (in some languages) or
"option", at the beginning ("B. Paris"), alone. Then the text of an option counts, then letters in brackets or by themselves. Where
several are named, or the one that is named is denied, there is no answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from genlevel_evaluator.errors import SampleError
from genlevel_language import normalise
from genlevel_language.statements import CJK, committed, plain

# Chinese, Japanese and Korean write a letter without a space before or after it.
_BEFORE, _AFTER = rf"(?<![^\W{CJK}'’])(?<![\w]['’])", rf"(?![^\W{CJK}])(?!['’][a-zA-Z])"
_LEAD = re.compile(
    rf"(?:(?:option|choice|letter)s?\s*:?\s*)?(?:[(\[{{<]\s*([A-Za-z])\s*[)\]}}>]|([A-Z]){_AFTER}|([a-z]){_AFTER}(?=\s*(?:[).:,;\]](?:\s|$)|$|\n|because|since)))",
)
_GOES_ON = re.compile(r"\s+(?!(?:because|since|as|and|or|is|with|due|so|for|but|given|would|seems|option|not)\b)[a-zA-Z]", re.IGNORECASE)
_ALSO = re.compile(rf"\s*(?:,?\s*(?:or|and|and/or|as well as)\s+(?:maybe\s+|perhaps\s+|possibly\s+)?|[/,;&+、，；]\s*(?:and\s+|or\s+)?|\s*(?:还是|或者|以及|[或和与及])\s*)(?=[(\[]?\s*[A-Z]\s*[)\]]?{_AFTER})", re.IGNORECASE)
_MARKED = re.compile(rf"\s*(?:[(\[]\s*([A-Za-z])\s*[)\]]|([A-Za-z])\s*[).:、](?=\s|$|[{CJK}])|([A-Za-z])\s*$|([A-Z])(?=\s*[-–—,;\n]))")
_BRACKETED = re.compile(r"(?<![\w])[(\[]\s*([A-Za-z])\s*[)\]]")
_STANDING = re.compile(rf"{_BEFORE}([A-Z]){_AFTER}")
_DENIED = re.compile(r"(?:(?:\bnot|\bcannot|n['’]t)(?:\s+be)?|\bneither|\bnor|\brather\s+than|\binstead\s+of|\bexcept|不是|不选)(?:\s+option)?\s*[(\[]?$", re.IGNORECASE)
_HELD = re.compile(
    r"\s+(?:is|would\s+be|seems|must\s+be)\s+(?:the\s+)?(?:most\s+)?(?:correct|right|true|best|answer|likely)|,?\s+(?:because|since|as|due\s+to)\b|\s*[.!)\]]*\s*$"
)
_NAMED_THING = re.compile(r"\b(?:image|picture|figure|photo|video|solution|statement|person|sample|object)\s*$", re.IGNORECASE)
_WRONG = re.compile(
    r"[)\]]?(?:\s*(?:is|was|would\s+be|(?:(?:,|,?\s(?:and|or)|、|和)\s*[(\[]?[A-Z][)\]]?(?![A-Za-z])\s*){1,6}(?:are|were))\s+"
    r"(?:all\s+|both\s+|also\s+|clearly\s+)?(?:wrong|incorrect|false|not|out|untrue|ruled\s+out)\b|\s*(?:is|are)n['’]t\b|错误?|不对|不正确)"
)
_TRUTH = re.compile(r"\W*(yes|no|true|false)(?=\s*[.,:;!\n]|\s+[-–—]\s)(?!\W*(?:yes|no|true|false)\b)", re.IGNORECASE)
_ONLY = re.compile(r"\W*(?:(?:options?|answers?|choices?)\W+)?([A-Z](?:(?:\s|[,;/&+、，；()\[\]]|\band\b|和|<p>)+[A-Z])*)\W*", re.IGNORECASE)
_PACKED = re.compile(r"\W*([A-Z]{2,26})\W*")
_LISTED = re.compile(r"^[ \t]*(?:[-*][ \t]*)?[(\[]?([A-Z])[)\].:]\s", re.MULTILINE)
_ENTRY = re.compile(r"(?:^|(?<=[.;!?])[ \t]+)[ \t]*(?:[-*][ \t]*)?[(\[]?([A-Z])[)\].:]\s", re.MULTILINE)
# Not inside a word; a number not inside another one: 4 is no part of -4, 0.4, 1/4 and 4.5.
_BOUND = rf"(?<![^\W{CJK}])(?:(?!\d)|(?<![-−.])(?<!\d[,/]))"
_MOST_OPTIONS = 26


def options(attributes: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts of the answer options, without the letters they may carry; empty when the sample lists none.

    >>> options({"options": ["A. cat", "B. dog"]}), options({"options": {"B": "dog", "A": "cat"}})
    (('cat', 'dog'), ('cat', 'dog'))
    """
    given = attributes.get("options", attributes.get("labels", []))
    if isinstance(given, Mapping) and all(len(key) == 1 for key in given):
        given = [given[key] for key in sorted(given)]
    if not isinstance(given, list | tuple) or not all(isinstance(item, str | int | float) for item in given):
        message, remedy = "options (or labels) is not a list of texts", "give the answer options as a list"
        raise SampleError("BAD_ATTRIBUTE", message, remedy=remedy, side="reference", pointer="/options")
    # google.protobuf.Struct carries every number as a double.
    return _bare(tuple(str(int(item)) if isinstance(item, float) and item.is_integer() else str(item) for item in given))


@lru_cache(maxsize=256)
def _bare(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The texts without "A. ", "(B) " where every one begins with its own letter."""
    bare = []
    for place, text in enumerate(texts):
        match = re.match(r"\s*[(\[]?([A-Za-z])\s*[).:\]、]\s*", unicodedata.normalize("NFKC", text))
        if match is None or match[1].upper() != chr(ord("A") + place):
            return texts
        bare.append(unicodedata.normalize("NFKC", text)[match.end() :])
    return tuple(bare)


def one(text: str, texts: Sequence[str]) -> str | None:
    """The one letter a text names."""
    found = _named(text, texts)
    return found[0] if len(found) == 1 else None


def several(text: str, texts: Sequence[str]) -> str | None:
    """All letters a text names, in order of the alphabet and joined by commas.

    >>> several("(A) and (C)", []), several("The answers are B, D.", []), several("CA", ["w", "x", "y"])
    ('A, C', 'B, D', 'A, C')
    """
    whole = plain(text)
    for part in (whole, *committed(whole)):
        packed = _PACKED.fullmatch(part.split("\n")[0])
        if packed and _are_letters(packed[1], texts):
            return ", ".join(sorted(packed[1]))
    found = _LISTED.findall(whole)
    found = found if len(found) > 1 else _named(text, texts)
    return ", ".join(sorted(set(found))) or None


def _are_letters(word: str, texts: Sequence[str]) -> bool:
    """Whether a word can be letters of options written together: each once, and so many options there are."""
    last = len(texts) or 8
    return len(set(word)) == len(word) and all(ord(letter) - ord("A") < last for letter in word)


def _named(text: str, texts: Sequence[str]) -> list[str]:
    """The letters a text commits itself to."""
    whole = plain(text)
    if only := _only(whole, texts):
        return only
    if letter := _letter_of(whole, texts) or _letter_of(_first_word(whole), texts):
        return [letter]
    for tail in committed(whole):
        if found := _only(tail, texts) or _leading(tail, texts) or _option_texts(tail.split("\n")[0], texts):
            return found
    marked = _MARKED.match(whole)
    if marked and not _lists(whole) and _allowed(letter := next(filter(None, marked.groups())).upper(), texts) and not _WRONG.match(whole, marked.end()):
        return [letter, *_follow(whole[marked.end() :], texts)]
    if found := _option_texts(whole, texts):
        return found
    return _anywhere(whole, texts)


def _lists(text: str) -> bool:
    """Whether a text goes through the options one after another, a line or a sentence each: that chooses none."""
    found = _ENTRY.findall(text)
    return found[:2] == ["A", "B"] and found == sorted(set(found))


def _allowed(letter: str, texts: Sequence[str]) -> bool:
    return ord(letter) - ord("A") < (min(len(texts), _MOST_OPTIONS) or _MOST_OPTIONS)


def _only(text: str, texts: Sequence[str]) -> list[str]:
    """The letters of a text that holds nothing else."""
    match = _ONLY.fullmatch(text)
    found = re.findall(r"(?<![A-Za-z])[A-Za-z](?![A-Za-z])", match[1].replace("<p>", " ")) if match else []
    letters = [letter.upper() for letter in found]
    return letters if all(_allowed(letter, texts) for letter in letters) else []


def _leading(tail: str, texts: Sequence[str]) -> list[str]:
    """The letters at the beginning of a text after "answer is"."""
    tail = tail.lstrip(" \t\n:\"'“‘*#-.")
    if letter := _letter_of(tail.split("\n")[0], texts):
        return [letter]
    match = _LEAD.match(tail)
    if match is None:
        return []
    letter = next(filter(None, match.groups())).upper()
    rest = tail[match.end() :]
    if not _allowed(letter, texts) or _WRONG.match(rest) or (letter in "AI" and not match[1] and _GOES_ON.match(rest)):
        return []
    return [letter, *_follow(rest, texts)]


def _follow(rest: str, texts: Sequence[str]) -> list[str]:
    """Further letters right after one, joined by commas or words: "A or B"."""
    found = []
    while link := _ALSO.match(rest):
        match = re.match(r"[(\[]?\s*([A-Za-z])\s*[)\]]?", rest[link.end() :])
        after = rest[link.end() + match.end() :] if match else ""
        if match is None or not _allowed(match[1].upper(), texts) or _WRONG.match(after):
            break
        found.append(match[1].upper())
        rest = after
    return found


def _anywhere(text: str, texts: Sequence[str]) -> list[str]:
    """Letters in brackets, else letters by themselves (A and I are words unless the text ends there or says they are right)."""
    for pattern in (_BRACKETED, _STANDING):
        found = []
        for match in pattern.finditer(text):
            letter, word = match[1].upper(), pattern is _STANDING and match[1] in "AI"
            held = not word or _HELD.match(text, match.end()) or _ALSO.match(text, match.end()) or _NAMED_THING.search(text[max(0, match.start() - 12) : match.start()])
            if not _allowed(letter, texts) or not held:
                continue
            if not _WRONG.match(text, match.end()) and not _DENIED.search(text[max(0, match.start() - 30) : match.start()]):
                found.append(letter)
        if found:
            return sorted(set(found))
    return []


def _first_word(text: str) -> str:
    """Yes, no, true or false where a text begins with it: what follows gives reasons."""
    match = _TRUTH.match(text)
    return match[1] if match else ""


@lru_cache(maxsize=1024)
def _form(option: str) -> str:
    """An option's text in the form in which it is looked for: "$4" is written as "4" too."""
    return normalise.answer(plain(option))


def _letter_of(text: str, texts: Sequence[str]) -> str:
    """The letter of the option a text is; empty where it is none or that text stands twice."""
    wanted = normalise.answer(text)
    hits = [place for place, option in enumerate(texts[:_MOST_OPTIONS]) if wanted and wanted == _form(option)]
    return chr(ord("A") + hits[0]) if len(hits) == 1 else ""


def _option_texts(text: str, texts: Sequence[str]) -> list[str]:
    """The options whose text occurs as whole words; one inside a longer one that occurs does not count."""
    rest, found = normalise.answer(text), []
    for place, option in sorted(enumerate(texts[:_MOST_OPTIONS]), key=lambda item: -len(item[1])):
        wanted = _form(option)
        # One letter is no text that is found by chance: "a" occurs in every sentence.
        if len(wanted) > 1 or (wanted and not (wanted.isascii() and wanted.isalpha())):
            rest, hits = re.subn(rf"(?<!\bnot ){_BOUND}{re.escape(wanted)}(?![^\W{CJK}]|[.,/]\d)", "\0", rest)
            if hits:
                found.append(chr(ord("A") + place))
    return sorted(found)


def of_reference(reference: str, texts: Sequence[str]) -> str | None:
    """The letter or letters a reference stands for: a letter, alone or before its option, letters, or the text of an option.

    A reference is not searched: "Vitamin C" is no letter.

    >>> of_reference("(b) dog", ["cat", "dog"]), of_reference("Dog.", ["cat", "dog"]), of_reference("Vitamin C", [])
    ('B', 'B', None)
    """
    text = plain(reference).strip()
    if only := _only(text, texts):
        return ", ".join(sorted(set(only)))
    if letter := _letter_of(text, texts):
        return letter
    packed = _PACKED.fullmatch(text)
    if packed and texts and _are_letters(packed[1], texts):
        return ", ".join(sorted(packed[1]))
    marked = re.match(r"(?:option\s+)?(?:[(\[]\s*([A-Za-z])\s*[)\]]|([A-Za-z])\s*[).:、])\s*", text, re.IGNORECASE)
    if marked and _allowed(letter := (marked[1] or marked[2]).upper(), texts):
        rest = text[marked.end() :]
        if not rest or _letter_of(rest, texts) == letter:
            return letter
    return None
