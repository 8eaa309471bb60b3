"""`smoke` against a real orchestrator with TLS and token; only the forwarded stream is ours (see fake_cluster_forward.py)."""

from __future__ import annotations

import base64
import copy
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from k8s.cluster.certificate import days_left, make_certificate
from k8s.cluster.comparison import differences

HERE = Path(__file__).parent
DEMO = HERE.parents[1] / "build" / "demo"
TASKS = ("TopicClassification", "GrammarCorrection")
TOKEN = "a-token-of-the-tests-that-is-long-enough"
GENLEVEL = str(Path(sys.executable).with_name("genlevel"))


def settings_of(folder: Path) -> dict[str, str]:
    """An environment with state of its own and settings that say nothing."""
    (folder / "config.toml").write_text("")
    return {**os.environ, "GENLEVEL_STATE_DIR": str(folder / "state"), "GENLEVEL_CONFIG": str(folder / "config.toml")}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two language tasks of the demo bundle, with the report of a run in this process."""
    folder = tmp_path_factory.mktemp("bundle")
    for part in ("predictions", "references"):
        for task in TASKS:
            shutil.copytree(DEMO / part / "nlp" / task, folder / part / "nlp" / task)
    command = [
        GENLEVEL,
        "run",
        str(folder / "predictions"),
        "--references",
        str(folder / "references"),
        "--model",
        "demo-baselines",
    ]
    environment = settings_of(folder)
    done = subprocess.run(
        [*command, "--in-process", "--output", str(folder / "expected")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (folder / "expected/report.json").is_file(), done.stderr
    return folder


@pytest.fixture(scope="module")
def orchestrator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, dict[str, str]]]:
    """Port and Secrets of an orchestrator with TLS and token."""
    folder = tmp_path_factory.mktemp("orchestrator")
    made = make_certificate("genlevel", ("genlevel.example.org",))
    held = {"tls.crt": made.certificate, "tls.key": made.key, "ca.crt": made.authority, "token": TOKEN}
    for name, content in held.items():
        (folder / name).write_text(content)
    command = [
        GENLEVEL, "serve", "--only", "language", "--in-process", "--host", "127.0.0.1", "--port", "0", "--json", "--root", str(folder),
        "--tls-certificate", str(folder / "tls.crt"), "--tls-key", str(folder / "tls.key"), "--token-file", str(folder / "token"),
    ]  # fmt: skip
    environment = settings_of(folder)
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder)
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.search(r'"orchestrator": *"[^"]*:(\d+)"', line)
        assert found, line + (folder / "log").read_text()
        yield int(found[1]), held
        server.terminate()
        server.wait(30)


@pytest.fixture
def smoke(
    tool: Any, bundle: Path, orchestrator: tuple[int, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Run `smoke` in a cluster that holds the orchestrator's Secrets."""
    port, held = orchestrator
    for title, keys in (("genlevel-tls", ("tls.crt", "tls.key", "ca.crt")), ("genlevel-token", ("token",))):
        data = {key: base64.b64encode(held[key].encode()).decode() for key in keys}
        tool.cluster.add("Secret", title, "genlevel", data=data)
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} {HERE / "fake_cluster_forward.py"} "$@"\n')
    wrapper.chmod(0o755)
    for key, value in (("REAL_KUBECTL", os.environ["KUBECTL"]), ("KUBECTL", str(wrapper)), ("FORWARD_TO", str(port))):
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("FORWARD_LOG", str(tmp_path / "forwards"))
    monkeypatch.setenv("GENLEVEL_CONFIG", str(bundle / "config.toml"))

    def run(expected: Path = bundle / "expected", *words: str) -> tuple[int, str, str]:
        return tuple(tool("smoke", "--bundle", str(bundle), "--expected", str(expected), *words))  # type: ignore[return-value]

    return run


def test_equal_numbers_pass_even_when_the_forward_breaks(smoke: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARD_ENDS", "1.5")
    code, out, err = smoke()
    assert code == 0, f"{out}\n{err}"
    assert "2 scored tasks and all levels equal the embedded run's to 1e-09" in out
    forwards = (tmp_path / "forwards").read_text().splitlines()
    assert "port-forward -n genlevel --address 127.0.0.1 service/orchestrator :9100" in forwards[0]
    assert len(forwards) >= 2
    port = re.search(r"grpcs://127\.0\.0\.1:(\d+)", out)
    assert port
    assert forwards[1].endswith(f"service/orchestrator {port[1]}:9100")
    assert TOKEN not in out + err + (tmp_path / "forwards").read_text()


def test_other_numbers_fail_with_the_tasks_that_differ(smoke: Any, bundle: Path, tmp_path: Path) -> None:
    report = json.loads((bundle / "expected/report.json").read_text())
    scored = next(task for task in report["tasks"] if task["status"] == "scored")
    right = scored["value"]
    scored["value"] += 1e-6
    (tmp_path / "expected").mkdir()
    (tmp_path / "expected/report.json").write_text(json.dumps(report))
    code, _, err = smoke(tmp_path / "expected")
    assert code == 1
    assert "differ from the embedded ones in 1 places" in err
    assert f"task {scored['task_id']} ({scored['metric']}): value {right} instead of {scored['value']}" in err


def test_without_an_orchestrator_or_secrets_it_says_so(smoke: Any, tool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("k8s.cluster.forward._START_SECONDS", 0.5)
    tool.cluster.add("Namespace", "genlevel")
    monkeypatch.setenv("KUBECTL", os.environ["REAL_KUBECTL"])
    code, _, err = smoke()
    assert code == 1
    assert "no connection to service/orchestrator through kubectl port-forward" in err
    assert 'services "orchestrator" not found' in err
    del tool.cluster.objects[("secrets", "genlevel", "genlevel-token")]
    code, _, err = smoke()
    assert code == 1
    assert "the cluster has no Secret genlevel-token with token" in err


def test_every_kind_of_difference_is_found(bundle: Path) -> None:
    one = json.loads((bundle / "expected/report.json").read_text())
    assert differences(one, copy.deepcopy(one)) == []
    other = copy.deepcopy(one)
    other["levels"]["paper"]["levels"]["2"] += 1e-8
    gone = other["tasks"].pop()["task_id"]
    scored = next(task for task in other["tasks"] if task["status"] == "scored")
    scored.update(status="failed", value=None, reason="EVALUATOR_ABSENT")
    found = differences(one, other)
    assert len(found) == 3
    assert found[0].startswith("level paper.levels.2:")
    assert any(line == f"task {gone}: only in the embedded run" for line in found)
    assert any("status failed instead of scored" in line and line.endswith("(EVALUATOR_ABSENT)") for line in found)


def test_the_certificate_is_good_for_all_names_of_the_orchestrator(
    orchestrator: tuple[int, dict[str, str]], tmp_path: Path
) -> None:
    _, held = orchestrator
    for name in ("ca.crt", "tls.crt"):
        (tmp_path / name).write_text(held[name])
    names = [
        "orchestrator",
        "orchestrator.genlevel.svc.cluster.local",
        "gateway.genlevel.svc",
        "localhost",
        "genlevel.example.org",
    ]
    for flag, name in [*(("-verify_hostname", name) for name in names), ("-verify_ip", "127.0.0.1")]:
        command = [
            "openssl",
            "verify",
            "-x509_strict",
            "-CAfile",
            str(tmp_path / "ca.crt"),
            flag,
            name,
            str(tmp_path / "tls.crt"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert days_left(held["tls.crt"]) > 800
