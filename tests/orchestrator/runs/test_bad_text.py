"""Bad text in bundles, through a whole run and its report: every sample ends as a score or as an issue with a name."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from genlevel_orchestrator.cli.main import run_command

LONG = "x" * (10 << 20)
# name: (prediction as JSON text, code of the issue)
PREDICTIONS: dict[str, tuple[str, str | None]] = {
    "right": ('"answer"', None),
    "list": ('["answer"]', "WRONG_TYPE"),
    "object": ('{"text": "answer"}', "WRONG_TYPE"),
    "number": ("42", None),
    "truth": ("true", None),
    "null": ("null", None),
    "empty": ('""', None),
    "blank": ('" \\n\\t "', None),
    "long": (json.dumps(LONG), "TEXT_TOO_LONG"),
    "control": ('"answer\\u0001\\u001b[31m\\u007f"', None),
    "nul": ('"\\u0000answer\\u0000"', None),
    "surrogate": ('"answer \\ud800"', "HALF_A_CHARACTER"),
    "other-half": ('"\\udc00"', "HALF_A_CHARACTER"),
    "pair": ('"\\ud83d\\ude00"', None),
    "surrogate-inside": ('{"text": ["\\udfff"]}', "HALF_A_CHARACTER"),
    "direction": ('"\\u202eanswer\\ufeff\\uffff"', None),
}
REFERENCES: dict[str, tuple[str, str]] = {
    "absent": ("{}", "NO_REFERENCE"),
    "none": ("null", "NO_REFERENCE"),
    "no-answers": ('{"answer": []}', "NO_REFERENCE"),
    "null-answer": ('{"answer": null}', "NO_REFERENCE"),
    "null-answers": ('{"answer": [null]}', "NO_REFERENCE"),
    "reference-object": ('{"answer": {"a": 1}}', "WRONG_TYPE"),
    "reference-surrogate": ('{"answer": "\\ud800"}', "HALF_A_CHARACTER"),
    "reference-long": (json.dumps({"answer": LONG}), "TEXT_TOO_LONG"),
}
TASKS = {
    "nlp/Commonsense Reasoning": "accuracy",
    "nlp/TriviaQA": "token_f1",
    "nlp/Medical Question Answering": "bleu_1",
    "image/comprehension/Coco Image Captioning": "rouge_l_f",
    "image/comprehension/Handwriting OCR": "anls",
    "video/comprehension/Video Semantic Role Labeling": "cider",
}


def _write(folder: Path) -> None:
    folder.mkdir(parents=True)
    data = [f'{{"id": "{name}", "input": {{"question": "?"}}, "output": {{"answer": ["answer", "another one"]}}}}' for name in PREDICTIONS]
    data += [f'{{"id": "{name}", "input": {{"question": "?"}}, "output": {output}}}' for name, (output, _) in REFERENCES.items()]
    data += ['{"id": "twice", "output": {"answer": "answer"}}', '{"id": "twice", "output": {"answer": "else"}}']
    entries = [f'{{"id": "{name}", "prediction": {given}}}' for name, (given, _) in PREDICTIONS.items()]
    entries += [f'{{"id": "{name}", "prediction": "answer"}}' for name in (*REFERENCES, "twice")]
    entries += ['{"id": "\\ud800", "prediction": "answer"}', '{"id": "a\\u0000b", "prediction": "\\ud800"}']
    (folder / "annotation.json").write_text(f'{{"type": "OpenQA", "data": [{", ".join(data)}]}}', encoding="utf-8")
    (folder / "prediction.json").write_text(f"[{', '.join(entries)}]", encoding="utf-8")


@pytest.fixture
def result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real_evaluators: str, capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    for place in TASKS:
        _write(tmp_path / "bundle" / place)
    monkeypatch.setenv("GENLEVEL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GENLEVEL_EVALUATORS", real_evaluators)
    run_command(["run", str(tmp_path / "bundle"), "--model", "m", "--output", str(tmp_path / "out"), "--json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_every_bad_text_ends_as_a_score_or_an_issue(result: dict[str, Any], tmp_path: Path) -> None:
    assert result["state"] == "provisional", "references that cannot be used are not the model's fault"
    assert len(result["tasks"]) == len(TASKS) == result["counts"]["scored"]
    named = {name: code for name, (_, code) in PREDICTIONS.items() if code}
    expected = Counter(named.values()) + Counter(code for _, code in REFERENCES.values()) + Counter(["DUPLICATE_ID"])
    for task in result["tasks"]:
        assert task["issue_counts"] == dict(expected), task["task_id"]
        assert (task["expected"], task["present"]) == (len(PREDICTIONS), len(PREDICTIONS) - len(named) - 1), "null is missing"
        assert 0 <= task["value"] <= 1000
    by_metric = {task["metric"]: task["value"] for task in result["tasks"]}
    assert by_metric["accuracy"] == pytest.approx(100 / len(PREDICTIONS)), "only one prediction is the answer and nothing else"
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert json.dumps(report, ensure_ascii=False).encode("utf-8")
    assert LONG[:1000] not in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert openpyxl.load_workbook(tmp_path / "out" / "report.xlsx").sheetnames

    issues = [issue for task in report["tasks"] for issue in task["issues"]]
    assert len(issues) == len(TASKS) * 15
    wanted = {name: code for name, (_, code) in {**PREDICTIONS, **REFERENCES}.items() if code} | {"twice": "DUPLICATE_ID"}
    for issue in issues:
        assert (issue["code"], bool(issue["message"]), bool(issue["remedy"])) == (wanted[issue["sample_id"]], True, True)
        assert issue["severity"] == ("prediction" if issue["sample_id"] in PREDICTIONS else "reference")


def test_validate_names_them_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _write(tmp_path / "bundle" / "nlp" / "TriviaQA")
    assert run_command(["validate", str(tmp_path / "bundle"), "--json"]) != 0
    codes = {violation["code"] for violation in json.loads(capsys.readouterr().out)["violations"]}
    assert {"HALF_A_CHARACTER", "BAD_ID", "DUPLICATE_ID", "SURPLUS_ID", "NO_REFERENCE"} <= codes


def test_half_a_character_beside_the_samples_is_a_fault_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "bundle" / "nlp" / "TriviaQA"
    folder.mkdir(parents=True)
    (folder / "annotation.json").write_text('{"type": "\\ud800", "data": [{"id": 1, "output": {"answer": "a"}}]}')
    (folder / "prediction.json").write_text('[{"id": 1, "prediction": "a"}]')
    assert run_command(["validate", str(tmp_path / "bundle"), "--json"]) != 0
    (violation,) = [item for item in json.loads(capsys.readouterr().out)["violations"] if item["severity"] == "error"]
    assert (violation["code"], violation["file"].endswith("annotation.json")) == ("HALF_A_CHARACTER", True)
