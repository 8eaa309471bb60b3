"""Every task the audio evaluator scores is scored from a folder as General-Bench lays it out, to a value derived by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_general_bench
from general_bench_audio import COUNT, SENTENCES, tone, write_audio
from general_bench_proofs import prove, use
from test_general_bench import CATALOGUE, score

from genlevel_audio.audio import decode
from genlevel_audio.metrics import mcd
from genlevel_audio.metrics.mcd import McdParameters
from genlevel_evaluator import media
from genlevel_evaluator.captions import Caption
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.metric import Sample
from genlevel_orchestrator.catalogue import Task

TASKS = [task for task in CATALOGUE.tasks.values() if task.evaluator == "audio"]
BEST = {"cider": 1000.0, "fad": 0.0, "mcd": 0.0, "wer": 0.0}
HALF = {
    "cider": 500.0,  # half of what was said shares nothing with its text
    "wer": 50.0,  # half of the utterances, all of one length, are not said
    # Real: two recordings of unit vectors a and b, twice each; generated: a, b, a, a. As for fid: both covariances lie along d = a - b, the
    # means differ by d / 4; variances are n p (1 - p) / (n - 1) of |d|^2 = 2 with n = 4, p = 1/2 and 1/4: 2/3 and 1/2.
    "fad": 2 / 16 + 2 / 3 + 1 / 2 - 2 * math.sqrt(2 / 3 * 1 / 2),
}


class StandIn:
    """Networks that know the recordings of these tests by number, and texts that name them; all else is one further thing."""

    def device(self, name: str) -> str:
        """Where they run."""
        return "stand-in"

    def prepare(self, name: str, value: Any) -> int:
        """The number of what is heard or named."""
        if isinstance(value, Caption):
            return int(value.text.removeprefix("sound "))
        return next((i for i in range(COUNT) if value.sha256 == media.from_bytes(tone(i), "a.wav").sha256), COUNT)

    def features(self, name: str, values: Sequence[int], check: Callable[[], None]) -> list[Any]:
        """A unit vector of its own for each, or what is said."""
        if name == "whisper_tiny_en":
            return [(*SENTENCES, "")[value] for value in values]
        if name == "dnsmos":
            return [np.full((1, 4), 3.0, dtype=np.float32) for _ in values]
        return [np.eye(COUNT + 1, 512, dtype=np.float32)[value] for value in values]


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, StandIn())


def _distortion(reference: int, prediction: int) -> float:
    """Of two recordings, which test_mcd holds against pymcd."""
    sides = [decode(media.from_bytes(tone(i), "a.wav")) for i in (prediction, reference)]
    return float(mcd.observe(Sample("1", sides[0], (sides[1],)), McdParameters())["value"])


def expected(task: Task, right: int) -> float:
    if right == COUNT:
        return BEST.get(task.metric_id, 100.0)
    if task.metric_id == "mcd":
        return (_distortion(2, COUNT) + _distortion(3, COUNT)) / 4
    return HALF.get(task.metric_id, 50.0)


@pytest.mark.parametrize(("number", "task"), list(enumerate(TASKS)), ids=[task.task_id for task in TASKS])
def test_every_task_is_scored_from_its_files(number: int, task: Task, tmp_path: Path) -> None:
    prove(write_audio, number, task, tmp_path, lambda right: expected(task, right))


def _companions(metric: str, tmp_path: Path, outputs: Callable[[int], Any], given: Callable[[int], Any]) -> dict[str, float]:
    """Of the first task of a metric whose annotations hold these things; all answers are right."""
    number, task = next((i, task) for i, task in enumerate(TASKS) if task.metric_id == metric and not task.parameters)
    folder = write_audio(tmp_path, task, number, COUNT)
    annotation = next(path for path in folder.rglob("*.json") if "prediction" not in path.name)
    content = json.loads(annotation.read_text(encoding="utf-8"))
    for place, sample in enumerate(content["data"]):
        i = COUNT - 1 - place
        sample["input"], sample["output"] = given(i), outputs(i)
    annotation.write_text(json.dumps(content), encoding="utf-8")
    for i in range(COUNT + 1):
        (folder / "audios").mkdir(exist_ok=True)
        (folder / f"audios/{i}.wav").write_bytes(tone(i))
    value, noted, issues, _, _ = score(tmp_path)
    assert noted == []
    assert issues == []
    assert value.value == BEST.get(metric, 100.0)
    return dict(value.companions)


def test_true_recordings_of_a_folder_reach_the_companions(tmp_path: Path) -> None:
    def edited(i: int) -> dict[str, str]:
        return {"audio_file": f"{COUNT if i else 0}.wav", "prompt": f"sound {i}"}

    heard = _companions("clap_score", tmp_path / "clap", lambda i: {"audio_file": f"{i}.wav"}, edited)
    assert heard["reference_pairs"] == pytest.approx(100.0)
    assert heard["content_preservation"] == pytest.approx(25.0)  # one of four sources is what is to come out of it
    said = _companions(
        "wer", tmp_path / "wer", lambda i: {"audio_file": f"{i if i else COUNT}.wav", "transcript": SENTENCES[i]}, lambda i: {"prompt": "Say it."}
    )
    assert said["wer_of_true_recordings"] == pytest.approx(25.0)  # in one of four true recordings nothing is heard


def test_a_recording_that_was_only_given_is_no_source(tmp_path: Path) -> None:
    heard = _companions("clap_score", tmp_path, lambda i: {}, lambda i: {"audio_file": f"{i}.wav", "prompt": f"sound {i}"})
    assert not {"reference_pairs", "content_preservation"} & heard.keys()


def test_all_audio_tasks_are_scored() -> None:
    others = [task for task in CATALOGUE.tasks.values() if task.modality == "audio" and task.evaluator == "language"]
    rated = [task for task in others if task.metric_id in test_general_bench.RATED]
    assert all(task in test_general_bench.TASKS for task in others if task not in rated)
    assert (len(TASKS), len(others), len(rated)) == (16, 28, 4)
    assert {task.metric_id for task in TASKS} <= set(load("audio").metric_ids)
