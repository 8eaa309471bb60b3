"""Relative translation error against a loop port of the devkit's formula, and evo for the companions."""

from __future__ import annotations

import copy
import itertools
import math

import numpy as np
import pytest
from evo.core import metrics as evo_metrics
from evo.core.trajectory import PosePath3D

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content
from genlevel_three_d.app import EVALUATOR
from genlevel_three_d.forms.points import decode_trajectory
from genlevel_three_d.odometry import LENGTHS, segment_errors
from tests.three_d.generators import drive


def noisy(poses: np.ndarray, seed: int, size: float = 0.003) -> np.ndarray:
    """The same drive with every step disturbed, so that errors add up as in real odometry."""
    random = np.random.default_rng(seed)
    result = poses.copy()
    for index in range(1, len(poses)):
        step = np.linalg.inv(poses[index - 1]) @ poses[index]
        angle = size * random.normal()
        turn = np.eye(4)
        turn[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
        turn[:3, 3] = size * random.normal(size=3)
        result[index] = result[index - 1] @ step @ turn
    return result


def value_of(pairs: list[tuple[np.ndarray, np.ndarray]], **parameters: object) -> Value:
    scorer = Scorer.of(EVALUATOR, "rte", parameters)
    samples = [
        RawSample(str(i), Content(json=p[:, :3].tolist()), (Content(json=r[:, :3].tolist()),)) for i, (p, r) in enumerate(pairs)
    ]
    rows, issues = scorer.observe(samples)
    assert not issues
    return scorer.finalize(rows)


def port(prediction: np.ndarray, reference: np.ndarray) -> list[tuple[float, float, float]]:
    """The benchmark's rule in loops: (length, translation error, rotation error) of each segment."""
    travelled = [0.0]
    for before, after in itertools.pairwise(reference):
        dx, dy, dz = (after[k, 3] - before[k, 3] for k in range(3))
        travelled.append(travelled[-1] + math.sqrt(dx * dx + dy * dy + dz * dz))
    found = []
    for first in range(0, len(reference), 10):
        for length in (100, 200, 300, 400, 500, 600, 700, 800):
            last = next((i for i in range(first, len(reference)) if travelled[i] > travelled[first] + length), None)
            if last is None:
                continue
            wanted = np.linalg.solve(reference[first], reference[last])
            given = np.linalg.solve(prediction[first], prediction[last])
            error = np.linalg.solve(given, wanted)
            cosine = 0.5 * (error[0, 0] + error[1, 1] + error[2, 2] - 1.0)
            found.append((length, math.hypot(*error[:3, 3]) / length, math.acos(max(-1.0, min(1.0, cosine))) / length))
    return found


def test_equals_the_benchmark_rule() -> None:
    pairs = []
    for seed, frames in ((1, 700), (2, 300), (3, 1500)):
        reference = drive(np.random.default_rng(seed), frames)
        pairs.append((noisy(reference, seed), reference))
    segments = [port(*pair) for pair in pairs]
    joined = [segment for one in segments for segment in one]
    value = value_of(pairs)
    assert value.value == pytest.approx(100 * np.mean([t for _, t, _ in joined]), rel=1e-9)
    assert value.companions["segments"] == len(joined)
    assert value.companions["rotation_deg_per_100m"] == pytest.approx(
        100 * math.degrees(np.mean([r for _, _, r in joined])), rel=1e-6
    )
    for length in LENGTHS:
        errors = [t for at, t, _ in joined if at == length]
        assert value.companions[f"translation_{length:.0f}m"] == pytest.approx(100 * np.mean(errors), rel=1e-9)
    by_sequence = value_of(pairs, pooling="sequence").value
    assert by_sequence == pytest.approx(100 * np.mean([np.mean([t for _, t, _ in one]) for one in segments]), rel=1e-9)
    assert by_sequence != pytest.approx(value.value, rel=1e-3)


def test_companions_equal_evo() -> None:
    reference = drive(np.random.default_rng(5), 400)
    prediction = noisy(reference, 6)
    prediction[:, :3, 3] *= 1.1
    found = value_of([(prediction, reference)]).companions
    truth = PosePath3D(poses_se3=list(reference))
    for name, scaled in (("ate_se3", False), ("ate_sim3", True)):
        estimate = copy.deepcopy(PosePath3D(poses_se3=list(prediction)))
        estimate.align(truth, correct_scale=scaled)
        error = evo_metrics.APE(evo_metrics.PoseRelation.translation_part)
        error.process_data((truth, estimate))
        assert found[name] == pytest.approx(error.get_statistic(evo_metrics.StatisticsType.rmse), rel=1e-7)
    for name, relation in (
        ("rpe_translation", evo_metrics.PoseRelation.translation_part),
        ("rpe_rotation", evo_metrics.PoseRelation.rotation_angle_deg),
    ):
        step = evo_metrics.RPE(relation, delta=1, delta_unit=evo_metrics.Unit.frames, all_pairs=True)
        step.process_data((truth, PosePath3D(poses_se3=list(prediction))))
        assert found[name] == pytest.approx(step.get_statistic(evo_metrics.StatisticsType.rmse), rel=1e-6)


def test_a_scale_error_is_its_own_percentage() -> None:
    # On a straight line every segment is wrong by the scale, times what the segment overshoots its length (1 m of 100).
    line = np.tile(np.eye(4), (400, 1, 1))
    line[:, 2, 3] = np.arange(400)
    longer = line.copy()
    longer[:, 2, 3] *= 1.02
    translation, rotation, segments = segment_errors(longer, line)
    assert segments.tolist()[:4] == [30, 20, 10, 0]
    np.testing.assert_allclose(translation[:3] / segments[:3], [0.02 * 101 / 100, 0.02 * 201 / 200, 0.02 * 301 / 300], rtol=1e-9)
    assert rotation.max() == 0.0


def test_a_segment_ends_at_the_first_frame_beyond_its_length() -> None:
    # 101 frames of 1 m: the distance is 100 m exactly at the last frame, which is not beyond 100 m.
    line = np.tile(np.eye(4), (102, 1, 1))
    line[:, 2, 3] = np.arange(102)
    assert segment_errors(line[:101], line[:101])[2].sum() == 0
    assert segment_errors(line, line)[2].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


def test_moving_both_or_the_start_changes_nothing() -> None:
    reference = drive(np.random.default_rng(7), 300)
    prediction = noisy(reference, 8)
    move = drive(np.random.default_rng(9), 5, turn=1.0)[-1]
    value = value_of([(prediction, reference)]).value
    assert value_of([(move @ prediction, reference)]).value == pytest.approx(value, rel=1e-6)
    assert value_of([(move @ prediction, move @ reference)]).value == pytest.approx(value, rel=1e-6)
    assert value_of([(reference, reference)]).value == pytest.approx(0.0, abs=1e-10)


def test_under_100_m_is_undefined() -> None:
    reference = drive(np.random.default_rng(1), 60)
    value = value_of([(reference, reference)])
    assert value.value is None
    assert value.reason == "degenerate_geometry"
    assert "trajectory_under_100_m" in value.warnings
    assert value.companions["ate_se3"] == pytest.approx(0.0, abs=1e-9)
    one = value_of([(reference[:1], reference[:1])])
    assert one.value is None
    assert one.companions["segments"] == 0


def test_interval_is_over_sequences() -> None:
    pairs = []
    for seed in range(8):
        reference = drive(np.random.default_rng(seed), 250)
        pairs.append((noisy(reference, seed, 0.001 * (seed + 1)), reference))
    pairs.append((np.tile(np.eye(4), (5, 1, 1)),) * 2)  # too short to count
    value = value_of(pairs)
    assert value.interval is not None
    assert value.interval.low < value.value < value.interval.high
    assert value_of(pairs[:1]).interval is None


def _file(rows: list[list[float]]) -> Content:
    return Content(media=media.from_bytes("\n".join(" ".join(map(str, row)) for row in rows).encode(), "poses.txt"))


EYE = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]


