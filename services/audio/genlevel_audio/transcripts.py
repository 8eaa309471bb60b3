"""Transcripts: supplied ones, those that a recogniser makes, and their words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from genlevel_audio.audio import Audio, decode
from genlevel_audio.descriptions import Truth
from genlevel_audio.text.normalisers import Normaliser, normaliser_of, tokens
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content, decode_text
from genlevel_evaluator.media import Blob
from genlevel_evaluator.metric import Sample

RECOGNISER = "whisper_tiny_en"
MAX_WORDS = 20_000
"""Most words of one transcript; the table of edits grows with the product of both sides."""

SourceName = Literal["auto", "audio", "transcript"]
NormaliserName = Literal["auto", "english", "basic", "character"]


@dataclass(frozen=True)
class Transcript:
    """Words that are already text."""

    text: str


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


def decode_spoken(content: Content, attributes: Mapping[str, Any]) -> Transcript | Truth:
    """A reference: a transcript, or the true recording of it as `{"audio": file}`."""
    file = content.json.get("audio") if isinstance(content.json, Mapping) else None
    return Truth(decode(file)) if isinstance(file, Blob) else decode_transcript(content, attributes)


def sides(sample: Sample) -> Mapping[str, Any]:
    """What a recogniser hears: the prediction, where it is no text already, and the true recording, where there is one."""
    true = next((reference.audio for reference in sample.references if isinstance(reference, Truth)), None)
    return {"prediction": sample.prediction if isinstance(sample.prediction, Audio) else None, "true recording": true}


def texts(sample: Sample) -> list[str]:
    """The transcripts among the references."""
    found = [reference.text for reference in sample.references if isinstance(reference, Transcript)]
    if not found:
        raise SampleError("NO_TRANSCRIPT", "the sample has no transcript", remedy="give what is to be said in words as a reference", side="reference")
    return found


def said(sample: Sample, source: SourceName) -> str:
    """The transcript of the prediction."""
    given = sample.prediction
    if isinstance(given, Transcript):
        if source == "audio":
            raise SampleError(
                "TRANSCRIPT_GIVEN", "a transcript was given where speech is to be recognised",
                remedy="set the parameter source=transcript, or give a recording",
            )
        return given.text
    if source == "transcript":
        raise SampleError(
            "RECORDING_GIVEN", "a recording was given where transcripts are expected",
            remedy='set the parameter source=audio, or give {"text": ...}',
        )
    return str(sample.features[RECOGNISER, "prediction"])


def normaliser(sample: Sample, name: NormaliserName) -> Normaliser:
    """The normaliser of a sample: the one named, or that of its language."""
    if name != "auto":
        return name
    language = sample.attributes.get("language", "en")
    if not isinstance(language, str) or not language.strip():
        raise SampleError(
            "BAD_ATTRIBUTE", "language is not the name of a language", remedy="give a BCP 47 name such as en or zh-Hant", side="reference", pointer="/language"
        )
    return normaliser_of(language)


def words(text: str, normaliser: Normaliser, side: str) -> list[str]:
    """Words, or characters, of a transcript of that side."""
    items = tokens(text, normaliser)
    if len(items) > MAX_WORDS:
        raise SampleError(
            "TOO_LONG", f"the transcript has {len(items)} words, at most {MAX_WORDS} are compared", remedy="cut the recording", side=side
        )
    return items
