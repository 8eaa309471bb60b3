"""The shipped catalogue: counts, labels, units, SoTA, look-ups."""

from __future__ import annotations

import collections
import math

import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.catalogue.level_tasks import level_tasks
from genlevel_orchestrator.catalogue.names import modality_name, name_key, nearest, paradigm_name
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.levels.mappings import NAMES, clip, mapping


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def test_counts(catalogue: Catalogue) -> None:
    assert len(catalogue.tasks) == 699
    assert len(catalogue.metrics) == 84
    assert len(catalogue.skills) == 145
    assert len(catalogue.labels) == 70
    assert sum(len(ids) for ids in catalogue.labels.values()) == 87
    assert sorted(catalogue.paper_metrics) == list(range(1, 59))


def test_groups(catalogue: Catalogue) -> None:
    counts = collections.Counter(task.group for task in catalogue.tasks.values())
    assert counts == {
        "image.comprehension": 271, "image.generation": 45, "video.comprehension": 126, "video.generation": 46,
        "audio.comprehension": 24, "audio.generation": 20, "three_d.comprehension": 30, "three_d.generation": 22,
        "language": 115,
    }
    skills = collections.Counter((skill.modality, skill.paradigm) for skill in catalogue.skills.values())
    assert [skills[key] for key in (("image", "comprehension"), ("image", "generation"))] == [40, 15]
    assert [skills[key] for key in (("video", "comprehension"), ("video", "generation"))] == [20, 6]
    assert [skills[key] for key in (("audio", "comprehension"), ("audio", "generation"))] == [9, 11]
    assert [skills[key] for key in (("three_d", "comprehension"), ("three_d", "generation"))] == [13, 9]
    assert skills[("language", "language")] == 22


def test_every_label_spelling_resolves(catalogue: Catalogue) -> None:
    """Each of the 70 spellings leads, with its task where it is ambiguous, to one metric with everything about it."""
    used = collections.defaultdict(set)
    for task in catalogue.tasks.values():
        metric = catalogue.metric_of(task)
        assert task.metric_id in catalogue.labels[task.metric_label]
        assert metric.direction in ("higher", "lower")
        assert metric.unit
        assert metric.sota_unit
        assert metric.mapping in NAMES
        used[task.metric_label].add(task.metric_id)
    assert {label: set(ids) for label, ids in catalogue.labels.items()} == used


@pytest.mark.parametrize(
    ("label", "metric_id"),
    [("ACC", "accuracy"), ("BLUE_1", "bleu_1"), ("Fram-Acc", "frame_accuracy"), ("absRel", "abs_rel"), ("FVD", "fvd")],
)
def test_unambiguous_labels(catalogue: Catalogue, label: str, metric_id: str) -> None:
    assert catalogue.metric(label).metric_id == metric_id


@pytest.mark.parametrize("label", ["AUC", "F1", "AP50", "CLIP score", "Successful rate", "FID", "RMSE", "PSNR", "mIoU"])
def test_ambiguous_labels_name_their_metrics(catalogue: Catalogue, label: str) -> None:
    with pytest.raises(UserError, match="stands for") as caught:
        catalogue.metric(label)
    assert caught.value.remedy is not None
    assert all(metric_id in caught.value.remedy for metric_id in catalogue.labels[label])


def test_sota_scores_lie_in_range(catalogue: Catalogue) -> None:
    for task in level_tasks(catalogue):
        score = clip(mapping(task.mapping, task.scale)(task.sota))
        assert 0.0 < score <= 100.0, task.task_id


def test_units_of_sota(catalogue: Catalogue) -> None:
    """Only the three flow cells are converted; they invert to pixels and carry a flag."""
    converted = [task for task in catalogue.tasks.values() if task.sota_raw != task.sota_workbook]
    assert {task.metric_id for task in converted} == {"epe"}
    assert sorted(task.sota_raw for task in converted) == pytest.approx([0.928, 1.200, 2.135], abs=0.001)
    for task in converted:
        assert task.flag
        assert 100.0 * math.tanh(0.5 / task.sota_raw) == pytest.approx(task.sota_workbook, abs=1e-9)


def test_paper_sota(catalogue: Catalogue) -> None:
    """The paper's language SoTA differs from the workbook's on 63 tasks: 62 better, 1 worse."""
    differing = [task for task in catalogue.tasks.values() if task.sota_paper is not None]
    assert len(differing) == 63
    better = 0
    for task in differing:
        assert task.modality == "language"
        assert task.sota_paper is not None
        gain = task.sota_paper - task.sota_workbook
        better += (gain > 0) is catalogue.metric_of(task).higher_is_better
    assert better == 62
    series = next(task for task in differing if task.metric_id == "rmse")
    assert (series.sota_paper, series.sota_workbook) == (0.31, 2.31)


