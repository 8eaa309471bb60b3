"""Doctor: each check sees what is missing and names the line that mends it."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from genlevel_orchestrator.cli import doctor_checks as checks
from genlevel_orchestrator.cli.main import run_command
from genlevel_orchestrator.errors import ExitCode


def test_python_and_platform() -> None:
    assert checks.check_python((3, 11)).state == "ok"
    assert checks.check_python((3, 12)).state == "ok"
    old = checks.check_python((3, 9))
    assert (old.state, old.found) == ("missing", "3.9")
    assert "python3.11" in old.fix
    assert checks.check_platform("Linux", "x86_64").state == "ok"
    assert checks.check_platform("Darwin", "arm64").state == "missing"


def test_programs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = checks.check_program("git")
    assert (missing.state, missing.fix) == ("missing", "apt-get install -y git")
    (tmp_path / "git").write_text("#!/bin/sh\n")
    (tmp_path / "git").chmod(0o755)
    assert checks.check_program("git").found == str(tmp_path / "git")


def test_libraries() -> None:
    assert checks.check_libraries(["libc.so.6"]).state == "ok"
    missing = checks.check_libraries(["libc.so.6", "libnosuch.so.9"])
    assert (missing.state, missing.fix) == ("missing", "apt-get install -y libnosuch.so.9")
    assert checks.LIBRARIES["libGL.so.1"] == "libgl1"


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.check_folder("state folder", tmp_path / "not" / "made" / "yet").found.startswith(str(tmp_path))
    file = tmp_path / "file"
    file.write_text("")
    assert checks.check_folder("state folder", file / "below").state == "missing"
    space = {"missing": 10**9, "warning": 3 * 10**9, "ok": 10**11}
    for state, free in space.items():
        monkeypatch.setattr(checks.shutil, "disk_usage", lambda path, free=free: SimpleNamespace(free=free))
        assert checks.check_folder("state folder", tmp_path).state == state


def test_a_broken_evaluator_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        raise ImportError("libGL.so.1: cannot open shared object file")

    broken = SimpleNamespace(name="three_d", load=fail)
    hollow = SimpleNamespace(name="audio", load=lambda: SimpleNamespace(metric_ids=(), metric=None))
    monkeypatch.setattr(checks.metadata, "entry_points", lambda group: [broken, hollow])
    assert "libGL.so.1" in checks.check_evaluator("three_d").found
    assert checks.check_evaluator("audio").state == "missing"
    absent = checks.check_evaluator("image")
    assert (absent.state, absent.found, absent.fix) == ("missing", "not installed", "make install")


def test_weights_that_are_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENLEVEL_CACHE_DIR", str(tmp_path))
    for quick in (True, False):
        found = checks.check_weights(quick)
        assert found
        assert {check.state for check in found} == {"missing"}
        assert all(check.fix.startswith("genlevel weights fetch ") for check in found)


def test_ports_and_endpoints() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        assert checks.check_endpoint("image", f"127.0.0.1:{port}").state == "missing"
        holder.listen()
        (taken,) = checks.check_ports(port)
        assert (taken.state, taken.fix) == ("warning", f"genlevel serve --port {port + 1}")
        assert checks.check_endpoint("image", f"127.0.0.1:{port}").state == "ok"
        assert checks.check_endpoint("image", f"dns:///127.0.0.1:{port}").state == "ok"
    (free,) = checks.check_ports(port)
    assert free.state == "ok"


def test_command_fails_when_something_needed_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GENLEVEL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GENLEVEL_EVALUATORS", "image=127.0.0.1:1")
    assert run_command(["doctor", "--json"]) == ExitCode.PREREQUISITE_MISSING
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    states = {check["name"]: check["state"] for check in document["checks"]}
    assert states["Python"] == "ok"
    assert states["endpoint image"] == "missing"
    assert run_command(["doctor", "--quick"]) == ExitCode.PREREQUISITE_MISSING
    lines = capsys.readouterr().out.splitlines()
    marked = [index for index, line in enumerate(lines) if line.startswith("MISSING")]
    assert marked
    assert all("fix: " in lines[index + 1] for index in marked)


def test_wrong_settings_are_a_check_not_a_crash(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("GENLEVEL_CONFIG", "/no/such/config.toml")
    assert run_command(["doctor", "--json", "--quick"]) == ExitCode.PREREQUISITE_MISSING
    checks_found = json.loads(capsys.readouterr().out)["checks"]
    assert any(check["name"] == "settings" and "config.toml" in check["found"] for check in checks_found)


def test_command_succeeds_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """`make test` runs where everything is installed; only weights may lie elsewhere, which the quick check reads by size."""
    monkeypatch.delenv("GENLEVEL_EVALUATORS", raising=False)
    code = run_command(["doctor", "--json", "--quick"])
    found = json.loads(capsys.readouterr().out)["checks"]
    missing = [check for check in found if check["state"] == "missing"]
    assert code == (ExitCode.PREREQUISITE_MISSING if missing else ExitCode.OK)
    needed = {"Python", "platform", "venv", "git", "make", "libraries", "ray", "torch"}
    assert not needed & {check["name"] for check in missing}, missing
    assert os.path.basename(next(check["found"] for check in found if check["name"] == "git")) == "git"


@pytest.mark.parametrize(
    ("given", "state", "words"),
    [
        ({}, "ok", "none configured"),
        ({"URL": "https://judge.example.com/v1", "MODEL": "m"}, "ok", "m at judge.example.com, without a key"),
        ({"URL": "https://judge.example.com/v1", "MODEL": "m", "KEY": "secret-word"}, "ok", "with a key"),
        ({"URL": "https://me:secret-word@judge.example.com:8443/v1", "MODEL": "m"}, "ok", "m at judge.example.com:8443,"),
        ({"URL": "https://judge.example.com/v1"}, "warning", "GENLEVEL_JUDGE_MODEL is not set"),
        ({"MODEL": "m"}, "warning", "GENLEVEL_JUDGE_URL is not set"),
    ],
)
def test_a_judge_is_told_and_not_contacted(given: dict[str, str], state: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("contacted"))
    found = checks.check_judge({f"GENLEVEL_JUDGE_{name}": value for name, value in given.items()})
    assert (found.name, found.state) == ("judge", state)
    assert words in found.found
    assert "secret-word" not in f"{found}"
    assert bool(found.fix) == (state != "ok")
