"""What tests of the orchestrator share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from genlevel_orchestrator.settings import Dispatch, Settings

HERE = Path(__file__).parent


def _module(name: str) -> ModuleType:
    """A helper module beside this file; tests are not a package."""
    full = f"genlevel_tests_orchestrator_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, HERE / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture
def bundles() -> ModuleType:
    """Makers of small bundles."""
    return _module("bundles")


@pytest.fixture
def fakes() -> ModuleType:
    """The fake evaluator and its troubles."""
    return _module("fake_evaluator")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a state folder of their own and short pauses."""
    dispatch = Dispatch(first_pause=0.01, start_seconds=3.0, budget_seconds=20.0)
    return Settings(state=tmp_path / "state", dispatch=dispatch)
