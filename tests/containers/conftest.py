"""The engine, the images and the started system, each once for all tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # `tests` is no package, and somebody else's may have that name

from container_system.engine import OUTPUT, ROOT, client
from container_system.starting import Milestones, started
from container_system.system import DEMO, GENLEVEL, System, read_report

# Trouble comes before the demo: an evaluator that has seen a file keeps its features, and then there is no middle of a run to die in.
ORDER = ("test_images", "test_trouble", "test_system", "test_scale", "test_store", "test_gateway", "test_bad_input")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files in the order above."""
    items.sort(key=lambda item: ORDER.index(item.path.stem) if item.path.stem in ORDER else -1)


@pytest.fixture(scope="session")
def engine() -> Iterator[Any]:
    """The Docker engine."""
    found = client()
    yield found
    found.close()


@pytest.fixture(scope="session")
def numbers() -> Iterator[dict[str, Any]]:
    """What was measured on the way; written to build/containers/numbers.json."""
    found: dict[str, Any] = {}
    yield found
    OUTPUT.mkdir(parents=True, exist_ok=True)
    (OUTPUT / "numbers.json").write_text(json.dumps(found, indent=1) + "\n")


@pytest.fixture(scope="session")
def bases() -> dict[str, str]:
    """The base images that are not ours."""
    return {
        "python": os.environ.get("GENLEVEL_PYTHON_IMAGE", "python:3.11-slim-bookworm"),
        "debian": os.environ.get("GENLEVEL_DEBIAN_IMAGE", "debian:bookworm-slim"),
    }


class Embedded:
    """`make demo`'s run with evaluators as child processes, at work beside the builds; nothing of it is reused from earlier.

    GENLEVEL_REFERENCE names the folder of a report made before, for those who work on these tests.
    """

    def __init__(self) -> None:
        known = os.environ.get("GENLEVEL_REFERENCE")
        self.folder = Path(known) if known else OUTPUT / "embedded"
        self.process: subprocess.Popen[bytes] | None = None
        if not known:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            command = [str(GENLEVEL), "run", str(DEMO / "predictions"), "--references", str(DEMO / "references"), "--model", "demo-baselines"]
            plain = dict.fromkeys(("GENLEVEL_EVALUATORS", "GENLEVEL_CONFIG", "GENLEVEL_DATABASE", "GENLEVEL_DATABASE_FILE"), "")
            environment = {**os.environ, **plain, "GENLEVEL_STATE_DIR": str(self.folder / "state")}
            with (self.folder / "log").open("wb") as log:
                self.process = subprocess.Popen([*command, "--output", str(self.folder)], stdout=log, stderr=log, env=environment)

    def report(self) -> dict[str, Any]:
        """The report, once it is there."""
        if self.process is not None:
            assert self.process.wait(timeout=900) == 0, (self.folder / "log").read_text()[-3000:]
        return read_report(self.folder)

    def end(self) -> None:
        """End the run, if nobody waited for it."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)


@pytest.fixture(scope="session")
def embedded() -> Iterator[Embedded]:
    """The run of the embedded mode, begun."""
    begun = Embedded()
    yield begun
    begun.end()


@pytest.fixture(scope="session")
def reference(embedded: Embedded) -> dict[str, Any]:
    """The report of the embedded mode."""
    return embedded.report()


@pytest.fixture(scope="session")
def images(bases: dict[str, str], embedded: Any, numbers: dict[str, Any]) -> dict[str, str]:
    """Every image by name; built by docker/build.py, from the engine's cache where it has them."""
    command = [sys.executable, "docker/build.py", "--json", "--python-image", bases["python"], "--debian-image", bases["debian"]]
    began = time.monotonic()
    done = subprocess.run(
        [*command, *os.environ.get("GENLEVEL_BUILD_OPTIONS", "").split()], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    assert done.returncode == 0, "docker/build.py failed: see its lines above"
    document = json.loads(done.stdout)
    numbers["build_seconds"] = round(time.monotonic() - began, 1)
    numbers["images"] = {name: {key: one[key] for key in ("megabytes", "own_megabytes", "seconds")} for name, one in document["images"].items()}
    os.environ["GENLEVEL_TAG"] = document["tag"]
    return {name: str(one["image"]) for name, one in document["images"].items()}


@pytest.fixture(scope="session")
def running(engine: Any, images: dict[str, str]) -> Iterator[tuple[System, Milestones]]:
    """The system, started once."""
    with started(engine, images) as both:
        yield both


@pytest.fixture(scope="session")
def system(running: tuple[System, Milestones]) -> System:
    """The started system."""
    return running[0]


@pytest.fixture(scope="session")
def milestones(running: tuple[System, Milestones]) -> Milestones:
    """What its containers did when."""
    return running[1]


@pytest.fixture(scope="session")
def extended(system: System) -> System:
    """The system, from here on with store and gateway, and evaluators that cannot read the orchestrator's files."""
    system.extend()
    return system
