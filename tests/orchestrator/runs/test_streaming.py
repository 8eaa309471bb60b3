"""An evaluator without our storage gets large files as a stream of chunks, small ones inline, and a near one URIs."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.runs.records import RunSpec
from genlevel_orchestrator.runs.service import RunService
from genlevel_orchestrator.settings import Endpoint, Settings

TASK = next(task for task in Catalogue.load().tasks.values() if task.metric_id == "fvd")


@pytest.mark.parametrize("remote", [True, False])
def test_how_media_travel(tmp_path: Path, settings: Settings, bundles: ModuleType, fakes: ModuleType, remote: bool) -> None:
    requests: list[Any] = []
    fake = fakes.FakeEvaluator(name="video", metrics=("fvd",), before=requests.append)
    described = fake.DescribeEvaluator

    async def describe(request: Any, context: Any) -> Any:
        response = await described(request, context)
        response.metrics[0].input_kind = "video"
        return response

    fake.DescribeEvaluator = describe
    data = [{"id": index, "output": {"video": f"truth/{index}.mp4"}} for index in range(2)]
    place = bundles.write_task(
        tmp_path / "b", TASK.name, data, [{"id": index, "prediction": f"made/{index}.mp4"} for index in range(2)], "video/generation"
    )
    for folder in ("truth", "made"):
        (place / folder).mkdir()
        (place / folder / "0.mp4").write_bytes(os.urandom((1 << 20) + 7))
        (place / folder / "1.mp4").write_bytes(os.urandom((2 << 20) + 7))

    async def run() -> Any:
        async with fakes.serving(fake) as target:
            endpoint = Endpoint(target=target, remote=remote)
            service = RunService(settings.model_copy(update={"evaluators": {"video": endpoint}}))
            return await service.execute(service.create(RunSpec("m", str(tmp_path / "b"))).name, "configured")

    result = asyncio.run(run())
    assert result.outcome(TASK.task_id).status == "scored"
    assert fake.calls["stream"] == int(remote)
    if not remote:
        media = requests[0].samples[0].prediction.media
        assert media.uri == (place / "made/0.mp4").as_uri()
        assert (media.size_bytes, len(media.sha256)) == ((1 << 20) + 7, 64)
