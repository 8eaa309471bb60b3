"""i2v_composite: the mean of four metrics on the same samples, its picture, one decoding a clip, and what it lacks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from genlevel_evaluator import features
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_video import frames as frames_pass
from genlevel_video.app import EVALUATOR
from genlevel_video.metrics import i2v_composite
from tests.video.files import npz, picture, result

pytestmark = pytest.mark.weights

PROMPTS = ("a cat", "a cup of coffee", "a rocket")
PARTS = {"subject_consistency": False, "overall_consistency": True, "motion_smoothness": False, "dynamic_degree": False}
"""The four metrics, and whether they take the prompt."""


def moved(photo: NDArray[np.uint8], step: int, count: int = 4, side: int = 128) -> NDArray[np.uint8]:
    return np.stack([photo[100 : 100 + side, 100 + step * place : 100 + step * place + side] for place in range(count)])


@pytest.fixture(scope="module")
def made() -> list[NDArray[np.uint8]]:
    return [moved(data.chelsea(), 0), moved(data.coffee(), 6), moved(data.rocket(), 2)]


def sample(key: str, frames: NDArray[np.uint8] | None, prompt: str, image: NDArray[np.uint8] | None = None) -> RawSample:
    references = [Content(text=prompt)] + ([] if image is None else [Content(json={"image": picture(image)})])
    given = None if frames is None else npz(frames=frames, fps=np.float64(8))
    return RawSample(key, given, tuple(references), Presence.BOTH if given else Presence.PREDICTION_MISSING)


def alone(raw: RawSample) -> RawSample:
    presence = Presence.PREDICTION_ONLY if raw.prediction else Presence.PREDICTION_MISSING
    return RawSample(raw.id, raw.prediction, (), presence)


def test_it_is_the_mean_of_the_four_metrics(made: list[NDArray[np.uint8]]) -> None:
    samples = [sample(str(place), frames, prompt) for place, (frames, prompt) in enumerate(zip(made, PROMPTS, strict=True))] + [sample("9", None, "a dog")]
    found, issues = result("i2v_composite", samples)
    assert issues == []
    parts: dict[str, Any] = {name: result(name, samples if worded else [alone(one) for one in samples])[0].value for name, worded in PARTS.items()}
    assert parts["dynamic_degree"] == 25.0
    for name, part in parts.items():
        assert found.companions[name] == pytest.approx(part, rel=1e-6), name
    assert found.value == pytest.approx(sum(parts.values()) / 4, rel=1e-6)
    assert found.companions["clips"] == 3.0
    assert "i2v_subject" not in found.companions
    assert found.interval is not None
    assert found.interval.low <= found.value <= found.interval.high


def test_each_clip_is_decoded_once(made: list[NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlevel_evaluator.features.CACHE", features.FeatureCache())  # clips of other tests are remembered
    begun: list[str] = []
    decoding = frames_pass.Decoding
    monkeypatch.setattr(frames_pass, "Decoding", lambda clip, samplings: (begun.append(clip.sha256), decoding(clip, samplings))[1])
    result("i2v_composite", [sample(str(place), frames, "a scene") for place, frames in enumerate(made)])
    assert len(begun) == len(set(begun)) == len(made)


def test_the_picture_counts_only_beside_the_value(made: list[NDArray[np.uint8]]) -> None:
    own, _ = result("i2v_composite", [sample("1", made[0], "a cat", made[0][0])])
    other, _ = result("i2v_composite", [sample("1", made[0], "a cat", made[1][0])])
    none, _ = result("i2v_composite", [sample("1", made[0], "a cat")])
    assert own.value == other.value == none.value
    assert own.companions["i2v_subject"] == pytest.approx(100.0, abs=1e-4)
    assert other.companions["i2v_subject"] < 90.0
    assert own.companions["i2v_background"] == own.companions["i2v_subject"]


def test_a_missing_network_leaves_no_mean_of_three(made: list[NDArray[np.uint8]]) -> None:
    for given in ({"overall": "viclip-l-14"}, {"subject": "dino-vit-b-16"}, {"flow": "raft-things"}):
        with pytest.raises(EvaluatorError) as caught:
            result("i2v_composite", [sample("1", made[0], "a cat")], **given)
        assert caught.value.code is Code.FAILED_PRECONDITION


def test_clips_too_short_for_a_part() -> None:
    two = sample("1", moved(data.chelsea(), 4, count=2), "a cat")
    found, issues = result("i2v_composite", [two])
    assert (found.value, found.reason) == (None, "too_few_samples")
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("1", "CLIP_TOO_SHORT", "warning")]
    assert {"subject_consistency", "overall_consistency", "dynamic_degree"} <= found.companions.keys()
    assert "motion_smoothness" not in found.companions
    found, _ = result("i2v_composite", [two, sample("2", moved(data.chelsea(), 4), "a cat")])
    assert found.value is not None
    assert "clips_without_value" in found.warnings


def test_a_sample_without_a_prompt_is_left_out(made: list[NDArray[np.uint8]]) -> None:
    one = RawSample("1", npz(frames=made[0], fps=np.float64(8)), (Content(json={"image": picture(made[0][0])}),), Presence.BOTH)
    found, issues = result("i2v_composite", [one])
    assert [(issue.code, issue.severity) for issue in issues] == [("NO_CAPTION", "reference")]
    assert (found.value, found.reason, found.excluded) == (None, "no_reference", 1)


def test_one_clips_value_is_the_value_of_a_set_of_one(made: list[NDArray[np.uint8]]) -> None:
    scorer = Scorer.of(EVALUATOR, "i2v_composite", {})
    rows, _ = scorer.observe([sample("1", made[2], "a rocket")])
    found = scorer.finalize(rows)
    assert i2v_composite.samples(rows, None)[0] == pytest.approx(found.value, rel=1e-12)


def test_a_sum_below_zero_is_zero() -> None:
    assert i2v_composite.combined([0.0, -0.2, 0.0, 0.0]) == 0.0
    assert i2v_composite.combined([0.5, -0.1, 0.9, 0.3]) == pytest.approx(40.0)


def test_the_networks_of_a_composite() -> None:
    parameters = i2v_composite.CompositeParameters(subject="dino-vit-b-16", overall="viclip-l-14", flow="raft-things", background="clip-vit-b-32")
    assert i2v_composite.networks(parameters) == ("dino-vit-b-16", "viclip-l-14", "rife-4.0", "raft-things")
    assert i2v_composite.beside(parameters) == ("clip-vit-b-32.tensor",)
    assert i2v_composite.beside(i2v_composite.CompositeParameters()) == ()
    assert {*i2v_composite.networks(parameters), *i2v_composite.beside(parameters)} <= EVALUATOR.backbones.keys()
