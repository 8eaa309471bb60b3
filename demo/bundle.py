"""One task of the bundle: samples are added with their media, then both JSON files are written.

Layout: `<root>/references/<modality>/<paradigm>/<Task>/annotation.json` with the media of inputs and references beside
it, and `<root>/predictions/<modality>/<paradigm>/<Task>/prediction.json` with the predicted media (language has no
paradigm folder).
"""

from __future__ import annotations

import csv
import functools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Save = Callable[[Path], None]

CATALOGUE = Path(__file__).parents[1] / "orchestrator" / "genlevel_orchestrator" / "catalogue" / "data"


@functools.cache
def skills() -> dict[str, str]:
    """Return the skill of each task by its name in the catalogue."""
    with (CATALOGUE / "skills.csv").open(encoding="utf-8", newline="") as stream:
        names = {row["skill_id"]: row["name"] for row in csv.DictReader(stream)}
    with (CATALOGUE / "tasks.csv").open(encoding="utf-8", newline="") as stream:
        return {row["name"]: names[row["skill_id"]] for row in csv.DictReader(stream)}


@dataclass(frozen=True)
class Media:
    """A file to be written: its extension and how."""

    suffix: str
    save: Save


@dataclass(frozen=True)
class Recipe:
    """What a task says about itself.

    Args:
        name: as the catalogue prints it.
        paradigm: comprehension, generation or language.
        truth: why the references are true.
        baseline: what made the predictions.
        others: further keys of the annotation (classes, box format ...).
    """

    name: str
    modality: str
    paradigm: str
    type: str
    sources: tuple[str, ...]
    truth: str
    baseline: str
    others: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Folder of the task below either root."""
        words = re.findall(r"[A-Za-z0-9]+", self.name)
        task = "".join(word[0].upper() + word[1:] for word in words)
        if self.modality == "language":
            return Path("nlp") / task
        return Path(self.modality) / self.paradigm / task


class Task:
    """Collects the samples of a task and writes them."""

    def __init__(self, root: Path, recipe: Recipe) -> None:
        self.recipe = recipe
        self.references = root / "references" / recipe.folder
        self.predictions = root / "predictions" / recipe.folder
        for folder in (self.references, self.predictions):
            folder.mkdir(parents=True, exist_ok=True)
        self._samples: list[dict[str, Any]] = []
        self._predictions: list[dict[str, Any]] = []

    @property
    def count(self) -> int:
        """Number of samples so far."""
        return len(self._samples)

    def add(self, given: dict[str, Any], reference: dict[str, Any], prediction: Any) -> None:
        """Add a sample: its input, its reference under one key, what the baseline predicts.

        A Media value anywhere in them is written into the task's folder and replaced by its relative path.
        """
        identifier = f"{len(self._samples) + 1:04d}"
        self._samples.append(
            {
                "id": identifier,
                "input": _store(given, self.references / "inputs", identifier),
                "output": _store(reference, self.references / "outputs", identifier),
            }
        )
        stored = _store(prediction, self.predictions / "outputs", identifier)
        self._predictions.append({"id": identifier, "prediction": stored})

    def write(self) -> None:
        """Write annotation.json and prediction.json."""
        if not 8 <= len(self._samples) <= 60:
            raise ValueError(f"{self.recipe.name} has {len(self._samples)} samples; 8 to 60 are due")
        recipe = self.recipe
        envelope: dict[str, Any] = {"task": recipe.name, "type": recipe.type}
        annotation = {
            **envelope,
            "data_source": "; ".join(recipe.sources),
            "skill": skills()[recipe.name],
            "set_type": "openset",
            "version": "1.0",
            "others": {"truth": recipe.truth, **recipe.others},
            "data": self._samples,
        }
        prediction = {**envelope, "model": "demo-baselines", "baseline": recipe.baseline, "data": self._predictions}
        _write_json(self.references / "annotation.json", annotation)
        _write_json(self.predictions / "prediction.json", prediction)


def _store(value: Any, folder: Path, name: str) -> Any:
    """Write the media in `value` into `folder`; return `value` with their paths instead, from the folder above."""
    if isinstance(value, Media):
        folder.mkdir(exist_ok=True)
        path = folder / f"{name}{value.suffix}"
        value.save(path)
        return path.relative_to(folder.parent).as_posix()
    if isinstance(value, dict):
        return {key: _store(item, folder, f"{name}-{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_store(item, folder, f"{name}-{number:02d}") for number, item in enumerate(value)]
    return value


def _write_json(path: Path, body: dict[str, Any]) -> None:
    path.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
