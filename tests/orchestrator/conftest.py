"""What tests of the orchestrator share."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from genlevel_orchestrator.runs import plan as plan_module
from genlevel_orchestrator.settings import Dispatch, Settings

HERE = Path(__file__).parent


@pytest.fixture
def bundles(load_module: Callable[[Path], ModuleType]) -> ModuleType:
    """Makers of small bundles."""
    return load_module(HERE / "bundles.py")


@pytest.fixture
def fakes(load_module: Callable[[Path], ModuleType]) -> ModuleType:
    """The fake evaluator and its troubles."""
    return load_module(HERE / "fake_evaluator.py")


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten samples a shard, so that small bundles have several."""
    monkeypatch.setattr(plan_module, "SHARD_SAMPLES", {})
    monkeypatch.setattr(plan_module, "DEFAULT_SHARD_SAMPLES", 10)


@contextmanager
def in_thread(make: Callable[[], AbstractAsyncContextManager[str]]) -> Iterator[str]:
    """What an asynchronous server yields, while it runs in a thread with a loop of its own."""
    ready, stop = threading.Event(), asyncio.Event()
    yielded: list[str] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with make() as value:
            yielded.append(value)
            ready.set()
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(60)
        assert yielded, "the server did not start"
        yield yielded[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


@pytest.fixture
def threaded() -> Callable[[Callable[[], AbstractAsyncContextManager[str]]], AbstractContextManager[str]]:
    """Runs a server in a thread."""
    return in_thread


@pytest.fixture(scope="session")
def real_evaluators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bare servers of language and three_d, as GENLEVEL_EVALUATORS names them; they may read pytest's temporary folders."""
    from genlevel_evaluator.evaluator import load
    from genlevel_evaluator.serve import bare

    root = tmp_path_factory.getbasetemp()

    @asynccontextmanager
    async def serve() -> AsyncIterator[str]:
        servers = {name: await bare.start(load(name), roots=[root]) for name in ("language", "three_d")}
        try:
            yield ",".join(f"{name}=127.0.0.1:{port}" for name, (_, port) in servers.items())
        finally:
            for server, _ in servers.values():
                await server.stop(1)

    with in_thread(serve) as text:
        yield text


@pytest.fixture(scope="session")
def postgresql(load_module: Callable[[Path], ModuleType], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL server of these tests; ``database()`` makes an empty database, ``stop()`` and ``start()`` do that."""
    # Not below pytest's own folder, which only its user may enter, and that server has another one.
    with tempfile.TemporaryDirectory(prefix="genlevel-postgresql-") as folder:
        Path(folder).chmod(0o755)
        server = load_module(HERE / "postgres.py").PostgresServer(Path(folder) / "cluster")
        server.make()
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """The URL of an empty journal in each kind of database; empty for SQLite in the state folder."""
    return str(request.getfixturevalue("postgresql").database()) if request.param == "postgresql" else ""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a state folder of their own and short pauses."""
    dispatch = Dispatch(first_pause=0.01, start_seconds=3.0, budget_seconds=20.0)
    return Settings(state=tmp_path / "state", dispatch=dispatch)
