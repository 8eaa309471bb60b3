"""Success AUC against the GOT-10k toolkit, and rules it leaves open against counts by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel_evaluator.engine import Value
from genlevel_evaluator.kinds import Content
from tests.video.files import issue_of, result, run_oracle, sample, text_file, value_of
from tests.video.track_generators import boxes

STILL = [[10.0, 20.0, 30.0, 40.0]] * 4


def auc(guess: Any, truth: Any, **parameters: Any) -> Value:
    return value_of("success_auc", [(Content(json=guess), Content(json=truth))], **parameters)


def above(overlap: float) -> int:
    """How many of the 21 thresholds an overlap is above, by whole numbers."""
    return sum(overlap * 20 > step for step in range(21))


def test_equals_the_otb_experiment_of_got10k(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    truths = [boxes(random, frames) for frames in (5, 40, 200)] + [np.rint(boxes(random, 300))]
    guesses = [truth + random.normal(0, 4, truth.shape) for truth in truths[:3]] + [np.rint(truths[3] + random.normal(0, 2, (300, 4)))]
    guesses = [np.maximum(guess, [-50, -50, 1, 1]) for guess in guesses]
    named = {f"{side}{place}": array for side, arrays in (("truth", truths), ("guess", guesses)) for place, array in enumerate(arrays)}
    found = run_oracle("tracks", tmp_path, **named)["sequences"]
    value = value_of("success_auc", [(Content(json=guess.tolist()), Content(json=truth.tolist())) for guess, truth in zip(guesses, truths, strict=True)])
    assert value.value == pytest.approx(100 * np.mean([entry["auc"] for entry in found]), rel=1e-12)
    assert value.companions["precision"] == pytest.approx(100 * np.mean([entry["precision"] for entry in found]), rel=1e-12)
    assert value.companions["success_50"] == pytest.approx(100 * np.mean([entry["success_50"] for entry in found]), rel=1e-12)
    assert value.interval is not None
    assert value.interval.low <= value.value <= value.interval.high


def test_a_perfect_tracker_has_what_can_be_attained() -> None:
    value = auc(STILL, STILL)
    assert value.value == pytest.approx(100 * 20 / 21) == value.companions["max_attainable"]
    assert [value.companions[name] for name in ("precision", "normalised_precision", "normalised_precision_auc")] == [100.0] * 3
    assert [value.companions[name] for name in ("average_overlap", "success_rate_50", "success_rate_75")] == [100.0] * 3


def test_an_overlap_at_a_threshold_is_not_above_it() -> None:
    truth = [[0, 0, 20, 10]] * 21
    guess = [[0, 0, 20, 10]] + [[0, 0, width, 10] for width in range(1, 21)]
    value = auc(guess, truth)
    assert value.value == pytest.approx(100 * sum([above(1.0)] + [above(width / 20) for width in range(1, 21)]) / 21 / 21)
    assert value.value == pytest.approx(100 * (20 + sum(range(1, 21))) / 21 / 21)


def test_frames_without_the_object_are_failures_or_left_out() -> None:
    truth = [*STILL[:2], None, [0, 0, 0, 0]]
    value = auc(STILL, truth)
    assert value.value == pytest.approx(100 * 20 / 21 / 2) == value.companions["max_attainable"]
    assert (value.companions["precision"], value.companions["absent_frames"]) == (50.0, 2.0)
    dropped = auc(STILL, truth, absent="drop")
    assert dropped.value == pytest.approx(100 * 20 / 21)
    assert dropped.companions["frames"] == 2
    marked, issues = result("success_auc", [sample("1", Content(json=STILL), Content(json=STILL), absent=[0, 0, 1, 1])])
    assert (marked.value, issues) == (value.value, [])
    assert value.companions["average_overlap"] == 100.0  # of the frames that show it, without the first


def test_lost_boxes_repeat_the_last_one() -> None:
    truth = [[0, 0, 10, 10], [0, 0, 10, 10], [5, 0, 10, 10], [0, 0, 10, 10]]
    given = [[0, 0, 10, 10], [5, 0, 10, 10], [0, 0, 0, 0], None]
    assert auc(given, truth).value == auc([given[0], given[1], given[1], given[1]], truth).value
    never = [[1, 1, -1, 5]] * 4
    assert auc(never, truth, first_frame="given").value == 0.0
    assert auc(never, truth).value == auc([truth[0]] * 4, truth).value


def test_the_first_frame_is_given() -> None:
    away = [[500, 500, 5, 5]] * 4
    assert auc(away, STILL).value == pytest.approx(100 * 20 / 21 / 4)
    assert auc(away, STILL, first_frame="given").value == 0.0


def test_boxes_at_the_border_count() -> None:
    truth = [[0, 0, 10, 10]] * 3
    assert auc(truth, truth).value == pytest.approx(100 * 20 / 21)
    assert auc(truth, truth).companions["absent_frames"] == 0


def test_distances_are_of_centres() -> None:
    truth = [[0, 0, 100, 50]] * 4
    guess = [truth[0], [20, 0, 100, 50], [20.001, 0, 100, 50], [0, 10, 100, 50]]
    value = auc(guess, truth)
    assert value.companions["precision"] == 75.0
    assert value.companions["normalised_precision"] == 75.0  # 0.2 of the width, hardly more, 0.2 of the height
    shares = [0.0, 0.2, 0.20001, 0.2]
    assert value.companions["normalised_precision_auc"] == pytest.approx(100 * np.mean([[share <= step / 100 for step in range(51)] for share in shares]))


def test_overlap_rates_leave_the_first_frame_out() -> None:
    truth = [[0, 0, 20, 10]] * 4
    value = auc([truth[0], [0, 0, 10, 10], [0, 0, 11, 10], [0, 0, 16, 10]], truth)
    assert value.companions["average_overlap"] == pytest.approx(100 * (10 + 11 + 16) / 60)
    assert value.companions["success_rate_50"] == pytest.approx(100 * 2 / 3)
    assert value.companions["success_rate_75"] == pytest.approx(100 / 3)


def test_sequences_count_alike_and_a_missing_one_is_nothing() -> None:
    samples = [sample("1", Content(json=STILL), Content(json=STILL)), sample("2", None, Content(json=STILL[:2]))]
    value, issues = result("success_auc", samples)
    assert issues == []
    assert value.value == pytest.approx(50 * 20 / 21)
    assert (value.present, value.missing_scored_as_worst) == (1, True)


@pytest.mark.parametrize("text", ["10,20,30,40\n10,20,30,40\nnan,nan,nan,nan\n", "10\t20\t30\t40\n10 20 30 40\n NaN NaN NaN NaN", "\ufeff10, 20, 30, 40,\r\n10;20;30;40\r\nnan nan nan nan\r\n"])
def test_files_of_trackers_are_read(text: str) -> None:
    truth = [STILL[0], STILL[0], None]
    assert value_of("success_auc", [(text_file(text), Content(json=truth))]).value == auc(truth, truth).value
    assert value_of("success_auc", [(Content(json=truth), text_file(text))]).value == auc(truth, truth).value


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 12), st.sampled_from([0.25, 0.5, 2.0, 64.0]))
def test_laws_of_boxes(seed: int, frames: int, factor: float) -> None:
    random = np.random.default_rng(seed)
    truth = np.rint(boxes(random, frames))
    guess = np.maximum(np.rint(truth + random.normal(0, 4, truth.shape)), [-99, -99, 1, 1])
    plain = auc(guess.tolist(), truth.tolist())
    assert 0 <= (plain.value or 0) <= plain.companions["max_attainable"] + 1e-9
    assert auc((guess * factor).tolist(), (truth * factor).tolist()).value == plain.value
    step = np.array([64, -32, 0, 0])
    assert auc((guess + step).tolist(), (truth + step).tolist()).value == plain.value
    ours, theirs = (np.column_stack([side[:, :2], side[:, :2] + side[:, 2:]]).tolist() for side in (guess, truth))
    assert auc(ours, theirs, bbox_format="xyxy").value == plain.value
    assert auc(truth.tolist(), truth.tolist()).value == pytest.approx(100 * 20 / 21)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (Content(json=STILL[:3]), "FRAME_COUNT_MISMATCH"), (Content(json=[]), "NO_FRAMES"), (Content(json=[[1, 2, 3]] * 4), "BAD_BOX"),
        (Content(json=[*STILL[:3], [1, 2, 3, "4"]]), "BAD_BOX"), (Content(json=[*STILL[:3], [1, 2, 3, True]]), "BAD_BOX"),
        (Content(json=[*STILL[:3], [1, 2, 3, float("nan")]]), "BAD_BOX"), (Content(json=[*STILL[:3], [1, 2, 3, 1e300]]), "BAD_BOX"),
        (Content(json=[*STILL[:3], [1, 2, 3, 10**400]]), "BAD_BOX"), (Content(json={"boxes": STILL}), "WRONG_TYPE"), (Content(text="[[1, 2, 3, 4]]"), "WRONG_TYPE"),
        (Content(json=7), "WRONG_TYPE"), (text_file("1,2,3,4\n1,2,3\n"), "BAD_BOX"), (text_file("a track\n"), "BAD_BOX"), (text_file(" \n"), "NO_FRAMES"),
        (text_file("1,2,3,inf\n" * 4), "BAD_BOX"), (text_file("1,2,3,nan\n" * 4), "BAD_BOX"),
    ],
)  # fmt: skip
def test_predictions_that_do_not_fit_are_refused(given: Content, code: str) -> None:
    assert issue_of("success_auc", given, Content(json=STILL)) == (code, "prediction")


@pytest.mark.parametrize(
    ("truth", "attributes", "code"),
    [
        (STILL[:0], {}, "NO_FRAMES"), ([None] * 4, {}, "NO_OBJECT"), ([[1, 2, 0, 4]] * 4, {}, "NO_OBJECT"), (STILL, {"absent": [0, 1]}, "BAD_ATTRIBUTE"),
        (STILL, {"absent": "0011"}, "BAD_ATTRIBUTE"), (STILL, {"absent": [0, 1, 2, 0]}, "BAD_ATTRIBUTE"), (STILL, {"bbox_format": "cxcywh"}, "BAD_ATTRIBUTE"),
    ],
)  # fmt: skip
def test_references_that_cannot_be_used_are_left_out(truth: Any, attributes: dict[str, Any], code: str) -> None:
    assert issue_of("success_auc", Content(json=STILL), Content(json=truth), attributes) == (code, "reference")


def test_bytes_that_are_no_text() -> None:
    from genlevel_evaluator import media

    blob = Content(media=media.from_bytes(b"\xff\xfe\x00", "a.txt"))
    assert issue_of("success_auc", blob, Content(json=STILL)) == ("NOT_UTF8", "prediction")
