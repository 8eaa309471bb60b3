"""The published per-task scores of real models, shipped with the catalogue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.catalogue.loader import DATA
from genlevel_orchestrator.catalogue.names import name_key
from genlevel_orchestrator.levels import UNSUPPORTED, Result


@dataclass(frozen=True)
class PublishedModel:
    """One model of the published tables.

    Attributes:
        name: The name used here; the tables spell some models in several ways.
        groups: The task groups with per-task scores, as ``image.comprehension``.
        values: Raw score by task id as printed; None where the tables print infinity or nothing.
        levels: Published level scores by number: overall, rank, and one for each modality.
    """

    name: str
    groups: tuple[str, ...]
    values: Mapping[str, float | None]
    levels: Mapping[str, Mapping[str, float | None]]

    def results(self, catalogue: Catalogue) -> dict[str, Result]:
        """Return the scores as results: 0 and infinity mean that the model does not support the task."""
        return {
            task_id: Result(value) if value else UNSUPPORTED
            for task_id, value in self.values.items()
            if task_id in catalogue.tasks
        }


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DATA / "published_scores.json").read_text(encoding="utf-8"))
    return document


def published_models() -> dict[str, PublishedModel]:
    """Return every model with published per-task scores, spelling variants joined."""
    document = _document()
    canonical = {
        name_key(alias): name for name, aliases in document["model_aliases"].items() for alias in aliases
    }
    values: dict[str, dict[str, float | None]] = {}
    groups: dict[str, list[str]] = {}
    for group, table in document["groups"].items():
        for spelling, scores in table["models"].items():
            name = canonical.get(name_key(spelling), spelling)
            values.setdefault(name, {}).update(zip(table["tasks"], scores, strict=True))
            groups.setdefault(name, []).append(group)
    return {
        name: PublishedModel(name, tuple(groups[name]), scores, _published_levels(document, name))
        for name, scores in values.items()
    }


def _published_levels(document: Mapping[str, Any], name: str) -> Mapping[str, Mapping[str, float | None]]:
    spellings = [name, *document["model_aliases"].get(name, ())]
    published: Mapping[str, Mapping[str, Mapping[str, float | None]]] = document["published_levels"]
    # Two rows of the boards may differ in punctuation only, so an exact name goes first.
    by_key = {name_key(spelling): levels for spelling, levels in published.items()}
    for spelling in spellings:
        levels = published.get(spelling) or by_key.get(name_key(spelling))
        if levels is not None:
            return levels
    return {}
