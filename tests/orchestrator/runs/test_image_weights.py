"""`genlevel metric` on a network whose weights are not there: its exit code and what it tells a person to run."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from genlevel_evaluator import features
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.serve import bare
from genlevel_orchestrator.cli.main import run_command
from genlevel_orchestrator.errors import ExitCode


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_missing_weights_name_the_command_that_fetches_them(
    form: list[str], threaded: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("GENLEVEL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GENLEVEL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(features, "CACHE", features.FeatureCache())
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    (tmp_path / "samples.jsonl").write_text(json.dumps({"id": 1, "prediction": "a.png", "reference": "a.png"}))

    @asynccontextmanager
    async def serve() -> AsyncIterator[str]:
        server, port = await bare.start(replace(load("image"), _extractors={}), roots=[tmp_path])
        try:
            yield f"image=127.0.0.1:{port}"
        finally:
            await server.stop(1)

    with threaded(serve) as place:
        monkeypatch.setenv("GENLEVEL_EVALUATORS", place)
        code = run_command(["metric", "fid", "--samples", str(tmp_path / "samples.jsonl"), *form])
    said = capsys.readouterr()
    assert code == ExitCode.PREREQUISITE_MISSING
    assert "genlevel weights fetch inception-v3-nsfwjs" in " ".join((said.out + said.err).split())
