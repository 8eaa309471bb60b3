"""The orchestrator is killed, restarted, and loses its database: runs go on, and their scores are the same."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest
import sqlalchemy as sql

from genlevel.v1 import orchestrator_pb2 as pb
from genlevel.v1 import orchestrator_pb2_grpc
from genlevel_orchestrator.errors import ExitCode

HERE = Path(__file__).resolve().parent
SAMPLES, RIGHT, SHARD = 6000, 4000, 512
SLOW_SECONDS = 0.25


@pytest.fixture(scope="session")
def processes(load_module: Callable[[Path], ModuleType]) -> ModuleType:
    """`genlevel serve` as a process."""
    return load_module(HERE / "serving_process.py")


@pytest.fixture
def fake(fakes: ModuleType) -> Any:
    return fakes.FakeEvaluator(before=lambda _: asyncio.sleep(SLOW_SECONDS))


@pytest.fixture
def served(
    tmp_path: Path, postgresql: Any, processes: ModuleType, fakes: ModuleType, threaded: Any, fake: Any, bundles: ModuleType
) -> Iterator[Any]:
    """A server on PostgreSQL, whose bundle has a task of twelve slow shards."""
    bundles.text_bundle(tmp_path / "b", [(bundles.ACCURACY, SAMPLES, RIGHT)])
    (tmp_path / "state").mkdir()
    secret = tmp_path / "database-url"
    secret.write_text(postgresql.database() + "\n")
    with threaded(lambda: fakes.serving(fake)) as target:
        variables = {
            "GENLEVEL_DATABASE_FILE": str(secret), "GENLEVEL_EVALUATORS": f"language={target}", "GENLEVEL_SERVE_ROOTS": f"{tmp_path}:/usr",
        }  # fmt: skip
        server = processes.Serving(tmp_path / "state", variables)
        server.start()
        try:
            yield server
        finally:
            if server.process is not None and server.process.poll() is None:
                server.stop()


def journalled(secret: Path) -> int:
    engine = sql.create_engine(secret.read_text().strip())
    with engine.connect() as connection:
        count = int(connection.execute(sql.text("select count(*) from shards")).scalar() or 0)
    engine.dispose()
    return count


def command(server: Any, tmp_path: Path) -> subprocess.Popen[str]:
    arguments = ["run", str(tmp_path / "b"), "--model", "m", "--endpoint", server.endpoint, "--output", str(tmp_path / "report"), "--json"]
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    return subprocess.Popen(
        [sys.executable, "-m", "genlevel_orchestrator.cli.main", *arguments], env=environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def score(document: dict[str, Any]) -> float:
    (task,) = [task for task in document["document"]["tasks"] if task["status"] == "scored"]
    return float(task["value"])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_restart_in_mid_run_is_survived_by_run_and_client(
    tmp_path: Path, served: Any, processes: ModuleType, fake: Any, number: signal.Signals
) -> None:
    client = command(served, tmp_path)
    secret = tmp_path / "database-url"
    processes.until(lambda: journalled(secret) >= 3)
    served.stop(number)
    kept = journalled(secret)
    assert 3 <= kept < 12
    fake.scored.clear()
    served.start()
    out, err = client.communicate(timeout=60)
    assert client.returncode == 0, err
    document = json.loads(out)
    assert score(document) == pytest.approx(100 * RIGHT / SAMPLES)
    assert document["shards"] == {"total": 12, "done": 12, "reused": kept}
    assert len(fake.scored) <= SAMPLES - SHARD * kept, "no journalled shard is scored twice"
    assert "waiting, " in err
    assert any("taken up again" in line for line in served.log)
    assert served.stop() == 0


def test_without_resume_a_run_stays_interrupted(tmp_path: Path, served: Any, processes: ModuleType) -> None:
    client = command(served, tmp_path)
    processes.until(lambda: journalled(tmp_path / "database-url") >= 1)
    served.stop(signal.SIGKILL)
    served.variables["GENLEVEL_SERVE_RESUME"] = "false"
    served.start()
    _, err = client.communicate(timeout=60)
    assert client.returncode == 4, err
    with grpc.insecure_channel(served.endpoint) as channel:
        stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
        (run,) = stub.ListRuns(pb.ListRunsRequest()).runs
        assert run.state == pb.RUN_STATE_INTERRUPTED
        # Someone may still ask for it.
        stub.ResumeRun(pb.ResumeRunRequest(name=run.name))
        events = list(stub.WatchRun(pb.WatchRunRequest(name=run.name), timeout=60))
        assert events[-1].run.state == pb.RUN_STATE_SUCCEEDED
        assert events[-1].run.shards_reused >= 1


def test_a_database_that_goes_away_costs_a_run_nothing(
    tmp_path: Path, served: Any, processes: ModuleType, postgresql: Any, fake: Any
) -> None:
    client = command(served, tmp_path)
    processes.until(lambda: journalled(tmp_path / "database-url") >= 3)
    assert served.health("ready") == "SERVING"
    postgresql.stop()
    try:
        processes.until(lambda: served.health("ready") == "NOT_SERVING")
        assert served.health("live") == "SERVING"
        with grpc.insecure_channel(served.endpoint) as channel:
            stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
            with pytest.raises(grpc.RpcError) as caught:
                stub.ListRuns(pb.ListRunsRequest(), timeout=20)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE  # type: ignore[attr-defined]
            assert "runs at work wait for it" in caught.value.details()  # type: ignore[attr-defined]
        scored_meanwhile = len(fake.scored)
        assert client.poll() is None
    finally:
        postgresql.start()
    processes.until(lambda: served.health("ready") == "SERVING")
    out, err = client.communicate(timeout=60)
    assert client.returncode == 0, err
    assert score(json.loads(out)) == pytest.approx(100 * RIGHT / SAMPLES)
    assert max(fake.scored.values()) == 1, "what was scored while the database was away is kept, not scored again"
    assert scored_meanwhile < SAMPLES
    assert postgresql.database().split(":")[2].split("@")[0] not in "".join(served.log), "no password in the log"


def test_a_run_that_ran_out_of_patience_is_taken_up_when_the_database_is_back(
    tmp_path: Path, served: Any, processes: ModuleType, postgresql: Any, fake: Any
) -> None:
    served.stop()
    (tmp_path / "state" / "genlevel").mkdir()
    (tmp_path / "state" / "genlevel" / "config.toml").write_text("database_retry_seconds = 0.5\n")
    served.start()
    client = command(served, tmp_path)
    processes.until(lambda: journalled(tmp_path / "database-url") >= 3)
    postgresql.stop()
    try:
        processes.until(lambda: any("waits: the journal" in line for line in served.log))
    finally:
        postgresql.start()
    out, err = client.communicate(timeout=90)
    assert client.returncode == 0, err
    document = json.loads(out)
    assert score(document) == pytest.approx(100 * RIGHT / SAMPLES)
    assert document["shards"]["reused"] >= 3


def test_a_server_waits_for_its_database_for_a_bounded_time(tmp_path: Path, processes: ModuleType) -> None:
    secret = tmp_path / "database-url"
    secret.write_text(f"postgresql://genlevel:s3cret@127.0.0.1:{processes.free_port()}/runs")
    (tmp_path / "genlevel").mkdir()
    (tmp_path / "genlevel" / "config.toml").write_text("database_start_seconds = 3\n")
    server = processes.Serving(tmp_path, {"GENLEVEL_DATABASE_FILE": str(secret), "GENLEVEL_EVALUATORS": "language=127.0.0.1:1"})
    server.start(ready=False)
    processes.until(lambda: any("waiting for the journal" in line for line in server.log))
    assert (server.health("live"), server.health("ready")) == ("SERVING", "NOT_SERVING")
    assert server.process is not None
    assert server.process.wait(30) == 5
    processes.until(lambda: "Start the database" in "".join(server.log))
    words = "".join(server.log)
    assert "Connection refused" in words
    assert "s3cret" not in words


def test_a_state_folder_that_cannot_be_written_is_told_at_once(tmp_path: Path, processes: ModuleType) -> None:
    """Such as a volume of another user; the first upload or run would tell otherwise."""
    (tmp_path / "taken").write_text("")
    variables = {"GENLEVEL_DATABASE": f"sqlite:///{tmp_path}/j.sqlite", "GENLEVEL_EVALUATORS": "language=127.0.0.1:1"}
    variables["GENLEVEL_STATE_DIR"] = str(tmp_path / "taken" / "state")
    code, _, words = processes.genlevel(["serve", "--port", "0", "--root", str(tmp_path)], variables)
    assert code == ExitCode.PREREQUISITE_MISSING
    assert f"the state folder {tmp_path}/taken/state cannot be written: Not a directory" in words
    assert "GENLEVEL_STATE_DIR" in words


def test_a_server_that_waits_for_its_database_can_be_stopped(tmp_path: Path, processes: ModuleType) -> None:
    variables = {"GENLEVEL_DATABASE": f"postgresql://u:p@127.0.0.1:{processes.free_port()}/x", "GENLEVEL_EVALUATORS": "language=127.0.0.1:1"}
    server = processes.Serving(tmp_path, variables)
    server.start(ready=False)
    processes.until(lambda: any("waiting for the journal" in line for line in server.log))
    assert server.stop() == 0


def test_a_wrong_password_is_told_at_once(tmp_path: Path, processes: ModuleType, postgresql: Any) -> None:
    url = postgresql.database()
    wrong = url.replace(url.split(":")[2].split("@")[0], "wrong-s3cret")
    code, _, err = processes.genlevel(["runs", "list"], {"GENLEVEL_DATABASE": wrong, "GENLEVEL_STATE_DIR": str(tmp_path)})
    assert code == 5
    assert "password authentication failed" in err
    assert "wrong-s3cret" not in err
    server = processes.Serving(tmp_path, {"GENLEVEL_DATABASE": wrong, "GENLEVEL_EVALUATORS": "language=127.0.0.1:1"})
    server.start(ready=False)
    assert server.process is not None
    assert server.process.wait(20) == 5
