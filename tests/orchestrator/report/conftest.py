"""Fixtures of report tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from genlevel_orchestrator.catalogue import Catalogue

SYNTHETIC = Path(__file__).resolve().parents[1] / "report" / "synthetic.py"


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return Catalogue.load()


@pytest.fixture(scope="session")
def synthetic() -> Any:
    """The module that makes up runs (tests are no package, so it is loaded by path)."""
    name = "genlevel_tests_synthetic"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, SYNTHETIC)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def result(synthetic: Any, catalogue: Catalogue) -> Any:
    return synthetic.run_result(catalogue)
