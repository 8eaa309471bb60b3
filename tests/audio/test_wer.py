"""Word error rate."""

from __future__ import annotations

import random
from dataclasses import replace

import jiwer
import numpy as np
import pytest
from audio_speech import encode, spoken_file

from genlevel_audio.app import EVALUATOR
from genlevel_audio.text.normalisers import tokens
from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import EvaluatorError, Issue
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

SENTENCES = (
    "Please leave your message after the tone.",
    "She paid twenty five dollars for two books.",
    "Good morning, how are you today?",
)


def transcribed(pairs: list[tuple[str, str]], **parameters: object) -> tuple[Value, list[Issue]]:
    """Value of (hypothesis, reference) transcripts."""
    scorer = Scorer.of(EVALUATOR, "wer", {"source": "transcript", **parameters})
    samples = [RawSample(str(i), Content(json={"text": said}), (Content(text=true),)) for i, (said, true) in enumerate(pairs)]
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


def recording(data: bytes, reference: str, key: str = "1") -> RawSample:
    return RawSample(key, Content(media=media.from_bytes(data, "a.wav")), (Content(text=reference),))


def _corpus() -> list[tuple[str, str]]:
    source = random.Random(2)
    vocabulary = ["the", "a", "cat's", "dog", "color", "Colour", "two", "twenty", "$3", "runs,", "jumps.", "over!", "lazily", "don't"]
    return [(" ".join(source.choices(vocabulary, k=source.randint(0, 9))), " ".join(source.choices(vocabulary, k=source.randint(1, 9)))) for _ in range(60)]


@pytest.mark.parametrize("normaliser", ["english", "basic", "character"])
def test_pooled_value_is_jiwers_on_the_tokens(normaliser: str) -> None:
    pairs = _corpus()
    value, issues = transcribed(pairs, normaliser=normaliser)
    said, true = ([" ".join(tokens(pair[side], normaliser)) for pair in pairs] for side in (0, 1))
    theirs = jiwer.process_words(true, said)
    assert not issues
    assert value.value == pytest.approx(100 * theirs.wer, abs=1e-12)
    counts = [value.companions[name] for name in ("substitutions", "deletions", "insertions")]
    assert counts == [theirs.substitutions, theirs.deletions, theirs.insertions]


def test_utterance_mean_is_the_mean_of_jiwers_values() -> None:
    pairs = _corpus()
    value, _ = transcribed(pairs, pooling="utterance_mean")
    each = [jiwer.process_words(" ".join(tokens(true, "english")), " ".join(tokens(said, "english"))).wer for said, true in pairs]
    assert value.value == pytest.approx(100 * np.mean(each), abs=1e-12)
    assert value.interval is not None
    assert value.interval.low < value.value < value.interval.high


def test_pooling_differs_as_the_definition_says() -> None:
    pairs = [("x", "y"), ("a b c d e f g h i j", "a b c d e f g h i j")]
    assert transcribed(pairs, normaliser="basic")[0].value == pytest.approx(100 / 11)
    assert transcribed(pairs, normaliser="basic", pooling="utterance_mean")[0].value == pytest.approx(50.0)


def test_more_insertions_than_words_exceed_a_hundred() -> None:
    assert transcribed([("a b c d", "a")])[0].value == pytest.approx(300.0)


def test_an_empty_reference_adds_insertions_and_no_words() -> None:
    value, _ = transcribed([("two extra", ""), ("one two three", "one two three")], normaliser="basic")
    assert value.value == pytest.approx(100 * 2 / 3)
    assert value.companions["empty_references"] == 1
    assert jiwer.process_words("", "two extra").insertions == 2


def test_only_empty_references_are_undefined() -> None:
    value, _ = transcribed([("something", ""), ("", "...")], normaliser="basic")
    assert value.value is None
    assert value.reason == "no_reference"


def test_the_nearest_of_several_references_counts() -> None:
    scorer = Scorer.of(EVALUATOR, "wer", {"source": "transcript"})
    sample = RawSample("1", Content(text="the cat sat"), (Content(text="a dog ran off"), Content(text="the cat sits")))
    assert scorer.finalize(scorer.observe([sample])[0]).value == pytest.approx(100 / 3)