def test_flags_of_ambiguous_cells(catalogue: Catalogue) -> None:
    ambiguous = ("epe", "psnr_or_clip_score", "chamfer_distance", "fid_motion", "depth_rms", "ap_10", "ap_anomaly", "dice")
    for task in catalogue.tasks.values():
        if task.metric_id in ambiguous:
            assert task.flag, task.task_id
    assert sum(task.flag is not None for task in catalogue.tasks.values()) == 66


def test_win_decidable(catalogue: Catalogue) -> None:
    undecidable = [task.task_id for task in catalogue.tasks.values() if not task.win_decidable]
    assert len(undecidable) == 7
    assert "three_d.generation.3d-point-cloud-completion" in undecidable
    assert "video.generation.material-specific-text-to-video-generation" in undecidable


@pytest.mark.parametrize(
    ("task_id", "evaluator"),
    [
        ("image.generation.image-desnowing", "image"),
        ("video.generation.video-denoising", "video"),
        ("three_d.comprehension.3d-odometry", "three_d"),
        ("audio.generation.image-to-speech", "audio"),
        ("audio.generation.text-to-speech", "audio"),
        ("audio.generation.daily-talk-generation", "language"),
        ("video.comprehension.video-semantic-role-labeling", "language"),
        ("video.generation.portrait-video-style-transfer", "language"),
        ("image.generation.eeg-based-image-generation", "language"),
    ],
)
def test_evaluator_of_a_task(catalogue: Catalogue, task_id: str, evaluator: str) -> None:
    assert catalogue.tasks[task_id].evaluator == evaluator


@pytest.mark.parametrize(
    ("modality", "paradigm", "name", "task_id"),
    [
        ("Image", "Comprehension", "tire-crack-detection", "image.comprehension.tire-crack-detection"),
        ("image", "comprehension", "Tire Crack Detection (category level not dense preds)", "image.comprehension.tire-crack-detection"),
        ("image", "comprehension", "Image Scene Graph Parsing", "image.comprehension.image-scene-graph-parsing"),
        ("3D", "generation", "Text to 3D Motion_Generation", "three_d.generation.text-to-3d-motion-generation"),
        ("nlp", "", "Commonsense-Reasoning", "language.commonsense-reasoning"),
        ("NLP", "language", "language.commonsense-reasoning", "language.commonsense-reasoning"),
        ("video", "generation", "SceneT2V", "video.generation.scene-text-to-video-generation"),
        ("audio", "generation", "SpeechTranslation (zh-to-en)", "audio.generation.speech-translation-zh-to-en"),
        ("audio", "generation", "SpeechTranslation （en-to-zh）", "audio.generation.speech-translation-en-to-zh"),
    ],
)
def test_resolve_task(catalogue: Catalogue, modality: str, paradigm: str, name: str, task_id: str) -> None:
    assert catalogue.resolve_task(modality, paradigm, name).task_id == task_id


def test_every_task_is_found_by_name_id_folder_and_alias(catalogue: Catalogue) -> None:
    for task in catalogue.tasks.values():
        for name in (task.name, task.name_raw, task.task_id, *task.aliases, *((task.folder,) if task.folder else ())):
            assert catalogue.resolve_task(task.modality, task.paradigm, name) is task


@pytest.mark.parametrize(
    ("modality", "paradigm", "name", "nearest_name"),
    [
        ("image", "comprehension", "Tire Crak Detection", "Tire Crack Detection"),
        ("imag", "comprehension", "x", "image"),
        ("image", "generatoin", "x", "generation"),
        ("language", "", "Comonsense Reasoning", "Commonsense Reasoning"),
    ],
)
def test_unknown_names_suggest_the_nearest(
    catalogue: Catalogue, modality: str, paradigm: str, name: str, nearest_name: str
) -> None:
    with pytest.raises(UserError) as caught:
        catalogue.resolve_task(modality, paradigm, name)
    assert nearest_name in (caught.value.remedy or "")


def test_unknown_metric_suggests_the_nearest(catalogue: Catalogue) -> None:
    with pytest.raises(UserError, match="unknown metric 'psnrr'") as caught:
        catalogue.metric("psnrr")
    assert "psnr" in (caught.value.remedy or "")


def test_task_by_name(catalogue: Catalogue) -> None:
    assert catalogue.task("Tire Crack Detection").modality == "image"
    with pytest.raises(UserError, match="unknown task"):
        catalogue.task("no such thing at all")


def test_scorable(catalogue: Catalogue) -> None:
    task = catalogue.tasks["video.generation.video-denoising"]
    assert catalogue.scorable(task, {("video", "psnr")})
    assert not catalogue.scorable(task, {("image", "psnr")})
    assert not catalogue.scorable(task, set())


def test_names() -> None:
    assert modality_name("3d") == modality_name("Three_D") == "three_d"
    assert paradigm_name("Generation", "audio") == "generation"
    assert paradigm_name("anything", "language") == "language"
    assert name_key("A-b_ C（1）") == "abc1"
    assert nearest("zzzzzz", ["image"]) == []
