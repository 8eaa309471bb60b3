"""One worked example a metric and evaluator: samples, parameters, and the value they give. A test computes each."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

SHOWN_CHARACTERS = 60


def example(evaluator: str, metric_id: str) -> dict[str, Any] | None:
    """The example of a metric, or None where the catalogue has none."""
    file = files(__package__).joinpath(f"data/examples/{evaluator}.{metric_id}.json")
    if not file.is_file():
        return None
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def abridged(value: Any) -> Any:
    """The same with long strings (inline media) cut, for people.

    >>> abridged({"base64": "A" * 100})["base64"].count("A")
    60
    """
    if isinstance(value, dict):
        return {key: abridged(item) for key, item in value.items()}
    if isinstance(value, list):
        return [abridged(item) for item in value]
    if isinstance(value, str) and len(value) > SHOWN_CHARACTERS:
        return f"{value[:SHOWN_CHARACTERS]}... {len(value) - SHOWN_CHARACTERS} more letters"
    return value
