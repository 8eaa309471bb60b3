"""The 400 actions of Kinetics, and which of them a text asks for.

>>> NAMES_COUNT, index("riding a bike") == index("A person is riding a bike, down the hill.")
(400, True)
>>> index("Passing American football in game") == index("passing american football (in game)")
True
>>> index("a person is doing nothing at all") is None
True
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

NAMES_COUNT = 400
_ARTICLES = frozenset(("a", "an", "the"))
_PERSON = re.compile(r"^.*?\b(?:person|man|woman|boy|girl|child|people|someone|he|she|they) (?:is|are) ")


@cache
def names() -> tuple[str, ...]:
    """The actions, in the order of the classes."""
    return tuple(files(__package__).joinpath("kinetics_400.txt").read_text(encoding="utf-8").splitlines())


def plain(text: str) -> str:
    """Lower case, words of letters and digits with one space between, without articles.

    >>> plain("  Punching a person (boxing). ")
    'punching person boxing'
    """
    return " ".join(word for word in re.findall(r"[a-z0-9]+", text.lower().replace("'", "")) if word not in _ARTICLES)


@cache
def _numbers() -> dict[str, int]:
    return {plain(name): number for number, name in enumerate(names())}


def index(text: str) -> int | None:
    """The class that a text names: the whole text, what comes after "person is", or else the longest name whose words stand in it
    one after the other; None where there is none."""
    found = plain(text)
    for whole in (found, _PERSON.sub("", found)):
        if whole in _numbers():
            return _numbers()[whole]
    inside = [name for name in _numbers() if f" {name} " in f" {found} "]
    return _numbers()[max(inside, key=len)] if inside else None
