"""clap_score and clap_style_score: arithmetic, companions, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from audio_speech import encode

from genlevel_audio import clap_scores
from genlevel_audio.app import EVALUATOR
from genlevel_audio.audio import Audio
from genlevel_audio.clap_scores import ClapParameters
from genlevel_audio.descriptions import Source, Truth
from genlevel_evaluator import media, states
from genlevel_evaluator.captions import Caption
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Sample

NAME = "examples-aisfx-minilm"
SOUND = Audio(np.ones(10, dtype=np.float32), 10)


def sample(key: str, prediction: list[list[float]], *references: tuple[object, list[list[float]]]) -> Sample:
    """A sample whose vectors are known."""
    sides = {"prediction": prediction} | {"reference" if place == 0 else f"reference {place + 1}": vectors for place, (_, vectors) in enumerate(references)}
    features = {(NAME, side): np.array(vectors, dtype=np.float32) for side, vectors in sides.items()}
    return Sample(key, None, tuple(value for value, _ in references), features=features)


def rows(*samples: Sample, parameters: ClapParameters) -> states.Rows:
    return states.build(clap_scores.COLUMNS, [(one.key, clap_scores.observe(one, parameters)) for one in samples])


def test_windows_count_alike_whatever_their_length() -> None:
    parameters = ClapParameters()
    one = sample("1", [[10.0, 0.0], [0.0, 0.1]], (Caption("x"), [[1.0, 0.0]]))
    assert clap_scores.score(rows(one, parameters=parameters), parameters).value == pytest.approx(100 / math.sqrt(2))


def test_several_texts_count_by_mean_or_best() -> None:
    texts = ((Caption("a"), [[1.0, 0.0]]), (Caption("b"), [[0.0, 1.0]]))
    one = sample("1", [[0.6, 0.8]], *texts)
    for captions, value in (("mean", 70.0), ("best", 80.0)):
        parameters = ClapParameters(captions=captions)  # type: ignore[arg-type]
        assert clap_scores.score(rows(one, parameters=parameters), parameters).value == pytest.approx(value, abs=1e-5)


def test_sources_and_true_recordings_stand_beside() -> None:
    parameters = ClapParameters()
    one = sample("1", [[0.6, 0.8]], (Caption("a"), [[1.0, 0.0]]), (Source(SOUND), [[0.0, 1.0]]), (Truth(SOUND), [[0.8, 0.6]]))
    other = sample("2", [[0.0, 1.0]], (Caption("b"), [[0.0, 1.0]]))
    found = clap_scores.score(rows(one, other, parameters=parameters), parameters)
    assert found.value == pytest.approx(80.0, abs=1e-5)
    expected = {"content_preservation": 80.0, "source_text": 0.0, "reference_pairs": 80.0, "shuffled_pairs": 100 * (0.8 + 0.0) / 2, "predictions": 2.0}
    assert dict(found.companions) == pytest.approx(expected, abs=1e-5)
    assert found.warnings == ("examples_not_clap",)


def test_a_text_is_needed() -> None:
    with pytest.raises(SampleError, match="no text"):
        clap_scores.observe(sample("1", [[1.0]], (Truth(SOUND), [[1.0]])), ClapParameters())


@pytest.mark.weights
@pytest.mark.parametrize("metric", ["clap_score", "clap_style_score"])
def test_from_files(metric: str) -> None:
    scorer = Scorer.of(EVALUATOR, metric)
    sound = media.from_bytes(encode(np.sin(np.arange(8000) / 5) * 0.3, 8000), "a.wav")
    references = (Content(text="a bell ringing"), Content(json={"source": sound}), Content(json={"audio": sound}))
    given = [RawSample("1", Content(media=sound), references), RawSample("2", None, (Content(text="a drum"),)), RawSample("3", Content(media=sound), (Content(text=" "),))]
    state, issues = scorer.observe(given)
    value = scorer.finalize(state)
    assert [(issue.sample_id, issue.code) for issue in issues] == [("3", "EMPTY_TEXT")]
    assert value.companions["content_preservation"] == pytest.approx(100.0, abs=1e-4)
    assert value.companions["source_text"] == pytest.approx(2 * float(value.value or 0.0), abs=1e-4)  # the missing one counts 0
    assert not value.signature.comparable


def test_the_networks_of_the_literature_are_comparable() -> None:
    entries = EVALUATOR.backbones["clap"].entries
    from genlevel_evaluator import weights

    assert all(weights.entry(name).reference for name in entries)
