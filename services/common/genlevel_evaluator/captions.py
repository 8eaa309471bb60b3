"""Texts that networks look at."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, decode_text


@dataclass(frozen=True)
class Caption:
    """A text that is held against a picture, a clip or a rendering."""

    text: str

    @property
    def sha256(self) -> str:
        """Digest of the text, under which its features are remembered; never that of a file with the same bytes.

        >>> Caption("a dog").sha256 == hashlib.sha256(b"a dog").hexdigest()
        False
        """
        return hashlib.sha256(b"caption\0" + self.text.encode("utf-8", "surrogatepass")).hexdigest()


def decode_caption(content: Content, attributes: Mapping[str, Any]) -> Caption:
    """A caption from text.

    Raises:
        SampleError: EMPTY_TEXT, or what `decode_text` says.
    """
    text = decode_text(content, attributes)
    if not text.strip():
        raise SampleError("EMPTY_TEXT", "the caption is empty", remedy="give a text, or leave the sample out")
    return Caption(text)
