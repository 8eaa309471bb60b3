"""The demo bundle for tests: the one `make` built, checked, else one built here."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo import build

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root of a whole demo bundle."""
    built = ROOT / "build" / "demo"
    if (built / build.DIGESTS).is_file() and build.check(built) == 0:
        return built
    place = tmp_path_factory.mktemp("demo") / "bundle"
    build.build(place)
    return place
