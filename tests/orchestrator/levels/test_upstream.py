"""Policy ``upstream`` against values obtained by running the public scorer (general-bench-format.md, Appendix A)."""

from __future__ import annotations

import dataclasses
import math

import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.catalogue.level_tasks import level_tasks
from genlevel_orchestrator.levels import LevelsError, LevelTask, Result, compute_levels
from genlevel_orchestrator.levels.mappings import mapping
from genlevel_orchestrator.levels.upstream import UpstreamScorer

EXACT = 1e-10

# Label, raw value, score: the public scorer's maps, run.
MAPS = [
    ("PSNR", 34.6, 93.90559334707118),
    ("FID", 4.86, 98.83994515567134),
    ("FID", 177.3, 7.038539514647391),
    ("FVD", 71.27, 60.535542663702266),
    ("absRel", 0.071, 60.704292802067236),
    ("RMSE", 2.31, 79.40323883071412),
    ("MAE", 28.16, 71.02975260622075),
    ("RMS", 36.4, 59.59308339762435),
    ("MSE", 28.9, 8.629005719179395),
    ("SAD", 16.6, 29.241479972644235),
    ("FAD", 11.52, 40.868187708270476),
    ("MCD", 4.12, 54.186787209599665),
    ("CD", 0.217, 98.02591895760855),
    ("RTE", 0.55, 42.562819723499466),
    ("MOS", 3.82, 70.5),
    ("MS-SSIM", 0.542, 77.1),
    ("WER", 0.056, 94.4),
]

# Raw value below which each map gives exactly 100 in double precision.
SATURATION = {"FID": 0.6805, "MAE": 1.361, "CD": 0.0272, "FAD": 0.272, "FVD": 2.72, "EPE": 0.0272, "RTE": 0.0136}


def all_tasks() -> list[LevelTask]:
    return level_tasks(Catalogue.load())


def equal_to_sota(tasks: list[LevelTask]) -> dict[str, Result]:
    """The results of a model whose cells are the SoTA column."""
    return {task.task_id: Result(task.sota_cell) for task in tasks}


def some_task(label: str, modality: str = "image") -> LevelTask:
    return LevelTask("task", modality, "generation", label, False, "saturating", 1.0, 0.0, None, 1.0, 1.0)


@pytest.mark.parametrize(("label", "value", "score"), MAPS)
def test_maps(label: str, value: float, score: float) -> None:
    outcome = UpstreamScorer(some_task(label)).score(Result(value))
    assert outcome.score == pytest.approx(score, abs=EXACT)


@pytest.mark.parametrize(("label", "value", "score"), MAPS)
def test_paper_maps_agree_where_units_do(label: str, value: float, score: float) -> None:
    by_label = {
        "PSNR": ("tanh", 20.0), "MOS": ("rating", 0.0), "MS-SSIM": ("signed_fraction", 0.0),
        "FID": ("saturating", 25.0), "FVD": ("saturating", 100.0), "absRel": ("saturating", 0.1),
        "RMSE": ("saturating", 5.0), "MSE": ("saturating", 5.0), "MCD": ("saturating", 5.0),
        "MAE": ("saturating", 50.0), "RMS": ("saturating", 50.0), "SAD": ("saturating", 10.0),
        "FAD": ("saturating", 10.0), "CD": ("saturating", 1.0), "RTE": ("saturating", 0.5),
        "WER": ("complement", 0.0),
    }
    name, scale = by_label[label]
    percent = 100.0 * value if label == "WER" else value
    assert mapping(name, scale)(percent) == pytest.approx(score, abs=EXACT)


@pytest.mark.parametrize(("label", "threshold"), SATURATION.items())
def test_saturation(label: str, threshold: float) -> None:
    scorer = UpstreamScorer(some_task(label))
    assert scorer.score(Result(0.999 * threshold)).score == 100.0
    assert (scorer.score(Result(1.01 * threshold)).score or 0.0) < 100.0


def test_model_equal_to_sota() -> None:
    tasks = all_tasks()
    levels = compute_levels(tasks, equal_to_sota(tasks), "upstream")
    assert levels.level_2 == pytest.approx(112.20786464365304, abs=EXACT)
    assert levels.level_3 == pytest.approx(112.20786464365304, abs=EXACT)
    assert levels.level_4 == pytest.approx(156.21245112919934, abs=EXACT)
    assert levels.level_5 == pytest.approx(98.83674852003352, abs=EXACT)
    assert levels.language.winning_mean == pytest.approx(63.27072381591924, abs=EXACT)
    means = {
        "image": (53.270728530863735, 69.10990861573569),
        "video": (45.91745019531117, 70.44692175260535),
        "audio": (75.90625, -126.40201753165293),
        "three_d": (71.80087406690843, 637.6128015194528),
    }
    for name, (comprehension, generation) in means.items():
        modality = levels.modalities[name]
        assert modality.comprehension.mean == pytest.approx(comprehension, abs=EXACT)
        assert modality.generation.mean == pytest.approx(generation, abs=EXACT)
    assert levels.modalities["audio"].level_4 == pytest.approx(380.02, abs=0.005)


