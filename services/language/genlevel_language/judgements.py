"""Ratings and votes of people: their input kinds. They stand on the prediction side; there is nothing to hold them against."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

from genlevel_evaluator import formats
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, InputKind, decode_json, json_type

LONGEST_NAME = 200
MOST_OPTIONS = 100
MOST_JUDGEMENTS = 100_000
"""Judgements of one item."""
FEW_RATERS = 5
"""With fewer, intervals are too narrow: of 300 simulated studies 95 % ones held the truth in 79 % with two, 87 % with three, 93 % with five."""
PREDICTORS = ("dnsmos", "utmos", "nisqa", "mosnet", "squim", "visqol", "predicted")
"""Words in the name of a rater that is a program and no person."""


class Rating(NamedTuple):
    """One rating; ``system`` is empty where it was not named."""

    rater: str
    system: str
    score: float


class Vote(NamedTuple):
    """One vote; ``choice`` is None for a tie."""

    rater: str
    options: tuple[str, ...]
    choice: str | None


def decode_ratings(content: Content, attributes: Mapping[str, Any]) -> tuple[Rating, ...]:
    """Ratings of one item, sorted, so that the order they came in changes nothing."""
    ratings: dict[tuple[str, str], Rating] = {}
    for place, entry in enumerate(_entries(content, attributes, "rating", '[{"rater": "r1", "score": 4}]')):
        _known(entry, {"rater", "score", "system"}, place)
        rater = _rater(entry, place)
        system = "" if entry.get("system") is None else _name(entry["system"], "system", f"/{place}/system")
        if (rater, system) in ratings:
            of = f" of system {system!r}" if system else ""
            raise SampleError(
                "DUPLICATE_RATING", f"rater {rater!r} rated this item{of} twice", remedy="keep one rating a rater", pointer=f"/{place}"
            )
        ratings[rater, system] = Rating(rater, system, _score(entry.get("score"), rater, f"/{place}/score"))
    return tuple(sorted(ratings.values()))


def decode_votes(content: Content, attributes: Mapping[str, Any]) -> tuple[Vote, ...]:
    """Votes on one item, sorted."""
    votes: dict[tuple[str, tuple[str, ...]], Vote] = {}
    for place, entry in enumerate(_entries(content, attributes, "vote", '[{"rater": "r1", "choice": "a", "options": ["a", "b"]}]')):
        _known(entry, {"rater", "choice", "options"}, place)
        rater = _rater(entry, place)
        options = _options(entry.get("options"), rater, f"/{place}/options")
        # The same pair shown the other way round is another question.
        if (rater, options) in votes:
            raise SampleError(
                "DUPLICATE_VOTE", f"rater {rater!r} voted twice between {_list(options)}", remedy="keep one of the votes", pointer=f"/{place}"
            )
        votes[rater, options] = Vote(rater, options, _choice(entry, rater, options, place))
    return tuple(votes[key] for key in sorted(votes))


def _entries(content: Content, attributes: Mapping[str, Any], what: str, form: str) -> list[Mapping[str, Any]]:
    given = content.json if content.text is None and content.media is None else None
    if content.media is not None:
        given = decode_json(content, attributes)
    if not isinstance(given, list):
        got = "a text" if content.text is not None else json_type(given)
        raise SampleError("WRONG_TYPE", f"expected a list of {what}s by people, got {got}", remedy=f"give {form}")
    if not given:
        raise SampleError("NO_JUDGEMENTS", f"the list of {what}s is empty", remedy="leave the prediction out where nobody judged the item")
    if len(given) > MOST_JUDGEMENTS:
        raise SampleError("TOO_MANY_JUDGEMENTS", f"{len(given)} {what}s of one item", remedy=f"give at most {MOST_JUDGEMENTS}")
    for place, entry in enumerate(given):
        if not isinstance(entry, Mapping):
            raise SampleError("WRONG_TYPE", f"{what} {place} is {json_type(entry)}", remedy=f"give {form}", pointer=f"/{place}")
    return given


def _known(entry: Mapping[str, Any], names: set[str], place: int) -> None:
    others = sorted(set(map(str, entry)) - names)
    if others:
        known = ", ".join(sorted(names))
        raise SampleError("UNKNOWN_KEY", f"key {others[0][:LONGEST_NAME]!r} is unknown", remedy=f"use {known}", pointer=f"/{place}")


def _rater(entry: Mapping[str, Any], place: int) -> str:
    given = entry.get("rater")
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    rater = _name(given, "rater", f"/{place}/rater")
    if any(word in rater.casefold() for word in PREDICTORS):
        raise SampleError(
            "PREDICTED_RATING", f"rater {rater!r} is a program", remedy="give what people said; predicted opinion is another measure",
            pointer=f"/{place}/rater",
        )  # fmt: skip
    return rater


def name_of(text: str) -> str:
    """A name without outer blanks, its accents composed: one person typed on two machines is one rater."""
    return unicodedata.normalize("NFC", text).strip()


def _name(given: Any, what: str, pointer: str) -> str:
    if not isinstance(given, str):
        raise SampleError("WRONG_TYPE", f"the {what} is {json_type(given)}", remedy="give a name", pointer=pointer)
    name = name_of(given)
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        message = f"the name of the {what} has {len(name)} characters" + ("" if name.isprintable() else ", some of which cannot be printed")
        raise SampleError("BAD_NAME", message, remedy=f"give 1 to {LONGEST_NAME} characters of text", pointer=pointer)
    return name


def _score(given: Any, rater: str, pointer: str) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise SampleError("WRONG_TYPE", f"the rating of rater {rater!r} is {json_type(given)}", remedy="give a number from 1 to 5", pointer=pointer)
    if isinstance(given, float) and not math.isfinite(given):
        raise SampleError("NOT_FINITE", f"the rating of rater {rater!r} is not finite", remedy="leave the rating out", pointer=pointer)
    if not 1 <= given <= 5:
        remedy = "give ratings on the scale from 1 to 5"
        if given < 0:
            remedy += "; ratings of a difference (CMOS) are another measure"
        elif given > 5:
            remedy += "; those on another scale, such as 0 to 100, are not rescaled"
        shown = f"{given:g}" if abs(given) < 1e15 else "of many digits"
        raise SampleError("RATING_OUT_OF_RANGE", f"rating {shown} of rater {rater!r} is outside 1 to 5", remedy=remedy, pointer=pointer)
    if 2 * given != int(2 * given):
        raise SampleError(
            "NOT_A_STEP", f"rating {given:g} of rater {rater!r} is neither a whole nor a half step",
            remedy="give each rater's own rating; means and predicted opinion are no ratings", pointer=pointer,
        )  # fmt: skip
    return float(given)


def _options(given: Any, rater: str, pointer: str) -> tuple[str, ...]:
    if not isinstance(given, list):
        raise SampleError("WRONG_TYPE", f"the options of rater {rater!r} are {json_type(given)}", remedy="give a list of systems", pointer=pointer)
    if not 2 <= len(given) <= MOST_OPTIONS:
        raise SampleError(
            "BAD_OPTIONS", f"rater {rater!r} had {len(given)} options", remedy=f"give 2 to {MOST_OPTIONS} systems", pointer=pointer
        )
    options = tuple(_name(item, "system", f"{pointer}/{index}") for index, item in enumerate(given))
    if len(set(options)) != len(options):
        raise SampleError("BAD_OPTIONS", f"the options of rater {rater!r} name a system twice", remedy="name each once", pointer=pointer)
    return options


def _choice(entry: Mapping[str, Any], rater: str, options: tuple[str, ...], place: int) -> str | None:
    pointer = f"/{place}/choice"
    if "choice" not in entry:
        raise SampleError("NO_CHOICE", f"the vote of rater {rater!r} has no choice", remedy="give a system, or null for a tie", pointer=f"/{place}")
    if entry["choice"] is None:
        return None
    choice = _name(entry["choice"], "chosen system", pointer)
    if choice not in options:
        raise unknown(choice, rater, options, pointer)
    return choice


def unknown(system: str, rater: str, known: tuple[str, ...], pointer: str = "") -> SampleError:
    """A vote names a system that is not among those it may name."""
    message = f"the vote of rater {rater!r} names {system!r}, which is none of {_list(known)}"
    return SampleError("UNKNOWN_SYSTEM", message, remedy="correct the name", side="prediction", pointer=pointer)


def rater_warnings(raters: float) -> list[str]:
    """What to say of the number of raters.

    >>> rater_warnings(1), rater_warnings(4), rater_warnings(5)
    (['single_rater'], ['few_raters'], [])
    """
    return ["single_rater"] if raters < 2 else ["few_raters"] if raters < FEW_RATERS else []


def _list(names: tuple[str, ...]) -> str:
    shown = ", ".join(map(repr, names[:5]))
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")


RATINGS = InputKind("ratings", strings_are_paths=False, decode=decode_ratings, schema=formats.schema("ratings"))
VOTES = InputKind("votes", strings_are_paths=False, decode=decode_votes, schema=formats.schema("votes"))
