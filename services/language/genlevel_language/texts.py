"""Text as it is read from a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.kinds import decode_text as decode_any_text

MAX_CHARACTERS = 1 << 20
"""Longest text that is scored."""


def decode_text(content: Content, attributes: Mapping[str, Any]) -> str:
    """Text of bounded length: some metrics need the product of two lengths."""
    path = content.media.path if content.media is not None else None
    # Four bytes are the most a character takes, so a larger file is refused before it is read.
    if path is not None and path.stat().st_size > 4 * MAX_CHARACTERS:
        raise too_long(f"a file of {path.stat().st_size} bytes")
    text = decode_any_text(content, attributes)
    if len(text) > MAX_CHARACTERS:
        raise too_long(f"{len(text)} characters")
    return text


def too_long(size: str) -> SampleError:
    """The refusal of a text, or texts, of that size."""
    return SampleError("TEXT_TOO_LONG", f"{size}, more than {MAX_CHARACTERS} characters", remedy="shorten the text")