def test_quirks_repaired() -> None:
    """WER in percent, labels of Chamfer distance and RTE recognised, language RMSE mapped on both sides: policy ``paper``."""
    tasks = all_tasks()
    levels = compute_levels(tasks, {task.task_id: Result(task.sota) for task in tasks}, "paper")
    assert levels.level_2 == pytest.approx(63.004263377791474, abs=EXACT)
    assert levels.level_3 == pytest.approx(63.004263377791474, abs=EXACT)
    # The public scorer's 1e-6 in the denominator of level 4 is left out by policy paper.
    assert levels.level_4 == pytest.approx(61.6107952666169, abs=1e-6)
    assert levels.level_5 == pytest.approx(38.98159611393262, abs=1e-6)
    assert levels.modalities["audio"].generation.mean == pytest.approx(58.727982468347065, abs=EXACT)
    assert levels.modalities["three_d"].comprehension.mean == pytest.approx(73.20130139102508, abs=EXACT)
    assert levels.modalities["three_d"].generation.mean == pytest.approx(56.60323679259713, abs=EXACT)
    assert levels.modalities["video"].comprehension.mean == pytest.approx(46.7677774711577, abs=EXACT)


def test_flow_sota_read_as_pixels() -> None:
    tasks = [
        dataclasses.replace(task, sota=task.sota_cell) if task.label == "EPE" else task for task in all_tasks()
    ]
    levels = compute_levels(tasks, {task.task_id: Result(task.sota) for task in tasks}, "paper")
    assert levels.modalities["video"].comprehension.mean == pytest.approx(45.91745019531117, abs=EXACT)
    assert levels.level_2 == pytest.approx(62.897972468310655, abs=EXACT)
    assert levels.level_4 == pytest.approx(61.45609963581625, abs=1e-6)
    assert levels.level_5 == pytest.approx(38.88371906861345, abs=1e-6)


def test_empty_model_wins_five_audio_tasks() -> None:
    levels = compute_levels(all_tasks(), {}, "upstream")
    assert (levels.level_2, levels.level_3, levels.level_4, levels.level_5) == (0.0, 0.0, 0.0, 0.0)
    audio = levels.modalities["audio"]
    assert audio.comprehension.wins + audio.generation.wins == 5


def test_halved_wer_still_loses_level_4() -> None:
    tasks = all_tasks()
    results = equal_to_sota(tasks)
    for task in tasks:
        if task.label == "WER":
            results[task.task_id] = Result(task.sota_cell / 2.0)
    audio = compute_levels(tasks, results, "upstream").modalities["audio"]
    assert audio.level_4 == pytest.approx(-116.15, abs=0.005)


def test_thousandfold_chamfer_distance_lifts_level_2() -> None:
    tasks = all_tasks()
    results = equal_to_sota(tasks)
    for task in tasks:
        if task.label == "CD (Chamfer Distance)":
            results[task.task_id] = Result(task.sota_cell * 1000.0)
    level_2 = compute_levels(tasks, results, "upstream").modalities["three_d"].level_2
    assert level_2 == pytest.approx(297335.87, abs=0.005)


def test_language_rmse() -> None:
    """Only the model is mapped, so an RMSE of 100 beats the raw SoTA of 2.31, and 108.3 is the first to lose."""
    tasks = all_tasks()
    series = next(task for task in tasks if task.modality == "language" and task.label == "RMSE")

    def won(value: float) -> bool:
        outcomes = compute_levels(tasks, {series.task_id: Result(value)}, "upstream").outcomes
        return next(outcome.won for outcome in outcomes if outcome.task_id == series.task_id)

    assert won(100.0)
    assert won(108.2)
    assert not won(108.3)
    with pytest.raises(LevelsError, match="divide by zero"):
        won(0.0)


@pytest.mark.parametrize("value", [0.0, math.inf])
@pytest.mark.parametrize("label", ["FID", "PSNR", "MS-SSIM", "WER"])
def test_zero_and_infinity_of_mapped_metrics_are_worst(label: str, value: float) -> None:
    assert UpstreamScorer(some_task(label)).score(Result(value)).score == 0.0


def test_negative_value_stops_the_scorer() -> None:
    tasks = [some_task("MS-SSIM")]
    with pytest.raises(LevelsError, match=r"task: -0\.1 is negative"):
        compute_levels(tasks, {"task": Result(-0.1)}, "upstream")