def test_kitti_files() -> None:
    found = decode_trajectory(_file([EYE, [1, 0, 0, 5, 0, 1, 0, 6, 0, 0, 1, 7]]), {})
    assert found.poses[1].tolist() == [[1, 0, 0, 5], [0, 1, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]]
    numbered = decode_trajectory(_file([[3, *EYE], [5, *EYE]]), {})
    assert numbered.frames.tolist() == [3, 5]


BAD = {
    "not 12 numbers": (_file([EYE, EYE[:11]]), "WRONG_SHAPE"),
    "words": (Content(media=media.from_bytes(b"a b c d e f g h i j k l\n", "poses.txt")), "NOT_A_TRAJECTORY"),
    "an image": (Content(media=media.from_bytes(b"\x89PNG\r\n\x1a\n", "poses.txt")), "NOT_A_TRAJECTORY"),
    "empty": (Content(media=media.from_bytes(b"\n\n", "poses.txt")), "EMPTY_TRAJECTORY"),
    "NaN": (_file([[math.nan, *EYE[1:]]]), "NOT_FINITE"),
    "infinity": (_file([EYE, [*EYE[:11], math.inf]]), "NOT_FINITE"),
    "unsorted": (_file([[1, *EYE], [0, *EYE]]), "UNSORTED"),
    "the same frame twice": (_file([[1, *EYE], [1, *EYE]]), "UNSORTED"),
    "half a frame": (_file([[0, *EYE], [0.5, *EYE]]), "UNSORTED"),
    "no rotation": (_file([[2, *EYE[1:]]]), "NOT_A_ROTATION"),
    "a mirror": (_file([[-1, *EYE[1:]]]), "NOT_A_ROTATION"),
    "no list": (Content(json={"poses": []}), "WRONG_TYPE"),
    "text": (Content(text="1 0 0"), "WRONG_TYPE"),
    "empty list": (Content(json=[]), "EMPTY_TRAJECTORY"),
    "ragged": (Content(json=[[[1, 0, 0, 0]], [[1]]]), "WRONG_SHAPE"),
    "3x3": (Content(json=[[[1, 0, 0], [0, 1, 0], [0, 0, 1]]]), "WRONG_SHAPE"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_trajectories(case: str) -> None:
    content, code = BAD[case]
    with pytest.raises(SampleError) as caught:
        decode_trajectory(content, {})
    assert caught.value.code == code
    assert caught.value.remedy


@pytest.mark.parametrize(("prediction", "code"), [([EYE], "LENGTH_MISMATCH"), ([[0, *EYE], [2, *EYE]], "FRAME_MISMATCH")])
def test_frames_must_be_those_of_the_reference(prediction: list[list[float]], code: str) -> None:
    scorer = Scorer.of(EVALUATOR, "rte", {})
    rows, issues = scorer.observe([RawSample("1", _file(prediction), (_file([EYE, EYE]),))])
    value = scorer.finalize(rows)
    assert value.value is None
    assert (value.expected, value.present) == (1, 0)
    assert issues[0].code == code
    assert issues[0].severity == "prediction"