def test_a_missing_prediction_is_all_deletions() -> None:
    scorer = Scorer.of(EVALUATOR, "wer", {"source": "transcript"})
    absent = RawSample("1", None, (Content(text="four words are here"),), Presence.PREDICTION_MISSING)
    value = scorer.finalize(scorer.observe([absent])[0])
    assert value.value == 100.0
    assert (value.expected, value.present, value.missing_scored_as_worst) == (1, 0, True)


def test_source_and_prediction_must_agree() -> None:
    audio = Scorer.of(EVALUATOR, "wer", {"source": "audio"})
    _, issues = audio.observe([RawSample("1", Content(json={"text": "hello"}), (Content(text="hello"),))])
    assert [issue.code for issue in issues] == ["TRANSCRIPT_GIVEN"]
    assert "source=transcript" in issues[0].remedy
    text = Scorer.of(EVALUATOR, "wer", {"source": "transcript"})
    _, issues = text.observe([recording(encode(np.zeros(800)), "hello")])
    assert [issue.code for issue in issues] == ["RECORDING_GIVEN"]


def test_supplied_transcripts_are_taken_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise AssertionError(f"{name} was looked for")

    monkeypatch.setattr("genlevel_evaluator.weights.path", absent)  # a transcript alone needs no weights
    scorer = Scorer.of(replace(EVALUATOR, _extractors={}), "wer")
    rows, issues = scorer.observe([RawSample("1", Content(json={"text": "the cat sat"}), (Content(text="the cat sat down"),))])
    value = scorer.finalize(rows)
    assert not issues
    assert value.value == pytest.approx(100 * jiwer.wer("the cat sat down", "the cat sat"))
    assert value.warnings == ("transcripts_supplied",)
    assert value.companions["supplied_transcripts"] == 1


@pytest.mark.parametrize(("language", "expected"), [("zh-CN", 100 * 1 / 4), ("ja", 100 * 1 / 4), ("mn", 200.0), ("en", 200.0)])
def test_the_language_of_a_sample_sets_its_words(language: str, expected: float) -> None:
    scorer = Scorer.of(EVALUATOR, "wer", {"source": "transcript"})
    sample = RawSample("1", Content(text="你好，世界！"), (Content(text="你好世间"),), attributes={"language": language})
    value = scorer.finalize(scorer.observe([sample])[0])
    assert value.value == pytest.approx(expected)
    by_character = jiwer.process_characters("你好世间", "你好世界").cer
    assert 100 * by_character == pytest.approx(25.0)


def test_a_language_that_is_none_leaves_the_sample_out() -> None:
    scorer = Scorer.of(EVALUATOR, "wer", {"source": "transcript"})
    _, issues = scorer.observe([RawSample("1", Content(text="a"), (Content(text="a"),), attributes={"language": 3})])
    assert [(issue.code, issue.severity, issue.pointer) for issue in issues] == [("BAD_ATTRIBUTE", "reference", "/language")]


@pytest.mark.parametrize(("pooling", "expected"), [("corpus", 50.0), ("utterance_mean", 50.0)])
def test_a_missing_prediction_of_nothing_is_an_error_too(pooling: str, expected: float) -> None:
    scorer = Scorer.of(EVALUATOR, "wer", {"source": "transcript", "pooling": pooling})
    absent = RawSample("1", None, (Content(text=""),), Presence.PREDICTION_MISSING)
    right = RawSample("2", Content(text="two words"), (Content(text="two words"),))
    assert scorer.finalize(scorer.observe([absent, right])[0]).value == expected


@pytest.mark.parametrize("form", [{"words": "a"}, {"text": 3}, ["a"], None, 17, True])
def test_transcripts_of_another_form_are_issues(form: object) -> None:
    scorer = Scorer.of(EVALUATOR, "wer", {"source": "transcript"})
    rows, issues = scorer.observe([RawSample("1", Content(json=form), (Content(text="a"),))])
    assert [issue.code for issue in issues] == ["WRONG_TYPE"]
    assert scorer.finalize(rows).value == 100.0


def test_unknown_parameters_are_refused() -> None:
    with pytest.raises(EvaluatorError, match="normaliser"):
        Scorer.of(EVALUATOR, "wer", {"normalizer": "basic"})


