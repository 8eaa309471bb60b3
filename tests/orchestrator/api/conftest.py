"""Fixtures of API tests."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from genlevel_orchestrator.catalogue import Catalogue

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture(scope="session")
def result(load_module: Callable[[Path], ModuleType], catalogue: Catalogue) -> Any:
    return load_module(HERE.parent / "report" / "synthetic.py").run_result(catalogue)


@pytest.fixture(scope="session")
def calls(load_module: Callable[[Path], ModuleType]) -> Any:
    """Helpers that make calls, and the service whose runs are made up."""
    return load_module(HERE / "made_up.py")


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """One task with a prediction given twice, one missing and one too many."""
    folder = tmp_path / "data" / "bundle"
    task = folder / "nlp" / "CommonsenseReasoning"
    task.mkdir(parents=True)
    data = [{"id": n, "output": {"answer": "A"}} for n in range(3)]
    (task / "annotation.json").write_text(json.dumps({"task": "Commonsense Reasoning", "type": "OpenQA", "data": data}))
    (task / "prediction.json").write_text(json.dumps([{"id": n, "prediction": "A"} for n in (0, 1, 1, 7)]))
    return folder


@pytest.fixture
def play(calls: Any, tmp_path: Path, bundle: Path, result: Any, catalogue: Catalogue) -> Callable[..., Any]:
    """Runs a scenario against a started server."""
    return functools.partial(calls.play, tmp_path, result, catalogue)
