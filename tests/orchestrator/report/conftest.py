"""Fixtures of report tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from genlevel_orchestrator.catalogue import Catalogue

SYNTHETIC = Path(__file__).resolve().parents[1] / "report" / "synthetic.py"


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture(scope="session")
def synthetic(load_module: Callable[[Path], ModuleType]) -> Any:
    """The module that makes up runs."""
    return load_module(SYNTHETIC)


@pytest.fixture(scope="session")
def result(synthetic: Any, catalogue: Catalogue) -> Any:
    return synthetic.run_result(catalogue)
