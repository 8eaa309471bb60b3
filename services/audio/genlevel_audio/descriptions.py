"""References of the CLAP scores: texts, and recordings that stand beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genlevel_audio.audio import Audio, decode
from genlevel_evaluator.captions import Caption, decode_caption
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.media import Blob


@dataclass(frozen=True)
class Truth:
    """A true recording of what the text says: of it the ceiling is made."""

    audio: Audio


@dataclass(frozen=True)
class Source:
    """The recording that was edited, or whose style was changed: its content is to stay."""

    audio: Audio


def decode_description(content: Content, attributes: Mapping[str, Any]) -> Caption | Truth | Source:
    """A text, `{"audio": file}` or `{"source": file}`."""
    given = content.json if isinstance(content.json, Mapping) else {}
    if isinstance(file := given.get("audio"), Blob):
        return Truth(decode(file))
    if isinstance(file := given.get("source"), Blob):
        return Source(decode(file))
    return decode_caption(content, attributes)
