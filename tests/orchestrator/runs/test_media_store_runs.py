"""A run gives the same values and keys however its media travel; what goes wrong on the way is never a score."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from genlevel_evaluator.evaluator import load
from genlevel_evaluator.serve import bare
from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.client import EvaluatorClient
from genlevel_orchestrator.runs.carriage import Carrier
from genlevel_orchestrator.runs.records import RunSpec
from genlevel_orchestrator.runs.results import RunResult, RunState, TaskStatus
from genlevel_orchestrator.runs.service import RunService
from genlevel_orchestrator.settings import Endpoint, Settings

TASKS = Catalogue.load().tasks.values()
PICTURES = next(task for task in TASKS if (task.evaluator, task.metric_id) == ("image", "psnr"))
COUNTS = next(task for task in TASKS if (task.evaluator, task.metric_id) == ("language", "mae"))
STORE = "s3://bucket/runs"


@pytest.fixture(scope="module")
def servers(load_module: Callable[[Path], ModuleType]) -> ModuleType:
    return load_module(Path(__file__).parents[2] / "s3_servers.py")


@pytest.fixture
def bucket(servers: ModuleType) -> Iterator[Any]:
    """A bucket with nothing of runs in it."""
    with servers.moto() as files:
        if files.exists("bucket/runs"):
            files.rm("bucket/runs", recursive=True)
        yield files


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The evaluator with files inside JSON."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    import counting

    return counting.EVALUATOR


@pytest.fixture
def bundle(tmp_path: Path, bundles: ModuleType) -> Path:
    """Pictures of 2 KB to 1.5 MB, and counts of which some are density maps of 300 KB."""
    source = np.random.default_rng(7)
    place = bundles.write_task(
        tmp_path / "b", PICTURES.name, [{"id": index, "output": {"image_file": f"truth/{index}.png"}} for index in range(4)],
        [{"id": index, "prediction": f"made/{index}.png"} for index in range(4)], "image/generation",
    )  # fmt: skip
    for folder in ("truth", "made"):
        (place / folder).mkdir()
        for index, side in enumerate((20, 100, 300, 720)):
            Image.fromarray(source.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(place / folder / f"{index}.png")
    counts = [{"id": 0, "prediction": {"density": "maps/0.npy"}}, {"id": 1, "prediction": {"density": "maps/1.npy"}}, {"id": 2, "prediction": 5}]
    place = bundles.write_task(tmp_path / "b", COUNTS.name, [{"id": index, "reference": 40 + index} for index in range(3)], counts, "image/comprehension")
    (place / "maps").mkdir()
    for index, side in enumerate((4, 280)):
        np.save(place / "maps" / f"{index}.npy", source.random((side, side), dtype=np.float32))
    return tmp_path / "b"


class Spy:
    """What was sent to evaluators."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: list[Any] = []
        self.streams = 0
        original = EvaluatorClient.evaluate
        spy = self

        async def evaluate(client: EvaluatorClient, request: Any, deaths: Any = None, parts: Any = None) -> Any:
            if parts is None:
                spy.requests += [part for part in [request] if part.samples]
            else:
                spy.streams += 1
                spy.requests.append(type(request)(samples=[part.sample async for part in parts() if part.WhichOneof("part") == "sample"]))
            return await original(client, request, deaths, parts)

        monkeypatch.setattr(EvaluatorClient, "evaluate", evaluate)

    def locations(self) -> set[str]:
        """How files were named."""
        found = set()
        for request in self.requests:
            for sample in request.samples:
                for content in (sample.prediction, *sample.references):
                    if content.WhichOneof("content") == "media":
                        found.add(str(content.media.WhichOneof("location")))
                    elif content.json.startswith("{"):
                        found |= {f"json {key}" for key in json.loads(content.json)["density"] if key in ("uri", "base64", "blob")}
        return found


@asynccontextmanager
async def evaluators(counting: Any, roots: list[str], remote: bool) -> AsyncIterator[dict[str, Endpoint]]:
    servers = {name: await bare.start(evaluator, roots=roots) for name, evaluator in {"image": load("image"), "language": counting}.items()}
    try:
        yield {name: Endpoint(target=f"127.0.0.1:{port}", remote=remote) for name, (_, port) in servers.items()}
    finally:
        for server, _ in servers.values():
            await server.stop(0)


def score(bundle: Path, settings: Settings, counting: Any, roots: list[str], store: str = "", remote: bool = True) -> RunResult:
    async def run() -> RunResult:
        async with evaluators(counting, roots, remote) as endpoints:
            service = RunService(settings.model_copy(update={"evaluators": endpoints, "media_store": store}))
            try:
                return await service.execute(service.create(RunSpec("m", str(bundle))).name, "configured")
            finally:
                service.close()

    return asyncio.run(run())


def values(result: RunResult) -> dict[str, Any]:
    outcomes = {task.task_id: result.outcome(task.task_id) for task in (PICTURES, COUNTS)}
    return {name: (outcome.status, outcome.value and outcome.value.value, outcome.provisional) for name, outcome in outcomes.items()}


def keys(settings: Settings) -> set[str]:
    with sqlite3.connect(settings.state / "journal.sqlite") as connection:
        return {row[0] for row in connection.execute("select key from shards")}


