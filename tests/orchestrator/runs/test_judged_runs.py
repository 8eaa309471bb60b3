"""The task that is judged, through runs, in General-Bench's own form: with a judge, without one, with one that is away and comes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from genlevel_orchestrator.cli.main import run_command

TASK = "audio.comprehension.open-ended-audio-question-answering"
SAMPLES = 100
RIGHT = 39
MODEL, KEY = "judge-model", "sk_test_5f0c2a"
Genlevel = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def servers(load_module: Callable[[Path], ModuleType]) -> ModuleType:
    """The judge that the tests of the metric use."""
    return load_module(Path(__file__).parents[2] / "language" / "judge_server.py")


@pytest.fixture
def judge(servers: ModuleType) -> Iterator[Any]:
    with servers.JudgeServer() as server:
        yield server


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle" / "audio" / "comprehension" / "OpenAQA"
    folder.mkdir(parents=True)
    data = [
        {"id": f"a{place}", "input": {"audio_file": f"audios/{place}.wav", "prompt": f"What is heard in clip {place}?"}, "output": {"text": f"sound {place}!"}}
        for place in range(SAMPLES)
    ]
    predictions = [{"id": f"a{place}", "prediction": f"I hear sound {place}!" if place < RIGHT else "Nothing."} for place in range(SAMPLES - 1)]
    (folder / "annotation.json").write_text(json.dumps({"task": "Open-ended Audio Question Answering", "type": "comprehension", "data": data}))
    (folder / "prediction.json").write_text(json.dumps(predictions))
    return tmp_path / "bundle"


def _variables(folder: Path, judge: Any, model: str) -> dict[str, str]:
    names = {"URL": judge.url, "MODEL": model, "KEY": KEY, "RETRY_SECONDS": "0.2"} if judge is not None else {}
    mine = {"GENLEVEL_STATE_DIR": str(folder / "state"), "GENLEVEL_CACHE_DIR": str(folder / "cache"), "XDG_CONFIG_HOME": str(folder)}
    return mine | {f"GENLEVEL_JUDGE_{name}": value for name, value in names.items()}


@pytest.fixture
def genlevel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real_evaluators: str, capsys: pytest.CaptureFixture[str]) -> Genlevel:
    """Runs the command line; the evaluator is served by this process, so it has the same environment."""

    def run(*arguments: str, judge: Any, model: str = MODEL) -> tuple[int, dict[str, Any]]:
        with monkeypatch.context() as patch:
            for name, value in {**_variables(tmp_path, judge, model), "GENLEVEL_EVALUATORS": real_evaluators}.items():
                patch.setenv(name, value)
            code = run_command([*arguments, "--json"])
        said = capsys.readouterr()
        assert KEY not in said.out + said.err
        return code, json.loads(said.out)

    return run


def _no_key_in(folder: Path) -> None:
    for file in folder.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes(), file


def _asked(judge: Any) -> list[str]:
    return sorted(request.document["question"] for request in judge.requests)


def test_with_an_evaluator_of_its_own_process(bundle: Path, judge: Any, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GENLEVEL_")} | _variables(tmp_path, judge, MODEL)
    command = [sys.executable, "-m", "genlevel_orchestrator.cli.main", "run", str(bundle), "--model", "m", "--in-process", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (task,) = json.loads(done.stdout)["tasks"]
    assert (task["task_id"], task["status"], task["provisional"]) == (TASK, "scored", False)
    assert task["value"] == pytest.approx(RIGHT)
    assert _asked(judge) == sorted(f"What is heard in clip {place}?" for place in range(SAMPLES - 1))
    assert KEY not in done.stdout + done.stderr
    assert len(list((tmp_path / "cache" / "judge").rglob("*.json"))) == SAMPLES - 1
    _no_key_in(tmp_path)


def test_a_judge_that_comes_back_is_asked_for_what_is_missing_alone(
    bundle: Path, genlevel: Genlevel, judge: Any, servers: ModuleType
) -> None:
    judge.answer = lambda request: servers.Reply("?") if request.document["question"].endswith(" 7?") else servers.grade(request)
    code, result = genlevel("run", str(bundle), "--model", "m", judge=judge)
    (task,) = result["tasks"]
    assert (code != 0, result["state"], task["status"], task["provisional"]) == (True, "provisional", "scored", True)
    assert task["issue_counts"] == {"JUDGE_UNPARSABLE": 1}
    assert task["value"] == pytest.approx(100 * (RIGHT - 1) / (SAMPLES - 1))  # sample a7 is left out; the missing one counts 0
    assert len(judge.requests) == SAMPLES - 1 + 1

    judge.answer = servers.grade
    judge.requests.clear()
    code, result = genlevel("runs", "resume", result["run"], judge=judge)
    (task,) = result["tasks"]
    assert (code, task["status"], task["provisional"], task["reason"]) == (0, "scored", False, "")
    assert (task["value"], task["issue_counts"]) == (pytest.approx(RIGHT), {})
    assert _asked(judge) == ["What is heard in clip 7?"]
    assert task["shards_reused"] == task["shards"] - 1


def test_another_judge_model_reuses_nothing(bundle: Path, genlevel: Genlevel, judge: Any) -> None:
    _, first = genlevel("run", str(bundle), "--model", "one", judge=judge)
    judge.requests.clear()
    _, again = genlevel("run", str(bundle), "--model", "two", judge=judge)
    assert (again["tasks"][0]["value"], again["tasks"][0]["shards_reused"], judge.requests) == (first["tasks"][0]["value"], 2, [])
    _, other = genlevel("run", str(bundle), "--model", "one", judge=judge, model="other-model")
    assert (other["tasks"][0]["shards_reused"], len(judge.requests)) == (0, SAMPLES - 1)


def test_without_a_judge_the_task_fails_and_says_what_to_set(bundle: Path, genlevel: Genlevel, judge: Any) -> None:
    code, result = genlevel("run", str(bundle), "--model", "m", judge=None)
    (task,) = result["tasks"]
    assert (code != 0, result["state"], task["status"], task["value"]) == (True, "provisional", "failed", None)
    assert task["reason"].startswith("JUDGE_NOT_CONFIGURED")
    assert "GENLEVEL_JUDGE_URL" in task["reason"]
    assert genlevel("runs", "resume", result["run"], judge=judge)[1]["tasks"][0]["value"] == pytest.approx(RIGHT)


def test_a_judge_that_is_away_leaves_the_run_provisional_and_resumable(
    bundle: Path, genlevel: Genlevel, judge: Any, servers: ModuleType
) -> None:
    with servers.JudgeServer() as away:
        pass
    code, result = genlevel("run", str(bundle), "--model", "m", judge=away)
    (task,) = result["tasks"]
    # One prediction is missing and is 0 whatever a judge would say; it alone makes no score.
    assert (code != 0, result["state"], task["status"], task["value"]) == (True, "provisional", "failed", None)
    assert task["reason"] == "no sample could be scored (JUDGE_UNAVAILABLE)"
    assert task["issue_counts"] == {"JUDGE_UNAVAILABLE": SAMPLES - 1}
    assert genlevel("runs", "resume", result["run"], judge=judge)[1]["tasks"][0]["value"] == pytest.approx(RIGHT)


def test_supplied_verdicts_are_scored_without_a_judge(bundle: Path, genlevel: Genlevel) -> None:
    file = bundle / "audio" / "comprehension" / "OpenAQA" / "prediction.json"
    verdicts = [{"id": f"a{place}", "prediction": {"verdict": int(place < 25), "judge": "someone"}} for place in range(SAMPLES)]
    file.write_text(json.dumps(verdicts))
    code, result = genlevel("run", str(bundle), "--model", "m", judge=None)
    (task,) = result["tasks"]
    assert (code, task["status"], task["value"], task["win"]) == (0, "scored", 25.0, False)
