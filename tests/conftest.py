"""Rules for all tests: no unit test starts Ray, and each has caches and state of its own."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def no_ray(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unit tests cannot reach Ray; `@pytest.mark.ray` lifts it."""
    if "ray" not in request.keywords and "ray" in sys.modules:

        def refuse(*args: object, **kwargs: object) -> None:
            raise AssertionError("this test may not start Ray: mark it with @pytest.mark.ray")

        monkeypatch.setattr("ray.init", refuse)


def load_module(path: Path) -> ModuleType:
    """A test helper module by path (tests are not a package)."""
    name = "genlevel_tests_" + "_".join(path.relative_to(ROOT / "tests").with_suffix("").parts)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
