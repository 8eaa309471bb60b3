"""Policy ``paper``: wins, limits, refusals, denominators, coverage, status."""

from __future__ import annotations

import dataclasses
import math

import pytest

from genlevel_orchestrator.levels import LevelCalculator, LevelsError, LevelTask, Outcome, Result, compute_levels
from genlevel_orchestrator.levels.paper import PaperScorer

ACCURACY = LevelTask("accuracy", "image", "comprehension", "Acc", True, "identity", 0.0, 0.0, 100.0, 60.0, 60.0)
FID = LevelTask("fid", "image", "generation", "FID", False, "saturating", 25.0, 0.0, None, 10.0, 10.0, True)
PSNR = LevelTask("psnr", "image", "generation", "PSNR", True, "tanh", 20.0, None, None, 30.0, 30.0)
WER = LevelTask("wer", "audio", "generation", "WER", False, "complement", 0.0, 0.0, None, 5.6, 5.6)
MOS = LevelTask("mos", "audio", "generation", "MOS", True, "rating", 0.0, 1.0, 5.0, 3.8, 3.8)
MS_SSIM = LevelTask("ms_ssim", "image", "generation", "MS-SSIM", True, "signed_fraction", 0.0, -1.0, 1.0, 0.5, 0.5)
CIDER = LevelTask("cider", "audio", "generation", "CIDEr", True, "identity", 0.0, 0.0, 1000.0, 51.4, 51.4)


def outcome(task: LevelTask, result: Result) -> Outcome:
    return compute_levels([task], {task.task_id: result}).outcomes[0]


@pytest.mark.parametrize(
    ("task", "value", "score"),
    [
        (FID, 0.0, 100.0),
        (FID, 5e-324, 100.0),
        (FID, 1e308, 0.0),
        (PSNR, math.inf, 100.0),
        (PSNR, 0.0, 0.0),
        (PSNR, -3.0, 0.0),
        (WER, 0.0, 100.0),
        (WER, 250.0, 0.0),
        (MOS, 1.0, 0.0),
        (MOS, 5.0, 100.0),
        (MS_SSIM, -1.0, 0.0),
        (MS_SSIM, 0.0, 50.0),
        (CIDER, 180.0, 100.0),
        (ACCURACY, 100.0 + 1e-10, 100.0),
    ],
)
def test_limits_and_clipping(task: LevelTask, value: float, score: float) -> None:
    assert outcome(task, Result(value)).score == pytest.approx(score, abs=1e-9)


@pytest.mark.parametrize(
    ("task", "value", "won"),
    [(ACCURACY, 60.0, True), (ACCURACY, 59.999, False), (FID, 10.0, True), (FID, 9.0, True), (FID, 10.001, False)],
)
def test_a_win_is_decided_on_raw_values_and_ties_win(task: LevelTask, value: float, won: bool) -> None:
    assert outcome(task, Result(value)).won is won


def test_saturated_values_do_not_tie() -> None:
    motion = dataclasses.replace(FID, sota=0.228)
    worse = outcome(motion, Result(0.6))
    assert worse.score == worse.sota_score == 100.0
    assert not worse.won


@pytest.mark.parametrize(
    ("task", "value", "words"),
    [
        (ACCURACY, math.nan, "NaN"),
        (ACCURACY, 101.0, "above 100"),
        (ACCURACY, -1.0, "below 0"),
        (ACCURACY, math.inf, "infinite"),
        (FID, -0.5, "cannot be negative"),
        (FID, math.inf, "infinite"),
        (PSNR, -math.inf, "infinite"),
        (MOS, 0.0, "below 1"),
        (MOS, 5.5, "above 5"),
        (MS_SSIM, 1.1, "above 1"),
    ],
)
def test_impossible_values_are_refused_with_their_task(task: LevelTask, value: float, words: str) -> None:
    with pytest.raises(LevelsError, match=words) as caught:
        outcome(task, Result(value))
    assert [fault.task_id for fault in caught.value.faults] == [task.task_id]


