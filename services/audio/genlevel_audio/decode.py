"""Input kinds of the audio evaluator (docs/formats.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlevel_audio import audio
from genlevel_audio.audio import Audio
from genlevel_audio.descriptions import decode_description
from genlevel_audio.music.forms import decode_orchestration, decode_piece
from genlevel_audio.transcripts import Transcript, decode_spoken, decode_transcript
from genlevel_evaluator import formats
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, InputKind, json_type


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
    if content.text is None and not isinstance(content.json, Mapping):
        given = json_type(content.json)
        raise SampleError("WRONG_TYPE", f"expected a recording, or its transcript, got {given}", remedy='give the path of a recording, or {"text": string}')
    return decode_transcript(content, attributes)


_MEDIA = {"type": ["string", "object"]}

KINDS = {
    "audio": InputKind("audio", strings_are_paths=True, decode=decode_audio, schema=_MEDIA),
    "audio_alone": InputKind("audio_alone", strings_are_paths=True, decode=decode_audio, schema=_MEDIA),
    "audio_text": InputKind(
        "audio_text", strings_are_paths=True, reference_strings_are_paths=False, decode=decode_audio, decode_reference=decode_description,
        schema=formats.schema("audio_text"),
    ),
    "speech": InputKind(
        "speech", strings_are_paths=True, reference_strings_are_paths=False, decode=decode_speech, decode_reference=decode_spoken,
        schema=formats.schema("speech"),
    ),
    "midi": InputKind("midi", strings_are_paths=True, decode=decode_piece, schema=formats.schema("midi")),
    "orchestration": InputKind("orchestration", strings_are_paths=True, decode=decode_orchestration, schema=formats.schema("orchestration")),
}
