"""Rules for all tests: no unit test starts Ray, and each has caches and state of its own."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
# Tests put networks of their own under the names of real ones: their features must not outlive them. Inherited by processes that tests start.
os.environ["GENLEVEL_FEATURE_CACHE_BYTES"] = "0"
# Jobs that a shell script puts in the background ignore interrupts, and so would the programs that tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# No test fails for its time: a machine that does something else for a moment is no fault.
settings.register_profile("genlevel", deadline=None)
settings.load_profile("genlevel")


@pytest.fixture(autouse=True)
def no_ray(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unit tests cannot reach Ray; `@pytest.mark.ray` lifts it."""
    if "ray" not in request.keywords and "ray" in sys.modules:

        def refuse(*args: object, **kwargs: object) -> None:
            raise AssertionError("this test may not start Ray: mark it with @pytest.mark.ray")

        monkeypatch.setattr("ray.init", refuse)


def _load(path: Path) -> ModuleType:
    name = "genlevel_tests_" + "_".join(path.resolve().relative_to(ROOT).with_suffix("").parts)
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def load_module() -> Callable[[Path], ModuleType]:
    """Loads a helper module by its path, once: tests are not a package."""
    return _load
