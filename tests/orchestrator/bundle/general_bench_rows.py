"""Task folders of media: samples, files, right and wrong answers as rows, written as General-Bench lays them out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from general_bench import _FOLDERS, _IDS, _MODALITIES, _write

from genlevel_orchestrator.catalogue import Task

COUNT = 4
"""Samples of a task."""


@dataclass
class Rows:
    """Samples of one task.

    Attributes:
        sample: what an annotated sample holds besides its id, by number.
        right: right predictions, by number; likewise `wrong`.
        files: media of the task by path below its folder.
        envelope: further entries beside `data`.
        key: entry of the annotation that names a sample.
    """

    sample: Callable[[int], Any]
    right: Callable[[int], Any]
    wrong: Callable[[int], Any]
    files: dict[str, bytes] = field(default_factory=dict)
    envelope: dict[str, Any] = field(default_factory=dict)
    key: str = "id"


def folder_of(root: Path, task: Task, number: int, modality: str, files: Mapping[str, bytes]) -> Path:
    """The folder of a task with its files; `number` turns the spellings."""
    spelled = task.folder if task.folder and number % 2 else _FOLDERS[number % len(_FOLDERS)](task.name).replace("/", "-")
    folder = root / _MODALITIES[modality][number % 2] / task.paradigm / spelled
    folder.mkdir(parents=True)
    for name, data in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return folder


def write_rows(root: Path, task: Task, number: int, right: int, modality: str, rows: Rows) -> Path:
    """A folder of the task of which the first `right` samples are answered rightly; `number` turns the spellings."""
    folder = folder_of(root, task, number, modality, rows.files)
    ids = [_IDS[number % len(_IDS)](i) for i in range(COUNT)]
    data = [{rows.key: ids[i], **json.loads(json.dumps(rows.sample(i)).replace("{folder}", folder.name))} for i in range(COUNT)]
    answers = [{"id": ids[i], "prediction": (rows.right if i < right else rows.wrong)(i)} for i in range(COUNT)]
    kind = {"video": "VideoGeneration", "three_d": "3DGeneration"}[modality] if task.paradigm == "generation" else "comprehension"
    annotation = "annotation.json" if number % 2 else f"{folder.name}.json"
    _write(folder / annotation, {"task": task.name, "type": kind, **rows.envelope, "data": data[::-1]})
    _write(folder / "prediction.json", answers if number % 3 else {"task": task.name, "type": kind, "data": answers})
    return folder
