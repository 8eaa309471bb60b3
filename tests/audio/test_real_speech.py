"""Real speech: what the recogniser makes of it, how predicted opinions rank it, and whose voice it is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import jiwer
import numpy as np
import pytest
from audio_speech import encode, spoken_file
from real_speech import prompts

from genlevel_audio.app import EVALUATOR
from genlevel_audio.audio import decode
from genlevel_audio.text.normalisers import tokens
from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.kinds import Content

pytestmark = pytest.mark.weights
RANKED = 3


def recording(data: bytes) -> Content:
    return Content(media=media.from_bytes(data, "a.wav"))


def studio() -> list[bytes]:
    return [path.read_bytes() for path, _ in prompts()]


@cache
def twins() -> list[bytes]:
    """The same words, spoken by eSpeak NG."""
    return [spoken_file(text) for _, text in prompts()[:RANKED]]


def scored(metric: str, samples: list[RawSample], **parameters: Any) -> Value:
    scorer = Scorer.of(EVALUATOR, metric, parameters)
    rows, issues = scorer.observe(samples)
    assert not issues
    return scorer.finalize(rows)


def test_words_of_real_speech_are_recognised_and_counted_as_jiwer_counts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    recogniser = EVALUATOR.extractor("whisper_tiny_en")
    extract, heard = recogniser.extract, []

    def listening(values: Sequence[Any]) -> list[Any]:
        found = extract(values)
        heard.extend(map(str, found))
        return list(found)

    monkeypatch.setattr(recogniser, "extract", listening)
    samples = [RawSample(str(i), recording(data), (Content(text=text),)) for i, (data, (_, text)) in enumerate(zip(studio(), prompts(), strict=True))]
    value = scored("wer", samples)
    assert len(heard) == 25
    said, true = ([" ".join(tokens(text, "english")) for text in side] for side in (heard, [text for _, text in prompts()]))
    theirs = jiwer.process_words(true, said)
    assert value.value == pytest.approx(100.0 * theirs.wer, abs=1e-9)
    assert (value.companions["substitutions"], value.companions["deletions"], value.companions["insertions"]) == (
        theirs.substitutions, theirs.deletions, theirs.insertions,
    )
    assert value.companions["cer"] == pytest.approx(100.0 * jiwer.cer(true, said), abs=1e-9)
    assert 0.0 < theirs.wer < 0.05  # a small recogniser on clear speech
    assert value.present == 25


def test_opinions_rank_the_studio_above_a_synthesiser_above_noise() -> None:
    source = np.random.default_rng(1)
    noisy = []
    for data in studio()[:RANKED]:
        audio = decode(media.from_bytes(data, "a.wav"))
        level = float(np.sqrt(np.mean(audio.samples**2)))
        noisy.append(encode(level * source.normal(size=len(audio.samples)).clip(-4, 4), audio.rate, subtype="FLOAT"))
    found = [scored("mos", [RawSample(str(i), recording(data)) for i, data in enumerate(side)]).value for side in (studio()[:RANKED], twins(), noisy)]
    assert all(value is not None for value in found)
    assert found == sorted(found, key=lambda value: -(value or 0.0)), found


def test_a_voice_is_more_like_itself_than_like_another(arctic: bytes) -> None:
    own, synthetic, other = (
        np.stack(EVALUATOR.extractor("resemblyzer").extract([decode(media.from_bytes(data, "a.wav")) for data in side]))
        for side in (studio()[: 2 * RANKED], twins(), [arctic])
    )
    same = 100.0 * (own[:RANKED] @ own[RANKED:].T)
    assert same.mean() > 100.0 * (synthetic @ own.T).mean() + 10.0
    assert same.min() > 100.0 * (other @ own.T).max()