def test_every_fault_is_named_at_once() -> None:
    results = {"accuracy": Result(math.nan), "fid": Result(-1.0), "nothing": Result(3.0), "psnr": Result(20.0)}
    with pytest.raises(LevelsError) as caught:
        compute_levels([ACCURACY, FID, PSNR], results)
    assert {fault.task_id for fault in caught.value.faults} == {"accuracy", "fid", "nothing"}


def test_scored_without_value_and_bad_coverage_are_refused() -> None:
    for result in (Result(None), Result(1.0, coverage=1.5), Result(1.0, coverage=math.nan)):
        with pytest.raises(LevelsError):
            outcome(ACCURACY, result)


def test_unsupported_tasks_stay_in_the_denominators() -> None:
    second = dataclasses.replace(ACCURACY, task_id="second")
    levels = compute_levels([ACCURACY, second, PSNR], {"accuracy": Result(80.0)})
    image = levels.modalities["image"]
    assert image.comprehension.mean == 40.0
    assert image.comprehension.winning_mean == 40.0
    assert image.level_2 == image.level_3 == 20.0
    assert image.level_4 == 0.0
    # Three modalities without any task count as 0 too.
    assert levels.level_2 == 5.0
    assert levels.highest == 3
    assert levels.status == "partial"


def test_levels_by_hand() -> None:
    language = LevelTask("words", "language", "language", "ACC", True, "identity", 0.0, 0.0, 100.0, 50.0, 50.0)
    lost = dataclasses.replace(language, task_id="lost", sota=99.0)
    results = {"accuracy": Result(80.0), "psnr": Result(40.0), "words": Result(60.0), "lost": Result(60.0)}
    levels = compute_levels([ACCURACY, PSNR, language, lost], results)
    generation = 100.0 * math.tanh(2.0)
    assert levels.level_2 == pytest.approx((80.0 + generation) / 2.0 / 4.0)
    assert levels.level_3 == pytest.approx((80.0 + generation) / 2.0 / 4.0)
    assert levels.level_4 == pytest.approx(2.0 * 80.0 * generation / (80.0 + generation) / 4.0)
    assert levels.language_weight == pytest.approx(0.30)
    assert levels.level_5 == pytest.approx(levels.level_4 * 0.30)
    assert levels.status == "complete"
    assert levels.highest == 5


def test_a_value_that_is_not_comparable_counts_but_never_wins() -> None:
    levels = compute_levels([ACCURACY], {"accuracy": Result(99.0, comparable=False)})
    image = levels.modalities["image"]
    assert image.comprehension.mean == 99.0
    assert image.comprehension.winning_mean == 0.0
    assert levels.status == image.status == "not_comparable"


def test_coverage_scales_errors_and_forbids_wins() -> None:
    full, half = outcome(FID, Result(5.0)), outcome(FID, Result(5.0, coverage=0.5))
    assert full.score is not None
    assert full.won
    assert half.score == pytest.approx(0.5 * full.score)
    assert not half.won


def test_coverage_of_bounded_metrics_is_in_their_value_already() -> None:
    covered = outcome(ACCURACY, Result(70.0, coverage=0.9))
    assert covered.score == 70.0
    assert covered.won


def test_failed_tasks_make_the_levels_provisional() -> None:
    levels = compute_levels([ACCURACY, PSNR], {"accuracy": Result(None, "failed")})
    assert levels.status == levels.modalities["image"].status == "provisional"
    assert levels.modalities["video"].status == "complete"
    assert levels.modalities["image"].comprehension.failed == 1


def test_empty_results() -> None:
    levels = compute_levels([ACCURACY, FID], {})
    assert (levels.level_2, levels.level_3, levels.level_4, levels.level_5) == (0.0, 0.0, 0.0, 0.0)
    assert levels.highest == 1
    assert levels.status == "partial"


def test_task_ids_must_be_unique() -> None:
    with pytest.raises(ValueError, match="unique"):
        LevelCalculator([ACCURACY, ACCURACY])


def test_scorer_reports_faults_without_raising() -> None:
    assert PaperScorer(ACCURACY).fault(Result(50.0)) is None
    assert PaperScorer(ACCURACY).fault(Result(math.nan)) is not None
