"""CIDEr of speech against pycocoevalcap on the same words."""

from __future__ import annotations

import numpy as np
import pytest
from pycocoevalcap.cider.cider import Cider

from genlevel_audio.app import EVALUATOR
from genlevel_audio.text.normalisers import tokens
from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

WORDS = ["A", "dog", "runs", "on", "the", "Beach,", "two", "people", "talk", "Mr.", "Smith's", "house", "isn't", "colour"]


def scored(samples: list[tuple[str | None, list[str]]], **parameters: object) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(EVALUATOR, "cider", {"source": "transcript", **parameters})
    given = [
        RawSample(
            str(place), None if said is None else Content(json={"text": said}), tuple(Content(text=text) for text in texts),
            Presence.PREDICTION_MISSING if said is None else Presence.BOTH,
        )
        for place, (said, texts) in enumerate(samples)
    ]  # fmt: skip
    rows, issues = scorer.observe(given)
    return scorer.finalize(rows), issues


def _corpus(count: int) -> list[tuple[str | None, list[str]]]:
    source = np.random.default_rng(6)

    def text() -> str:
        return " ".join(source.choice(WORDS, size=int(source.integers(3, 9))))

    found: list[tuple[str | None, list[str]]] = []
    for place in range(count):
        references = [text() for _ in range(1 + place % 3)]
        found.append((references[0] if place % 4 == 0 else text(), references))
    return found


def test_values_are_pycocoevalcaps() -> None:
    samples = _corpus(20)
    words = [([" ".join(tokens(str(said), "english"))], [" ".join(tokens(text, "english")) for text in texts]) for said, texts in samples]
    expected, _ = Cider().compute_score({i: texts for i, (_, texts) in enumerate(words)}, {i: said for i, (said, _) in enumerate(words)})
    found, issues = scored(samples)
    assert not issues
    assert found.value == pytest.approx(100.0 * expected, rel=1e-9)
    plain, _ = scored(samples, variant="plain")
    assert plain.value == pytest.approx(found.companions["cider_plain"])
    assert plain.companions["cider_d"] == pytest.approx(found.value)
    assert found.interval is not None
    assert found.interval.low < (found.value or 0.0) < found.interval.high


def test_what_is_not_said_scores_nothing_and_still_weighs() -> None:
    samples: list[tuple[str | None, list[str]]] = [("two dogs run", ["two dogs run"]), (None, ["a cat sleeps"]), ("", ["birds sing now"])]
    found, _ = scored(samples)
    assert found.value == pytest.approx(scored([samples[0], ("x", ["a cat sleeps"]), ("y", ["birds sing now"])])[0].value)
    assert (found.expected, found.present) == (3, 2)


def test_spelling_is_the_normalisers() -> None:
    texts: list[tuple[str | None, list[str]]] = [("It costs $20 today.", ["it costs twenty dollars today"]), ("Zwei Hunde.", ["zwei Katzen"])]
    assert scored(texts)[0].companions["length_ratio"] == 1.0
    assert (scored(texts)[0].value or 0.0) >= 500.0


def test_one_sample_alone_is_small() -> None:
    found, _ = scored([("a dog runs fast", ["a dog runs fast"])])
    assert (found.value, found.warnings) == (0.0, ("small_sample",))


def test_a_transcript_is_needed() -> None:
    scorer = Scorer.of(EVALUATOR, "cider", {"source": "transcript"})
    sound = Content(json={"audio": media.from_bytes(b"RIFF", "a.wav")})
    _, issues = scorer.observe([RawSample("1", Content(json={"text": "a"}), (sound,))])
    assert [issue.severity for issue in issues] == ["reference"]