def test_one_value_however_media_travel(
    bundle: Path, tmp_path: Path, settings: Settings, counting: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared dir"
    ways: dict[str, tuple[list[str], str, bool]] = {
        "file": ([str(tmp_path / "b")], "", False), "stream": ([], "", True), "store": ([STORE], STORE, True), "folder": ([str(shared)], shared.as_uri(), True),
    }  # fmt: skip
    results, locations, streams, found = {}, {}, {}, {}
    for way, (roots, store, remote) in ways.items():
        spy, own = Spy(monkeypatch), settings.model_copy(update={"state": tmp_path / way})
        results[way] = values(score(bundle, own, counting, roots, store, remote))
        locations[way], streams[way], found[way] = spy.locations(), spy.streams, keys(own)
        monkeypatch.undo()
        monkeypatch.syspath_prepend(Path(__file__).parent)
    assert {status for status, _, _ in results["file"].values()} == {TaskStatus.SCORED}
    assert all(result == results["file"] for result in results.values())
    assert all(known == found["file"] for known in found.values())
    assert locations == {
        "file": {"uri", "json uri"}, "stream": {"inline", "blob", "json base64", "json blob"}, "store": {"inline", "uri", "json base64", "json uri"},
        "folder": {"inline", "uri", "json base64", "json uri"},
    }  # fmt: skip
    assert streams == {"file": 0, "stream": 2, "store": 0, "folder": 0}
    # Four pictures and a map are over 64 KiB; each lies there once, under its digest.
    names = [name.rsplit("/", 1)[1] for name in bucket.find("bucket/runs")]
    assert len(names) == len(set(names)) == 5
    assert sorted(names) == sorted(path.name for path in shared.rglob("*") if path.is_file())
    again = score(bundle, settings.model_copy(update={"state": tmp_path / "file"}), counting, [], "s3://bucket/never")
    assert [again.outcome(task.task_id).shards_reused for task in (PICTURES, COUNTS)] == [again.outcome(task.task_id).shards for task in (PICTURES, COUNTS)]
    assert not bucket.exists("bucket/never")


def reasons(result: RunResult) -> list[str]:
    assert result.state is RunState.PROVISIONAL
    outcomes = [result.outcome(task.task_id) for task in (PICTURES, COUNTS)]
    assert all((outcome.status, outcome.value, outcome.provisional) == (TaskStatus.FAILED, None, True) for outcome in outcomes)
    return [outcome.reason for outcome in outcomes]


def test_an_evaluator_that_may_not_read_the_store_is_no_fault_of_the_model(bundle: Path, settings: Settings, counting: Any, bucket: Any) -> None:
    for roots, code in (([], "MEDIA_SCHEME"), (["s3://bucket/elsewhere"], "MEDIA_OUTSIDE_ROOT")):
        for reason in reasons(score(bundle, settings, counting, roots, STORE)):
            assert reason.startswith(code)
            assert f"--roots {STORE}" in reason
    near = score(bundle, settings, counting, ["/nowhere"], remote=False)
    assert all(reason.startswith("MEDIA_OUTSIDE_ROOT") for reason in reasons(near))


def test_a_store_that_cannot_be_written_is_said_and_nothing_is_scored(
    bundle: Path, settings: Settings, counting: Any, servers: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genlevel_orchestrator.runs.storage.PAUSES", (0.01,))
    with servers.closed():
        assert all(reason.startswith("STORAGE_UNREACHABLE") for reason in reasons(score(bundle, settings, counting, [STORE], STORE)))
    with servers.refusing():
        for reason in reasons(score(bundle, settings, counting, [STORE], STORE)):
            assert reason.startswith("STORAGE_DENIED")
            assert servers.SECRET not in reason
    with servers.moto():
        assert all(reason.startswith("STORAGE_MISSING") for reason in reasons(score(bundle, settings, counting, ["s3://nowhere/x"], "s3://nowhere/x")))


def test_what_is_removed_from_the_store_in_mid_run_is_put_there_again(
    bundle: Path, settings: Settings, counting: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = values(score(bundle, settings, counting, [str(bundle)], remote=False))
    removed = []
    original = EvaluatorClient.evaluate

    async def evaluate(client: EvaluatorClient, request: Any, deaths: Any = None, parts: Any = None) -> Any:
        if request.samples and client.name not in removed:
            removed.append(client.name)
            with contextlib.suppress(FileNotFoundError):  # the other evaluator's client has just done it
                await asyncio.to_thread(bucket.rm, "bucket/runs", recursive=True)
        return await original(client, request, deaths, parts)

    monkeypatch.setattr(EvaluatorClient, "evaluate", evaluate)
    fresh = settings.model_copy(update={"state": settings.state / "fresh"})
    assert values(score(bundle, fresh, counting, [STORE], STORE)) == expected
    assert removed


@pytest.mark.parametrize("store", ["", STORE])
def test_a_file_that_changes_in_mid_run_is_named(
    bundle: Path, settings: Settings, counting: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    """It is changed after it was read for its digest, and keeps its size."""
    del bucket
    picture = next(bundle.rglob("made/3.png"))
    image = io.BytesIO()
    Image.fromarray(np.zeros((4, 4, 3), dtype=np.uint8)).save(image, "PNG")
    size = picture.stat().st_size

    async def load_and_change(carrier: Carrier, samples: Any, anew: bool = False) -> Any:
        if carrier.evaluator == "image":
            picture.write_bytes(image.getvalue().ljust(size, b"\0"))
        return await loaded(carrier, samples, anew)

    loaded = Carrier.load
    monkeypatch.setattr(Carrier, "load", load_and_change)
    outcome = score(bundle, settings, counting, [store] if store else [], store).outcome(PICTURES.task_id)
    assert (outcome.status, outcome.value) == (TaskStatus.FAILED, None)
    assert outcome.reason.startswith("FILE_CHANGED")
    assert "made/3.png" in outcome.reason
