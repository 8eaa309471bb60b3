"""dynamic_degree, motion_smoothness, human_action, temporal_style and overall_consistency: photos moved by known steps, tables of features, bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage import data
from torchvision.models.video import R3D_18_Weights

from genlevel_evaluator.captions import Caption
from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence, Sample
from genlevel_video import kinetics
from genlevel_video.metrics import dynamic_degree, human_action, motion_smoothness
from tests.video.files import npz, result

pytestmark = pytest.mark.weights

SIDE = 128
"""Of the clips below: the threshold is 6 * 128 / 256 = 3 px a pair."""


def moved(step: int, count: int, order: tuple[int, ...] = ()) -> NDArray[np.uint8]:
    """A window of a photo that moves by `step` pixels a frame."""
    photo = data.coffee()
    frames = [photo[100 : 100 + SIDE, 150 + step * place : 150 + step * place + SIDE] for place in (order or range(count))]
    return np.stack(frames)


def clip(frames: NDArray[np.uint8], fps: float = 8.0) -> Content:
    return npz(frames=frames, fps=np.float64(fps)) if fps else npz(frames=frames)


def alone(key: str, prediction: Content | None) -> RawSample:
    return RawSample(key, prediction, (), Presence.PREDICTION_ONLY if prediction else Presence.PREDICTION_MISSING)


def asked(key: str, prediction: Content | None, *texts: str) -> RawSample:
    return RawSample(key, prediction, tuple(Content(text=text) for text in texts), Presence.BOTH if prediction else Presence.PREDICTION_MISSING)


def value(metric: str, *clips: Content | None, **parameters: Any) -> float | None:
    found, issues = result(metric, [alone(str(place), one) for place, one in enumerate(clips)], **parameters)
    assert issues == []
    return found.value


# dynamic_degree


@pytest.mark.parametrize(
    ("step", "fps", "expected"),
    [
        (0, 8.0, 0.0), (2, 8.0, 0.0), (4, 8.0, 100.0),
        (2, 16.0, 100.0),  # every second frame: 4 px a pair
        (2, 12.0, 100.0), (2, 11.9, 0.0),  # round(1.5) is 2
        (4, 4.0, 100.0), (2, 1.0, 0.0),  # at 4 frames a second and below every frame is taken
    ],
)  # fmt: skip
def test_a_photo_that_moves_by_known_steps(step: int, fps: float, expected: float) -> None:
    assert value("dynamic_degree", clip(moved(step, 5), fps)) == expected


def test_the_length_of_motion_is_told_at_one_size() -> None:
    found, _ = result("dynamic_degree", [alone("1", clip(moved(4, 4))), alone("2", None)])
    assert found.value == 50.0
    assert found.companions["motion"] == pytest.approx(8.0, abs=0.5)
    assert found.companions["clips"] == 1.0
    assert found.warnings == ("not_comparable",)


@pytest.mark.parametrize(
    ("frames", "above", "dynamic"),
    [(2, 0, 0), (2, 1, 1), (5, 1, 1), (8, 1, 0), (8, 2, 1), (10, 1, 0), (10, 2, 1), (16, 3, 0), (16, 4, 1), (33, 7, 0), (33, 8, 1)],
)
def test_how_many_pairs_must_move(frames: int, above: int, dynamic: int) -> None:
    lengths = np.full((frames - 1, 3), [12.0, 1.0, 512.0], np.float32)  # exactly 6 px at a side of 256: not above
    lengths[:above, 0] = 12.1
    row = dynamic_degree.row_of(lengths)
    assert (row["dynamic"], row["above"], row["pairs"]) == (dynamic, above, frames - 1)


@given(st.lists(st.floats(0, 64, width=32), min_size=1, max_size=40), st.integers(16, 4096))
@settings(max_examples=60)
def test_a_clip_twice_as_large_that_moves_twice_as_far_is_the_same(lengths: list[float], side: int) -> None:
    pairs = np.array([[length, length / 2, side] for length in lengths], np.float32)
    assert dynamic_degree.row_of(2 * pairs) == dynamic_degree.row_of(pairs)


def test_a_clip_without_a_rate_is_refused() -> None:
    found, issues = result("dynamic_degree", [alone("1", clip(moved(4, 3), 0.0)), alone("2", clip(moved(4, 3)))])
    assert [(issue.code, issue.severity) for issue in issues] == [("NO_FRAME_RATE", "prediction")]
    assert (found.value, found.present) == (50.0, 1)


def test_the_rate_may_stand_beside_the_clip() -> None:
    one = RawSample("1", clip(moved(4, 3), 0.0), (), Presence.PREDICTION_ONLY, {"fps": 8})
    found, issues = result("dynamic_degree", [one])
    assert (found.value, issues) == (100.0, [])


@pytest.mark.parametrize(("metric", "short"), [("dynamic_degree", 1), ("motion_smoothness", 1), ("motion_smoothness", 2)])
def test_clips_too_short_have_no_value(metric: str, short: int) -> None:
    found, issues = result(metric, [alone("1", clip(moved(0, short)))])
    assert (found.value, found.reason, found.present) == (None, "too_few_samples", 1)
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("1", "CLIP_TOO_SHORT", "warning")]
    assert issues[0].remedy
    found, issues = result(metric, [alone("1", clip(moved(0, short))), alone("2", clip(moved(4, 3))), alone("3", None)])
    assert [(issue.sample_id, issue.code) for issue in issues] == [("1", "CLIP_TOO_SHORT")]
    assert "clips_without_value" in found.warnings
    assert found.value == (50.0 if metric == "dynamic_degree" else pytest.approx(50.0, abs=3.0))


# motion_smoothness


def test_still_is_smooth_and_a_shift_smoother_than_the_same_frames_shuffled() -> None:
    still, shift, shuffled = (value("motion_smoothness", clip(one)) for one in (moved(0, 5), moved(5, 5), moved(5, 5, (0, 3, 1, 4, 2))))
    assert still is not None
    assert shift is not None
    assert shuffled is not None
    assert still == pytest.approx(100.0, abs=0.01)
    assert still > shift > shuffled + 2.0


def test_smoothness_is_the_mean_over_clips_not_over_frames() -> None:
    rows = [motion_smoothness.row_of(np.full((count, 1), error, np.float32)) for count, error in ((1, 0.0), (9, 51.0))]
    assert [row["error"] for row in rows] == [0.0, 51.0]
    found, _ = result("motion_smoothness", [alone("1", clip(moved(0, 3))), alone("2", None)])
    assert found.value == pytest.approx(50.0, abs=0.01)
    assert found.companions["guessed"] == 1.0


# human_action


def test_the_actions_are_those_of_kinetics() -> None:
    assert list(kinetics.names()) == R3D_18_Weights.DEFAULT.meta["categories"]
    assert [kinetics.index(name) for name in kinetics.names()] == list(range(400))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("A person is riding a bike.", "riding a bike"), ("person playing the guitar on a beach at night", "playing guitar"), ("YOGA", "yoga"),
        ("A woman is Massaging person's head!", "massaging person's head"), ("someone is skiing crosscountry in the snow", "skiing crosscountry"),
        ("a man is golf putting, not golf driving", "golf driving"), ("a person thinks", None), ("yogas", None), ("", None),
    ],
)  # fmt: skip
def test_what_a_prompt_asks_for(text: str, name: str | None) -> None:
    assert kinetics.index(text) == (None if name is None else kinetics.names().index(name))


LEAST = math.log(0.85 / 0.15)


@pytest.mark.parametrize(
    ("own", "better", "hit", "rank"), [(LEAST + 1e-6, 4, 1, 5), (LEAST + 1e-6, 5, 0, 6), (LEAST - 1e-6, 0, 0, 1), (9.0, 0, 1, 1)]
)
def test_a_hit_is_likely_and_among_five(own: float, better: int, hit: int, rank: int) -> None:
    logits = np.full(400, -5.0)
    logits[399] = own
    logits[:better] = 20.0
    sample = Sample("1", None, (Caption("zumba"),), features={("i3d-actions", "prediction"): logits})
    row = human_action.observe(sample, human_action.ActionParameters())
    assert (row["hit"], row["rank"]) == (hit, rank)
    assert row["probability"] == pytest.approx(1 / (1 + math.exp(-own)))


def test_a_prompt_without_an_action_is_left_out() -> None:
    found, issues = result("human_action", [asked("1", clip(moved(0, 2)), "a person thinks"), asked("2", None, "a person thinks", "a person doing yoga")])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("1", "NO_KNOWN_ACTION", "reference")]
    assert (found.value, found.expected, found.excluded) == (0.0, 1, 1)


# temporal_style, overall_consistency


@pytest.mark.parametrize("metric", ["temporal_style", "overall_consistency"])
def test_a_clip_fits_what_it_shows(metric: str) -> None:
    cat, rocket = clip(np.stack([data.chelsea()] * 2)), clip(np.stack([data.rocket()] * 2))
    right, _ = result(metric, [asked("1", cat, "a cat"), asked("2", rocket, "a rocket on its launch pad")])
    wrong, _ = result(metric, [asked("1", rocket, "a cat"), asked("2", cat, "a rocket on its launch pad")])
    assert right.value is not None
    assert wrong.value is not None
    assert right.value > wrong.value + 10.0
    assert right.companions["shuffled_pairs"] == pytest.approx(wrong.value, abs=1e-4)
    assert right.warnings == ("not_comparable",)


def test_of_several_prompts_the_mean_counts_and_a_missing_clip_is_zero() -> None:
    cat = clip(np.stack([data.chelsea()] * 2))
    one, two, both = (result("temporal_style", [asked("1", cat, *texts)])[0].value for texts in (("a cat",), ("a rocket",), ("a cat", "a rocket")))
    assert one is not None
    assert two is not None
    assert both == pytest.approx((one + two) / 2, rel=1e-6)
    half, issues = result("temporal_style", [asked("1", cat, "a cat"), asked("2", None, "a cat")])
    assert (half.value, issues) == (pytest.approx(one / 2), [])


def test_the_network_of_the_literature_wants_its_weights() -> None:
    for metric, backbone in (("temporal_style", "viclip-l-14"), ("dynamic_degree", "raft-things")):
        with pytest.raises(EvaluatorError, match=backbone) as caught:
            result(metric, [asked("1", clip(moved(0, 2)), "a cat")], backbone=backbone)
        assert caught.value.code is Code.FAILED_PRECONDITION


@pytest.mark.parametrize("metric", ["dynamic_degree", "motion_smoothness", "human_action", "temporal_style"])
@pytest.mark.parametrize("given", [Content(text="a cat"), Content(json={"frames": 3})])
def test_what_is_no_clip_is_refused(metric: str, given: Content) -> None:
    found, issues = result(metric, [asked("1", given, "doing yoga")])
    assert {("WRONG_TYPE", "prediction")} == {(issue.code, issue.severity) for issue in issues if issue.severity != "warning"}
    assert (found.value, found.present) == (0.0, 0)
