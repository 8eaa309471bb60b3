"""Small bundles for tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ACCURACY = "Commonsense Reasoning"  # task whose metric is accuracy
F1 = "Counterfactual Reasoning"  # task whose metric is token_f1


def write_task(
    root: Path, name: str, data: Any, predictions: Any, folder: str = "nlp", task_type: str = "OpenQA", **envelope: Any
) -> Path:
    """A task folder; ``data`` and ``predictions`` are written as JSON, or as they are when they are bytes."""
    place = root / folder / name.replace(" ", "-")
    place.mkdir(parents=True, exist_ok=True)
    annotation = data if isinstance(data, bytes) else json.dumps({"task": name, "type": task_type, **envelope, "data": data}).encode()
    if data is not None:
        (place / "annotation.json").write_bytes(annotation)
    if predictions is not None:
        text = predictions if isinstance(predictions, bytes) else json.dumps(predictions).encode()
        (place / "prediction.json").write_bytes(text)
    return place


def questions(count: int, right: int, prefix: str = "answer") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Samples and predictions of which the first ``right`` are right."""
    data = [{"id": index, "input": {"question": "?"}, "output": {"answer": f"{prefix} {index}"}} for index in range(count)]
    predictions = [{"id": index, "prediction": f"{prefix} {index}" if index < right else "wrong"} for index in range(count)]
    return data, predictions


def text_bundle(root: Path, tasks: Sequence[tuple[str, int, int]] = ((ACCURACY, 10, 7), (F1, 10, 5))) -> Path:
    """A bundle of language tasks given as (name, samples, right ones)."""
    for name, count, right in tasks:
        write_task(root, name, *questions(count, right))
    return root