def test_the_signature_names_the_recogniser_only_when_it_was_used() -> None:
    spoken = Scorer.of(EVALUATOR, "wer").signature()
    assert [use.name for use in spoken.backbones] == ["whisper_tiny_en"]
    assert not spoken.comparable
    supplied = Scorer.of(EVALUATOR, "wer", {"source": "transcript"}).signature()
    assert supplied.backbones == ()
    assert supplied.comparable


@pytest.mark.weights
def test_real_speech_is_recognised_word_for_word(arctic: bytes) -> None:
    scorer = Scorer.of(EVALUATOR, "wer")
    reference = "And you always want to see it in the superlative degree."
    rows, issues = scorer.observe([recording(arctic, reference)])
    assert not issues
    assert scorer.finalize(rows).value == 0.0


@pytest.mark.weights
def test_synthetic_speech_is_mostly_recognised_and_twice_the_same() -> None:
    samples = [recording(spoken_file(text), text, str(i)) for i, text in enumerate(SENTENCES)]
    scorer = Scorer.of(EVALUATOR, "wer")
    value = scorer.finalize(scorer.observe(samples)[0])
    assert value.value is not None
    assert value.value < 25.0
    fresh = replace(EVALUATOR, _extractors={})
    again = Scorer.of(fresh, "wer")
    from genlevel_evaluator import features

    features.CACHE.__init__()  # type: ignore[misc]
    assert again.finalize(again.observe(samples)[0]).value == value.value


@pytest.mark.weights
def test_wrong_words_are_errors() -> None:
    scorer = Scorer.of(EVALUATOR, "wer")
    rows, _ = scorer.observe([recording(spoken_file(SENTENCES[2]), "An entirely different sentence was expected here")])
    value = scorer.finalize(rows).value
    assert value is not None
    assert value > 80


@pytest.mark.weights
def test_silence_says_nothing() -> None:
    scorer = Scorer.of(EVALUATOR, "wer")
    rows, issues = scorer.observe([recording(encode(np.zeros(22050)), "three words here")])
    value = scorer.finalize(rows)
    assert not issues
    assert value.value == 100.0
    assert value.companions["deletions"] == 3


@pytest.mark.weights
def test_true_recordings_and_voices_stand_beside() -> None:
    said, read = "seven people walked over the bridge", "seven people walked under the bridge"
    true = Content(json={"audio": media.from_bytes(spoken_file(read, "en-gb-x-rp"), "t.wav")})
    sample = RawSample("1", Content(media=media.from_bytes(spoken_file(said, "en-gb-x-rp"), "a.wav")), (Content(text=read), true))
    scorer = Scorer.of(EVALUATOR, "wer", {"voice": True})
    rows, issues = scorer.observe([sample])
    value = scorer.finalize(rows)
    assert not issues
    assert value.companions["speaker_similarity"] > 80
    submitted = replace(sample, prediction=Content(media=media.from_bytes(spoken_file(read, "en-gb-x-rp"), "t.wav")))
    assert value.companions["wer_of_true_recordings"] == pytest.approx(scorer.finalize(scorer.observe([submitted])[0]).value)
    without, _ = Scorer.of(EVALUATOR, "wer").observe([sample])
    assert "speaker_similarity" not in Scorer.of(EVALUATOR, "wer").finalize(without).companions


def test_characters_are_counted_with_their_spaces() -> None:
    scorer = Scorer.of(EVALUATOR, "wer", {"source": "transcript"})
    samples = [RawSample("1", Content(json={"text": "the bat sat"}), (Content(text="The cat sat down."),)), RawSample("2", None, (Content(text="not me"),))]
    value = scorer.finalize(scorer.observe(samples)[0])
    expected = jiwer.process_characters(["the cat sat down", "not me"], ["the bat sat", ""])
    assert value.companions["cer"] == pytest.approx(100.0 * expected.cer)


def test_a_true_recording_is_no_transcript() -> None:
    scorer = Scorer.of(EVALUATOR, "wer", {"source": "transcript"})
    true = Content(json={"audio": media.from_bytes(spoken_file("no"), "t.wav")})
    _, issues = scorer.observe([RawSample("1", Content(json={"text": "no"}), (true,))])
    assert [(issue.code, issue.severity) for issue in issues] == [("NO_TRANSCRIPT", "reference")]
