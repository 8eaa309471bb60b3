"""One task of the bundle: samples are added with their media, then both JSON files are written.

Layout: `<root>/<modality>/<paradigm>/<Task>/annotation.json` and `prediction.json` beside it, media in `inputs/`,
`references/` and `predictions/` of the same folder (language has no paradigm folder).
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
        """Folder of the task below the root of the bundle."""
        words = re.findall(r"[A-Za-z0-9]+", self.name)
        task = "".join(word[0].upper() + word[1:] for word in words)
        if self.modality == "language":
            return Path("nlp") / task
        return Path(self.modality) / self.paradigm / task


class Task:
    """Collects the samples of a task and writes them."""

    def __init__(self, root: Path, recipe: Recipe) -> None:
        self.recipe = recipe
        self.folder = root / recipe.folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._samples: list[dict[str, Any]] = []
        self._predictions: list[dict[str, Any]] = []

    @property
    def count(self) -> int:
        """Number of samples so far."""
        return len(self._samples)

    def add(self, given: dict[str, Any], reference: dict[str, Any], prediction: Any) -> None:
        """Add a sample: its input, its reference under one key, what the baseline predicts.

        A Media value anywhere in them is written into the folder and replaced by its relative path.
        """
        identifier = f"{len(self._samples) + 1:04d}"
        self._samples.append(
            {
                "id": identifier,
                "input": self._store(given, "inputs", identifier),
                "output": self._store(reference, "references", identifier),
            }
        )
        self._predictions.append({"id": identifier, "prediction": self._store(prediction, "predictions", identifier)})

    def _store(self, value: Any, folder: str, name: str) -> Any:
        if isinstance(value, Media):
            path = self.folder / folder / f"{name}{value.suffix}"
            path.parent.mkdir(exist_ok=True)
            value.save(path)
            return path.relative_to(self.folder).as_posix()
        if isinstance(value, dict):
            return {key: self._store(item, folder, f"{name}-{key}") for key, item in value.items()}
        if isinstance(value, list):
            return [self._store(item, folder, f"{name}-{number:02d}") for number, item in enumerate(value)]
        return value

    def write(self) -> None:
        """Write annotation.json and prediction.json."""
        if not 8 <= len(self._samples) <= 60:
            raise ValueError(f"{self.recipe.name} has {len(self._samples)} samples; 8 to 60 are due")
        recipe = self.recipe
        envelope = {"task": recipe.name, "type": recipe.type}
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
        for name, body in (("annotation", annotation), ("prediction", prediction)):
            text = json.dumps(body, ensure_ascii=False, indent=1)
            (self.folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
