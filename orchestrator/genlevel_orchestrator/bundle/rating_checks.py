"""What an evaluator refuses of a judgement, said before anything runs. The evaluator has the last word; a test holds the two together."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from genlevel_orchestrator.bundle.rating_rows import Sheet
from genlevel_orchestrator.bundle.violations import Fault

LONGEST_NAME = 200
MOST_OPTIONS = 100
PREDICTORS = ("dnsmos", "utmos", "nisqa", "mosnet", "squim", "visqol", "predicted")


def problem(entry: Any, sheet: Sheet) -> Fault | None:
    """What is wrong with a judgement by itself."""
    if not isinstance(entry, Mapping):
        return Fault("WRONG_FORM", f"the {sheet.noun} is not an object", f"write an object with {', '.join(sheet.columns)}")
    others = sorted(set(entry) - {*sheet.columns, *sheet.optional})
    if others:
        return Fault("UNKNOWN_KEY", f"key {others[0]!r} is unknown", f"use {', '.join((*sheet.columns, *sheet.optional))}")
    rater = entry.get("rater")
    fault = _rater(str(rater) if isinstance(rater, int) and not isinstance(rater, bool) else rater)
    if fault is not None:
        return fault
    return _rating(entry) if "score" in sheet.columns else _vote(entry)


def name_of(text: str) -> str:
    """A name as the evaluator compares it."""
    return unicodedata.normalize("NFC", text).strip()


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(name_of(value)) <= LONGEST_NAME and name_of(value).isprintable()


def _rater(rater: Any) -> Fault | None:
    if not _is_name(rater):
        return Fault("NO_RATER", "there is no name of a rater", f"say who it was, in 1 to {LONGEST_NAME} characters")
    if any(word in rater.casefold() for word in PREDICTORS):
        return Fault("PREDICTED_RATING", f"rater {rater!r} is a program", "give what people said; predicted opinion is another measure")
    return None


def _rating(entry: Mapping[str, Any]) -> Fault | None:
    score, system = entry.get("score"), entry.get("system")
    if system is not None and not _is_name(system):
        return Fault("BAD_NAME", "the system that was rated has no name", f"give 1 to {LONGEST_NAME} characters, or leave it out")
    if isinstance(score, bool) or not isinstance(score, int | float):
        return Fault("BAD_RATING", f"the rating is {json.dumps(score)[:50]}, not a number", "write a number from 1 to 5, or remove the row")
    if not 1 <= score <= 5:
        shown = f"{score:g}" if abs(score) < 1e15 else "of many digits"
        return Fault("RATING_OUT_OF_RANGE", f"rating {shown} is outside 1 to 5", "give ratings from 1 to 5; other scales are not rescaled")
    if 2 * score != int(2 * score):
        return Fault("NOT_A_STEP", f"rating {score:g} is neither a whole nor a half step", "give each rater's own rating; means are no ratings")
    return None


def _vote(entry: Mapping[str, Any]) -> Fault | None:
    options = entry.get("options")
    if not isinstance(options, list) or not 2 <= len(options) <= MOST_OPTIONS or not all(map(_is_name, options)):
        return Fault("BAD_OPTIONS", "the vote does not say between which systems", f"write 2 to {MOST_OPTIONS} systems, in CSV as a|b")
    names = [name_of(name) for name in options]
    if len(set(names)) != len(names):
        return Fault("BAD_OPTIONS", "the vote offers a system twice", "name each once")
    if "choice" not in entry:
        return Fault("NO_CHOICE", "the vote has no choice", "write the name of a system, or nothing (null) for a tie")
    choice = entry["choice"]
    if choice is not None and (not isinstance(choice, str) or name_of(choice) not in names):
        shown = json.dumps(choice, ensure_ascii=False)[:LONGEST_NAME]
        return Fault("UNKNOWN_SYSTEM", f"the vote is for {shown}, which is none of {', '.join(names[:5])}", "correct the name")
    return None
