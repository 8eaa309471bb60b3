"""`genlevel metric` on a network whose weights are not there, or are others: its exit code and what it tells a person to run."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from genlevel_evaluator import features, weights
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.serve import bare
from genlevel_orchestrator.cli.main import run_command
from genlevel_orchestrator.errors import ExitCode

WEIGHTS = "inception-v3-nsfwjs"


@pytest.mark.parametrize(("form", "there"), [([], b""), (["--json"], b""), ([], b"other weights")])
def test_weights_that_cannot_be_used_name_the_command_that_fetches_them(
    form: list[str], there: bytes, threaded: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("GENLEVEL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GENLEVEL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(features, "CACHE", features.FeatureCache())
    if there:
        for file in weights.entry(WEIGHTS).files:
            place = weights.weights_root() / weights.digest(WEIGHTS) / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(there)
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
    assert f"genlevel weights fetch {WEIGHTS}" in " ".join((said.out + said.err).split())
