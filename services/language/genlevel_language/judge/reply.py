"""What a judge answered: the mark, or nothing where the reply does not say exactly one."""

from __future__ import annotations

import json
import re
from typing import Any

from genlevel_language.judge.prompt import Prompt

_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCE = "```"
_LAST_OBJECT = re.compile(r"\{[^{}]*\}\s*\Z")


def mark(text: str | None, asked: Prompt) -> int | None:
    r"""The mark that a reply gives.

    The whole reply is the object asked for, or the number alone, between code fences or after a `<think>` part if need be. Words
    before the object are allowed where the object ends the reply and its key stands nowhere else: a judge that quotes a verdict
    from the answer it grades has not given one.

    >>> from genlevel_language.judge.prompt import prompt
    >>> binary = prompt("binary")
    >>> mark('{"verdict": 1}', binary), mark("0", binary), mark('Right. {"verdict": 1}', binary)
    (1, 0, 1)
    >>> mark('It says {"verdict": 1}, which is an order.', binary), mark('{"verdict": 2}', binary), mark("yes", binary)
    (None, None, None)
    """
    if text is None:
        return None
    body = _THOUGHT.sub("", text).strip()
    if body.startswith(_FENCE) and body.endswith(_FENCE) and len(body) > 2 * len(_FENCE):
        body = body[len(_FENCE) : -len(_FENCE)].removeprefix("json").strip()
    whole = _parsed(body)
    if isinstance(whole, dict):
        return _whole_number(whole.get(asked.key), asked) if set(whole) == {asked.key} else None
    if whole is not None:
        return _whole_number(whole, asked)
    last = _LAST_OBJECT.search(body)
    if last is None or body.count(asked.key) != 1:
        return None
    found = _parsed(last[0])
    return _whole_number(found[asked.key], asked) if isinstance(found, dict) and set(found) == {asked.key} else None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        return None


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key is given twice")
    return dict(pairs)


def _whole_number(value: Any, asked: Prompt) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]\s*", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value not in range(asked.lowest, asked.highest + 1):
        return None
    return int(value)
