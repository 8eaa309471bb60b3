"""What stands on the prediction side of gpt_score: an answer that is to be judged, or the verdict of someone who judged it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genlevel_evaluator import formats
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, InputKind, json_type
from genlevel_language.texts import decode_text

MOST_OTHERS = 64
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEYS = {"verdict", "rubric", "judge", "prompt_sha256"}


@dataclass(frozen=True)
class Verdict:
    """A verdict made elsewhere.

    Attributes:
        mark: 0 or 1, or 1 to 5 where `rubric` is set.
        prompt_sha256: of the prompt it was made with; empty when that is not known.
        others: verdicts of other judges, or of the same again; they show agreement and do not count.
    """

    mark: float
    rubric: bool
    judge: str
    prompt_sha256: str = ""
    others: tuple[Verdict, ...] = ()


def decode_judged(content: Content, attributes: Mapping[str, Any]) -> str | Verdict | SampleError:
    """An answer or a verdict. A verdict that cannot be read comes back as its error: no model is to pay for it."""
    if not isinstance(content.json, dict):
        return decode_text(content, attributes)
    try:
        return _verdict(content.json, "", True)
    except SampleError as error:
        return error


def _verdict(given: Mapping[str, Any], pointer: str, outer: bool) -> Verdict:
    if unknown := given.keys() - _KEYS - ({"others"} if outer else set()):
        raise _bad(f"a verdict has no entry {min(unknown)!r}", "write verdict or rubric, judge and prompt_sha256", pointer)
    if ("verdict" in given) == ("rubric" in given):
        raise _bad("a verdict holds one of verdict and rubric", "give one of them", pointer)
    judge, digest = given.get("judge"), given.get("prompt_sha256", "")
    if not isinstance(judge, str) or not judge.strip():
        raise _bad("a verdict does not name its judge", "give judge as text", f"{pointer}/judge")
    if "prompt_sha256" in given and not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        raise _bad("prompt_sha256 is not a SHA-256", "give 64 lower-case hexadecimal digits, or leave it out", f"{pointer}/prompt_sha256")
    others = given.get("others", [])
    if not isinstance(others, list) or len(others) > MOST_OTHERS or not all(isinstance(item, dict) for item in others):
        raise _bad(f"others is not a list of at most {MOST_OTHERS} verdicts", "give a list of verdicts", "/others")
    rubric = "rubric" in given
    return Verdict(
        _mark(given["rubric" if rubric else "verdict"], rubric, pointer), rubric, judge, digest,
        tuple(_verdict(item, f"/others/{place}", False) for place, item in enumerate(others)),
    )


def _mark(value: Any, rubric: bool, pointer: str) -> float:
    name, allowed = ("rubric", "a number from 1 to 5") if rubric else ("verdict", "0 or 1")
    number = math.nan if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
    if not (1.0 <= number <= 5.0 if rubric else number in (0.0, 1.0)):
        shown = value if number == number else json_type(value)
        raise _bad(f"{name} is {shown}, not {allowed}", f"give {allowed}", f"{pointer}/{name}")
    return number


def _bad(message: str, remedy: str, pointer: str) -> SampleError:
    return SampleError("BAD_VERDICT", message, remedy=remedy, side="infrastructure", pointer=pointer)


VERDICT = InputKind(
    "verdict", strings_are_paths=False, decode=decode_judged, decode_reference=decode_text, schema=formats.schema("verdict")
)
