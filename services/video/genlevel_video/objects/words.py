"""Names of things, colours and sides, as targets and detections write them."""

from __future__ import annotations

import functools
import re

from genlevel_evaluator.errors import SampleError

COCO = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light", "fire hydrant", "stop sign",
    "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella",
    "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard",
    "surfboard", "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange",
    "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed", "dining table", "toilet", "tv",
    "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase",
    "scissors", "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip
"""The 80 classes that GRiT's object detector knows."""

COLOURS = ("white", "red", "pink", "blue", "silver", "purple", "orange", "green", "gray", "yellow", "black")
"""VBench's twelve words; grey is gray."""
PUBLIC_COLOURS = (*COLOURS, "grey")

MOST_WORDS = 4
_ARTICLES = frozenset(("a", "an", "the"))
_ODD = re.compile(r"[,;:?!\"(){}\[\]<>\d\n]")
_EDGES = " \t\r\n.,;:?!\"'`-_*"
_SIDES = {
    "left": r"(?:(?:on|to|at) )?(?:the )?left(?: side)?(?: of)?",
    "right": r"(?:(?:on|to|at) )?(?:the )?right(?: side)?(?: of)?",
    "top": r"(?:(?:on|at) (?:the )?top of|on (?:the )?top|above|over)",
    "bottom": r"(?:(?:on|at) (?:the )?bottom of|on (?:the )?bottom|below|beneath|underneath|under)",
}
_WHOLE = {side: re.compile(pattern) for side, pattern in _SIDES.items()}
_BETWEEN = re.compile("(?P<one>.+?)(?: is| are)? (?:" + "|".join(f"(?P<{side}>{pattern})" for side, pattern in _SIDES.items()) + ") (?P<other>.+)")


@functools.lru_cache(maxsize=8192)
def clean(name: str) -> str:
    """A name in lower case, without articles before it and punctuation around it, its last word in the singular.

    >>> clean("A Dog."), clean("the  wine-glasses"), clean("Buses"), clean("grass")
    ('dog', 'wine glass', 'bus', 'grass')
    """
    words = re.sub(r"[\s_-]+", " ", name.lower()).strip(_EDGES).split()
    while words and words[0] in _ARTICLES:
        words.pop(0)
    return " ".join([*words[:-1], singular(words[-1])]) if words else ""


def singular(word: str) -> str:
    """The word without the ending of a plural, by rule alone: both sides go through it, so a wrong cut does no harm.

    >>> [singular(word) for word in ("dogs", "boxes", "berries", "glass", "bus", "tie", "ties")]
    ['dog', 'box', 'berry', 'glass', 'bus', 'tie', 'tie']
    """
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ses", "xes", "ches", "shes", "zes")) and len(word) > 4:
        return word[:-2] if word not in ("horses", "houses", "vases", "suitcases", "noses", "roses", "purses", "nurses") else word[:-1]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word


def target_name(name: str, what: str) -> str:
    """A cleaned name that may be asked for.

    Raises:
        SampleError: BAD_TARGET, for nothing, a sentence, or the filler of a language model.
    """
    found = clean(name)
    if not found or len(found.split()) > MOST_WORDS or _ODD.search(name.strip(_EDGES)) or ". " in name:
        raise bad_target(f"the {what} is no name of a thing", f"give a name of one to {MOST_WORDS} words, or leave the sample out")
    return found


def bad_target(message: str, remedy: str) -> SampleError:
    """The fault of a reference that asks for nothing that can be looked for."""
    return SampleError("BAD_TARGET", message, remedy=remedy, side="reference")


def colour_words(text: str) -> list[str]:
    """The colours among the words of a text, in order.

    >>> colour_words("A grey, reddish cat on red-hot coals")
    ['gray', 'red']
    """
    words = ["gray" if word == "grey" else word for word in re.findall(r"[a-z]+", text.lower())]
    return [word for word in words if word in COLOURS]


def side_of(relation: str) -> str | None:
    """The side that words of a relation mean: left, right, top or bottom.

    >>> side_of("on the left of"), side_of("on top of"), side_of("Below."), side_of("f")
    ('left', 'top', 'bottom', None)
    """
    plain = " ".join(relation.lower().strip(_EDGES).split())
    return next((side for side, pattern in _WHOLE.items() if pattern.fullmatch(plain)), None)


def split_relation(text: str) -> tuple[str, str, str] | None:
    """One thing, the side, the other thing; from where one looks (", front view") is no part of it.

    >>> split_relation("A dog on the left of a cat, front view.")
    ('a dog', 'left', 'a cat')
    >>> split_relation("on the left of") is None
    True
    """
    plain = re.sub(r",[^,]*\bview$", "", " ".join(text.lower().strip(_EDGES).split()))
    found = None if side_of(plain) else _BETWEEN.fullmatch(plain)
    return (found["one"], next(side for side in _SIDES if found[side]), found["other"]) if found else None
