"""How answers are put into a common form before they are compared."""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
_NUMBER_START = re.compile(r"[-#]?\.?\d")
_UNIT_END = re.compile(r"\w[%‰#]$")


def answer(text: str) -> str:
    """NFKC, outer space and punctuation off, case folded, inner space as one space.

    What belongs to a number or a name stays: -3 is not 3, .5 is not 5, and C# is not C.

    >>> answer(" (Yes). "), answer("-3."), answer("ＡＢＣ"), answer("C#")
    ('yes', '-3', 'abc', 'c#')
    """
    return _short(text) if len(text) <= _SHORT else _answer(text)


def _answer(text: str) -> str:
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    start, end = 0, len(folded)
    while start < end and _is_outer(folded[start]) and not _NUMBER_START.match(folded, start):
        start += 1
    while end > start and _is_outer(folded[end - 1]) and not _UNIT_END.search(folded[max(0, end - 2) : end]):
        end -= 1
    # Text of nothing but punctuation is an answer too, such as the operator asked for.
    return folded[start:end] or folded


_SHORT = 64
_short = lru_cache(maxsize=1 << 14)(_answer)  # labels repeat


def _is_outer(character: str) -> bool:
    return character.isspace() or unicodedata.category(character)[0] == "P"


def first_answer(text: str) -> str:
    """Lower case, trimmed, inner space as one space, one final full stop off: the form of EM@1.

    >>> first_answer(" On the  Left. ")
    'on the left'
    """
    collapsed = " ".join(text.lower().split())
    return collapsed.removesuffix(".").rstrip()


def squad(text: str) -> str:
    """Lower case, ASCII punctuation off, articles off, space as one space: the form of SQuAD v1.1.

    >>> squad("The  Cat's hat!")
    'cats hat'
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_ASCII_PUNCTUATION)).split())
