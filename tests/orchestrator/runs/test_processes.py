"""The command line as a process: killed, interrupted, resumed, and what it leaves behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

GENLEVEL = (sys.executable, "-m", "genlevel_orchestrator.cli.main")
SLOW_SECONDS = 0.15


def _start(arguments: list[str], state: Path, evaluators: str = "") -> subprocess.Popen[str]:
    environment = {**os.environ, "GENLEVEL_STATE_DIR": str(state), "GENLEVEL_EVALUATORS": evaluators, "XDG_CONFIG_HOME": str(state)}
    return subprocess.Popen([*GENLEVEL, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _finish(process: subprocess.Popen[str], seconds: float = 120) -> tuple[int, dict[str, Any], str]:
    out, err = process.communicate(timeout=seconds)
    return process.returncode, json.loads(out) if out.strip() else {}, err


def _until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def _journalled(state: Path) -> set[str]:
    path = state / "journal.sqlite"
    if not path.exists():
        return set()
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as connection:
        try:
            return {key for (key,) in connection.execute("select key from shards")}
        except sqlite3.OperationalError:
            return set()


@pytest.mark.parametrize("way", ["the same command", "genlevel runs resume"])
def test_kill_9_then_again_gives_the_same_score_and_scores_no_journalled_shard_twice(
    tmp_path: Path, bundles: ModuleType, fakes: ModuleType, threaded: Any, way: str
) -> None:
    bundle = bundles.text_bundle(tmp_path / "b", [(bundles.ACCURACY, 6000, 4000)])
    state = tmp_path / "state"
    fake = fakes.FakeEvaluator(before=lambda _: asyncio.sleep(SLOW_SECONDS))
    command = ["run", str(bundle), "--model", "m", "--json"]
    with threaded(lambda: fakes.serving(fake)) as target:
        evaluators = f"language={target}"
        process = _start(command, state, evaluators)
        _until(lambda: len(_journalled(state)) >= 3)
        process.kill()
        process.wait()
        kept = _journalled(state)
        before = fake.scored.copy()
        listed = _finish(_start(["runs", "list", "--json"], state))[1]["runs"]
        assert [run["state"] for run in listed] == ["interrupted"]
        fake.scored.clear()
        again = command if way == "the same command" else ["runs", "resume", listed[0]["run"], "--json"]
        code, result, err = _finish(_start(again, state, evaluators))
    assert code == 0, err
    (task,) = result["tasks"]
    assert task["value"] == pytest.approx(100 * 4000 / 6000)
    assert 3 <= len(kept) < 12
    assert task["shards_reused"] == len(kept)
    assert len(fake.scored) + 512 * len(kept) >= 6000 > len(fake.scored)
    assert sum(before.values()) + sum(fake.scored.values()) >= 6000
    if way != "the same command":
        assert result["run"] == listed[0]["run"]


def _children(pid: int) -> list[int]:
    """Processes below one, all generations."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            if parent == pid:
                found += [int(folder.name), *_children(int(folder.name))]
    return found


def _gone(pids: Iterable[int]) -> bool:
    def ended(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            return True

    return all(ended(pid) for pid in pids)


@pytest.mark.ray
def test_a_killed_run_with_ray_leaves_no_process_behind(tmp_path: Path, bundles: ModuleType) -> None:
    bundle = bundles.text_bundle(tmp_path / "b", [(bundles.ACCURACY, 60_000, 20_000)])
    process = _start(["run", str(bundle), "--model", "m", "--json"], tmp_path / "state")
    _until(lambda: len(_journalled(tmp_path / "state")) >= 1, 180)
    children = _children(process.pid)
    assert len(children) > 3
    process.kill()
    process.wait()
    _until(lambda: _gone(children), 60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_no_process_behind(tmp_path: Path, bundles: ModuleType, number: signal.Signals) -> None:
    bundle = bundles.text_bundle(tmp_path / "b", [(bundles.ACCURACY, 120_000, 20_000)])
    state = tmp_path / "state"
    process = _start(["run", str(bundle), "--model", "m", "--in-process", "--json"], state)
    children: set[int] = set()

    def begun() -> bool:
        children.update(_children(process.pid))
        return len(_journalled(state)) >= 1

    # Nothing stands between the first shard and the signal: the other shards take a second or two.
    _until(begun, 90)
    process.send_signal(number)
    assert children
    code, document, _ = _finish(process)
    _until(lambda: _gone(children), 30)
    if number is signal.SIGKILL:
        assert code == -signal.SIGKILL
    else:
        assert code == 130
        assert document["error"]["code"] == "INTERRUPTED"
        listed = _finish(_start(["runs", "list", "--json"], state))[1]["runs"]
        assert listed[0]["state"] == "interrupted"


def test_a_real_evaluator_scores_a_bundle_in_a_zip(tmp_path: Path, bundles: ModuleType) -> None:
    import shutil

    bundles.text_bundle(tmp_path / "b")
    archive = shutil.make_archive(str(tmp_path / "bundle"), "zip", tmp_path / "b")
    state = tmp_path / "state"
    code, result, err = _finish(_start(["run", archive, "--model", "m", "--in-process", "--json"], state))
    assert code == 0, err
    values = {task["task_id"]: (task["status"], task["value"]) for task in result["tasks"]}
    assert values["language.commonsense-reasoning"] == ("scored", 70.0)
    assert Path(result["report"]["html"]).is_file()
    assert result["levels"]["paper"]["status"] == "partial"
    work = state / "runs" / result["run"]
    assert not (work / "bundle").exists(), "what was unpacked is removed"
    code, shown, _ = _finish(_start(["runs", "show", "last", "--json"], state))
    assert (code, shown["run"]) == (0, result["run"])
    watched = _start(["runs", "watch", "last"], state).communicate(timeout=60)[0].splitlines()
    assert "run_started" in watched[0]
    assert watched[-1].endswith("succeeded")


def test_an_evaluator_nobody_serves_ends_with_code_5(tmp_path: Path, bundles: ModuleType) -> None:
    state = tmp_path / "state"
    state.mkdir()
    config = state / "genlevel"
    config.mkdir()
    (config / "config.toml").write_text("[dispatch]\nstart_seconds = 0.5\n")
    bundle = bundles.text_bundle(tmp_path / "b")
    code, result, _ = _finish(_start(["run", str(bundle), "--model", "m", "--json"], state, "language=127.0.0.1:1"))
    assert (code, result["state"]) == (5, "provisional")
    assert {task["status"] for task in result["tasks"]} == {"failed"}


def test_a_dry_run_starts_nothing(tmp_path: Path, bundles: ModuleType) -> None:
    state = tmp_path / "state"
    bundle = bundles.text_bundle(tmp_path / "b")
    code, plan, err = _finish(_start(["run", str(bundle), "--model", "m", "--dry-run", "--json"], state))
    assert code == 0, err
    assert {row["task"]: (row["samples"], row["shards"]) for row in plan["tasks"]} == {
        "language.commonsense-reasoning": (10, 1), "language.counterfactual-reasoning": (10, 1),
    }  # fmt: skip
    assert not (state / "journal.sqlite").exists()
