"""Input kinds of the audio evaluator (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genlevel_audio import audio
from genlevel_audio.audio import Audio
from genlevel_audio.descriptions import decode_description
from genlevel_evaluator import formats
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, InputKind, decode_text, json_type


@dataclass(frozen=True)
class Transcript:
    """Words that are already text."""

    text: str


def decode_audio(content: Content, attributes: Mapping[str, Any]) -> Audio:
    """A recording, from a WAV, FLAC, OGG or MP3 file."""
    del attributes
    if content.media is None:
        given = "text" if content.text is not None else json_type(content.json)
        raise SampleError("WRONG_TYPE", f"expected an audio file, got {given}", remedy="give the path of a WAV, FLAC, OGG or MP3 file")
    return audio.decode(content.media)


def decode_speech(content: Content, attributes: Mapping[str, Any]) -> Audio | Transcript:
    """A recording, or the transcript of one: `{"text": "..."}`."""
    if content.media is not None:
        return decode_audio(content, attributes)
    return decode_transcript(content, attributes)


def decode_transcript(content: Content, attributes: Mapping[str, Any]) -> Transcript:
    """A transcript: a string or `{"text": "..."}`; the key may also be `transcript`."""
    if content.media is None and isinstance(content.json, dict):
        keys = set(content.json)
        if keys not in ({"text"}, {"transcript"}) or not isinstance(next(iter(content.json.values())), str):
            raise SampleError(
                "WRONG_TYPE", 'expected a transcript as {"text": string}', remedy="see docs/formats.md, kind speech"
            )
        return Transcript(next(iter(content.json.values())))
    return Transcript(decode_text(content, attributes))


_MEDIA = {"type": ["string", "object"]}
_TRANSCRIPT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"], "additionalProperties": False}

KINDS = {
    "audio": InputKind("audio", strings_are_paths=True, decode=decode_audio, schema=_MEDIA),
    "audio_text": InputKind(
        "audio_text", strings_are_paths=True, reference_strings_are_paths=False, decode=decode_audio, decode_reference=decode_description,
        schema=formats.schema("audio_text"),
    ),
    "speech": InputKind(
        "speech", strings_are_paths=True, reference_strings_are_paths=False, decode=decode_speech, decode_reference=decode_transcript,
        schema={"anyOf": [_MEDIA, _TRANSCRIPT]},
    ),
}
