"""Task folders as General-Bench lays them out: names of folders and files, envelopes, ids, forms of predictions, each in turn."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from general_bench_samples import COUNT, Samples, samples_of

from genlevel_orchestrator.catalogue import Task

_MODALITIES = {
    "language": ["nlp", "NLP", "language"], "image": ["image", "Image"], "video": ["video", "Video"], "audio": ["audio", "Audio"],
    "three_d": ["3d", "3D"],
}  # fmt: skip
_FOLDERS: list[Callable[[str], str]] = [
    lambda name: name, lambda name: name.replace(" ", "-"), lambda name: name.title().replace(" ", ""), lambda name: name.lower().replace(" ", "_"),
]  # fmt: skip
_FILES = ["annotation.json", "json/annotation.json", "json/annotation_v2.json", "{folder}.json", "annotation_release.json", "annotations.json"]
_IDS: list[Callable[[int], Any]] = [lambda i: i, str, lambda i: f"sample-{i}", lambda i: 100 - i]


def write_task(root: Path, task: Task, number: int, right: int) -> Path:
    """A folder of the task of which the first ``right`` samples are answered rightly; ``number`` turns the spellings."""
    samples = samples_of(task)
    spelled = task.folder if task.folder and number % 2 else _FOLDERS[number % len(_FOLDERS)](task.name)
    modality = _MODALITIES[task.modality]
    folder = root / modality[number % len(modality)]
    if task.modality != "language":
        folder /= ["comprehension", "Comprehension"][number % 2] if task.paradigm == "comprehension" else task.paradigm
    folder /= spelled.replace("/", "-")
    (folder / "json").mkdir(parents=True)
    ids = [_IDS[number % len(_IDS)](i) for i in range(COUNT)]
    data = [{"id": ids[i], **samples.make(i)} for i in range(COUNT)]
    answers = [(samples.right if i < right else samples.wrong)(i) for i in range(COUNT)]
    random.Random(number).shuffle(data)
    name = "{folder}.json" if samples.type == "Match" else _FILES[number % len(_FILES)]
    _write(folder / name.format(folder=folder.name), _annotation(task, samples, data, number), bom=number % 5 == 0)
    _write_predictions(folder, task, ids, answers, number)
    return folder


def _annotation(task: Task, samples: Samples, data: list[dict[str, Any]], number: int) -> dict[str, Any]:
    names = [task.name, task.name_raw, task.name.lower().replace(" ", "_"), task.name.replace(" ", "") + "id", None]
    head: dict[str, Any] = {"data_source": "x", "type": samples.type, "modality": {"in": ["text"], "out": ["text"]}, **samples.envelope}
    if names[number % 5] is not None:
        head["task"] = names[number % 5]
    if number % 3 == 0:  # the envelope may come before the samples or behind them
        return {**head, "skill": "s", "domain": ["d"], "version": "1", "set_type": "openset", "data": data}
    return {"data": data, **head, "domain": "d", "general_capability": "c"}


def _write_predictions(folder: Path, task: Task, ids: list[Any], answers: list[Any], number: int) -> None:
    order = list(range(COUNT))
    random.Random(number + 1).shuffle(order)
    if task.modality == "audio" and number % 2:
        entries: Any = [{"gt": "?", "response": answers[i], "audio_path": f"/data/{folder.name}/audios/clips/{i}.wav"} for i in order]
        _write(folder / f"{folder.name}_250711101530.json", entries)
        return
    key = "prediction_final" if number % 4 == 1 else "prediction"
    entries = [{"id": str(ids[i]) if number % 6 == 2 else ids[i], key: answers[i], **({"prediction_steps": "x"} if key != "prediction" else {})} for i in order]
    document = {"task": task.name, "skill": "s", "type": "t", "data": entries} if number % 3 == 1 else entries
    _write(folder / "prediction.json", document, bom=number % 7 == 0)


def _write(path: Path, value: Any, bom: bool = False) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8-sig" if bom else "utf-8")
