"""What a motion shows, in words: HumanML3D's captions with their tokens."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import json_type

NAMES = ("caption", "text", "prompt", "captions", "texts")
"""Attributes that say what a motion shows; the first that is there counts."""
MOST = 64
"""Captions of one motion."""
Token = tuple[str, str]
"""A word and its part of speech."""
_TOKEN = re.compile(r"([^/\s]+)/([^/\s]+)")
_FORM = "give HumanML3D's line: caption#word/TAG word/TAG"


@dataclass(frozen=True)
class MotionTexts:
    """The captions of one motion, each as its tokens."""

    captions: tuple[tuple[Token, ...], ...]

    @property
    def sha256(self) -> str:
        """Digest of the tokens, under which their features are remembered; never that of a file."""
        return hashlib.sha256(b"motion texts\0" + json.dumps(self.captions).encode()).hexdigest()


def told(attributes: Mapping[str, Any]) -> Any:
    """What the attributes say of a motion, as it stands there; None where they say nothing."""
    return next((attributes[name] for name in NAMES if attributes.get(name) is not None), None)


def read_texts(attributes: Mapping[str, Any]) -> tuple[MotionTexts | None, list[SampleError]]:
    """The captions that have tokens, and what is wrong with the others.

    >>> read_texts({"caption": "a person walks#a/DET person/NOUN walk/VERB#0.0#0.0"})[0].captions
    ((('a', 'DET'), ('person', 'NOUN'), ('walk', 'VERB')),)
    """
    given = told(attributes)
    lines = given.splitlines() if isinstance(given, str) else [] if given is None else given
    if not isinstance(lines, list | tuple):
        return None, [SampleError("WRONG_TYPE", f"captions are text or a list of texts, got {json_type(given)}", remedy=_FORM)]
    if len(lines) > MOST:
        return None, [SampleError("TOO_MANY_CAPTIONS", f"the motion has {len(lines)} captions, at most {MOST} are read", remedy="give the captions of one motion")]
    found: list[tuple[Token, ...]] = []
    wrong: list[SampleError] = []
    for place, line in enumerate(lines):
        try:
            found.append(_tokens(line, place + 1))
        except SampleError as error:
            wrong.append(error)
    return MotionTexts(tuple(found)) if found else None, wrong


def _tokens(line: Any, number: int) -> tuple[Token, ...]:
    if not isinstance(line, str):
        raise SampleError("WRONG_TYPE", f"caption {number} is no text but {json_type(line)}", remedy=_FORM)
    _, *fields = line.split("#")
    if not fields or not fields[0].strip():
        raise SampleError("NO_TOKENS", f"caption {number} has no tokens with parts of speech, without which the evaluator cannot read it", remedy=_FORM)
    if len(fields) not in (1, 3):
        raise SampleError("BAD_CAPTION", f"caption {number} has {len(fields) + 1} parts between #, not 2 or 4", remedy=_FORM)
    if any(_seconds(field, number) for field in fields[1:]):
        raise SampleError("CAPTION_OF_PART", f"caption {number} tells of a part of the motion", remedy="cut the motion there and give it as a sample of its own, with times 0.0")
    tokens = [(word, _TOKEN.fullmatch(word)) for word in fields[0].split()]
    if bad := [word for word, match in tokens if match is None]:
        raise SampleError("BAD_TOKEN", f"caption {number} has the token {bad[0][:40]!r}, which is not word/TAG", remedy=_FORM)
    return tuple((match[1], match[2]) for _, match in tokens if match)


def _seconds(field: str, number: int) -> float:
    """A time; HumanML3D's nan is zero."""
    try:
        seconds = float(field)
    except ValueError:
        raise SampleError("BAD_CAPTION", f"caption {number} has the time {field[:40]!r}, which is no number", remedy=_FORM) from None
    return 0.0 if math.isnan(seconds) else seconds
