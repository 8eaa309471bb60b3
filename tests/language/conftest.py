"""Makes modules of this folder importable: tests are not a package. A judge for gpt_score."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from judge_server import JudgeServer

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[JudgeServer]:
    """A judge that is configured, with short pauses; its cache is the test's own."""
    from judge_server import KEY, MODEL, JudgeServer

    from genlevel_language.judge import client

    monkeypatch.setattr(client, "_FIRST_PAUSE", 0.02)
    with JudgeServer() as server:
        values = {"URL": server.url, "MODEL": MODEL, "KEY": KEY, "TIMEOUT_SECONDS": "5", "RETRY_SECONDS": "0.3", "CACHE_DIR": str(tmp_path / "answers")}
        for name, value in values.items():
            monkeypatch.setenv(f"GENLEVEL_JUDGE_{name}", value)
        yield server
