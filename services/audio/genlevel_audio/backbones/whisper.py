"""Whisper tiny.en as speech recogniser: deterministic, offline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from genlevel_audio.audio import Audio
from genlevel_evaluator import weights

RATE = 16_000
THREADS = 2


class Whisper:
    """A recogniser, loaded with the first recording. Transcripts pass through, so that a list may hold both."""

    def __init__(self, find: Callable[[], Path]) -> None:
        self._find = find

    @cached_property
    def _model(self) -> Any:
        from faster_whisper import WhisperModel

        # One precision everywhere, so that a GPU machine and a laptop hear the same words.
        return WhisperModel(
            str(self._find()), device="cpu", compute_type="int8", cpu_threads=THREADS, num_workers=1, local_files_only=True
        )

    def extract(self, values: Sequence[Any]) -> list[Any]:
        """What is said in each recording."""
        return [self.transcribe(value) if isinstance(value, Audio) else value for value in values]

    def transcribe(self, audio: Audio) -> str:
        """The words of one recording; none when nothing is heard."""
        if audio.silent:
            return ""
        segments, _ = self._model.transcribe(
            audio.at(RATE), language="en", task="transcribe", beam_size=1, best_of=1, temperature=0.0,
            condition_on_previous_text=False, without_timestamps=False, vad_filter=False, word_timestamps=False,
        )
        return " ".join(segment.text.strip() for segment in segments).strip()


def build() -> Whisper:
    """The recogniser; transcripts alone need no weights."""
    return Whisper(lambda: weights.path("whisper-tiny-en"))
