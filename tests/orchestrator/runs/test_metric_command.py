"""`genlevel metric`: one metric on a file of samples, against a real evaluator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from genlevel_orchestrator.cli.main import run_command
from genlevel_orchestrator.runs import single

LINES = [
    {"id": 1, "prediction": "a cat", "references": ["a cat", "the cat"]},
    {"id": 2, "prediction": "a dog", "reference": "a cat"},
    {"id": 3, "reference": "a cat"},
]


@pytest.fixture(autouse=True)
def _served(real_evaluators: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENLEVEL_EVALUATORS", real_evaluators)
    monkeypatch.setenv("GENLEVEL_STATE_DIR", str(tmp_path / "state"))


def _metric(capsys: pytest.CaptureFixture[str], path: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    code = run_command(["metric", *arguments, "--samples", str(path), "--json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, document


def _write(tmp_path: Path, lines: list[Any]) -> Path:
    path = tmp_path / "samples.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


def test_a_value_with_how_it_was_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = _metric(capsys, _write(tmp_path, [*LINES[:1], "", *LINES[1:]]), "accuracy")
    assert code == 0
    assert result["value"] == pytest.approx(100 / 3)
    assert (result["metric"], result["unit"], result["n"], result["present"]) == ("accuracy", "percent", 3, 2)
    assert result["signature"].startswith("accuracy|v:")
    assert {"reason", "issues"} <= set(result)


def test_many_shards_give_what_one_gives(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [{"id": index, "prediction": f"the cat {index % 3}", "reference": "the cat 1"} for index in range(50)]
    path = _write(tmp_path, lines)
    _, whole = _metric(capsys, path, "bleu_1")
    monkeypatch.setattr(single, "SHARD_SAMPLES", {})
    monkeypatch.setattr(single, "DEFAULT_SHARD_SAMPLES", 7)
    _, parts = _metric(capsys, path, "bleu_1")
    assert parts == whole


def test_every_bad_line_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        LINES[0], "not json", {"prediction": "x"}, {"id": 1, "prediction": "again"}, [1], {"id": 5}, '{"id": 6, "prediction": NaN}',
        {"id": 7, "prediction": "x", "reference": "y", "references": ["z"]},
    ]  # fmt: skip
    code, document = _metric(capsys, _write(tmp_path, lines), "accuracy")
    assert code == 2
    details = document["error"]["details"]
    assert [item["line"] for item in details] == [2, 3, 4, 5, 6, 7, 8]
    assert all(item["message"] and item["remedy"] for item in details)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("acuracy",), "accuracy"),
        (("accuracy", "--param", "nonsense=1"), "nonsense"),
        (("accuracy", "--param", "nonsense"), "name=value"),
        (("anls", "--param", "threshold=Infinity"), "'Infinity' is not of type float"),
        (("anls", "--param", f"threshold={'9' * 400}"), "is not of type float"),
        (("anls", "--param", 'boundary="\\ud800"'), "boundary"),
        (("anls", "--param", "boundary=\udcff"), "not UTF-8"),
        (("accuracy", "--evaluator", "audio"), "language"),
    ],
)
def test_wrong_names(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], word: str) -> None:
    code, document = _metric(capsys, _write(tmp_path, list(LINES)), *arguments)
    assert code == 2
    assert word in json.dumps(document["error"])


def test_an_empty_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = _metric(capsys, _write(tmp_path, []), "accuracy")
    assert code == 2
    assert "no sample" in document["error"]["message"]


def test_paths_are_relative_to_the_file_and_stay_below_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("a.xyz", "b.xyz"):
        (folder / name).write_text("0 0 0\n1 0 0\n")
    (tmp_path / "outside.xyz").write_text("0 0 0\n")
    lines = [
        {"id": 1, "prediction": "a.xyz", "reference": "b.xyz"},
        {"id": 2, "prediction": "../outside.xyz", "reference": "b.xyz"},
        {"id": 3, "prediction": "none.xyz", "reference": "b.xyz"},
    ]
    code, result = _metric(capsys, _write(folder, lines), "chamfer_distance")
    assert code == 0
    assert (result["value"], result["n"], result["present"]) == (0.0, 3, 1)
    assert {(issue["sample_id"], issue["code"]) for issue in result["issues"]} == {("2", "MEDIA_OUTSIDE_ROOT"), ("3", "MEDIA_MISSING")}


def test_without_a_server_one_is_started_and_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENLEVEL_EVALUATORS")
    code, result = _metric(capsys, _write(tmp_path, list(LINES)), "token_f1")
    assert (code, result["n"]) == (0, 3)


def test_scores_of_samples_go_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [{"id": index, "prediction": "a cat", "reference": "a cat" if index % 3 else "a dog"} for index in range(25)]
    path, file = _write(tmp_path, [*lines, {"id": 99, "reference": "a cat"}]), tmp_path / "scores.jsonl"
    code, whole = _metric(capsys, path, "token_f1", "--sample-scores", str(file))
    assert code == 0
    written = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row["id"] for row in written] == [str(index) for index in [*range(25), 99]]
    assert sum(row["value"] for row in written) / 26 == pytest.approx(whole["value"])
    assert whole["worst"][0] == {"id": "0", "value": 0.0}
    assert [item["id"] for item in whole["worst"]] == ["0", "3", "6", "9", "12", "15", "18", "21", "24", "99"]
    monkeypatch.setattr(single, "SHARD_SAMPLES", {})
    monkeypatch.setattr(single, "DEFAULT_SHARD_SAMPLES", 7)
    _, parts = _metric(capsys, path, "token_f1", "--sample-scores", str(tmp_path / "parts.jsonl"))
    assert parts == whole
    assert (tmp_path / "parts.jsonl").read_bytes() == file.read_bytes()


def test_scores_of_samples_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _write(tmp_path, LINES)
    assert run_command(["metric", "accuracy", "--samples", str(path), "--sample-scores", str(tmp_path)]) == 2
    assert "--sample-scores" in capsys.readouterr().err


def test_sample_scores_never_replace_the_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = _write(tmp_path, list(LINES))
    (tmp_path / "link.jsonl").symlink_to(path)
    before = path.read_bytes()
    for target in (path, tmp_path / "link.jsonl", tmp_path / "absent" / "scores.jsonl"):
        code, document = _metric(capsys, path, "accuracy", "--sample-scores", str(target))
        assert code == 2
        assert "--sample-scores" in document["error"]["remedy"]
    assert path.read_bytes() == before


def test_sample_scores_of_a_metric_of_sets_are_refused_before_it_is_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(single, "ShardScorer")
    path = _write(tmp_path, [{"id": 1, "prediction": "a.mp4"}, {"id": 2, "reference": "b.mp4"}])
    code, document = _metric(capsys, path, "fvd", "--sample-scores", str(tmp_path / "scores.jsonl"))
    assert (code, document["error"]["message"]) == (2, "fvd has no value for one sample alone")


def test_a_reference_that_is_not_read_need_not_be_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = [f"{place}.png" for place in range(2)]
    for name in frames:
        Image.new("RGB", (32, 32)).save(tmp_path / name)
    code, found = _metric(capsys, _write(tmp_path, [{"id": 1, "prediction": frames, "reference": "a black cat"}]), "temporal_flickering")
    assert (code, found["value"]) == (0, 100.0)
    assert ("REFERENCE_NOT_READ", "warning") in [(issue["code"], issue["severity"]) for issue in found["issues"]]


def test_worst_samples_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["metric", "accuracy", "--samples", str(_write(tmp_path, LINES))]) == 0
    assert "worst: 2 (0), 3 (0), 1 (100)" in capsys.readouterr().out


def test_a_value_of_some_samples_only_is_called_provisional(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = {"question": "Which?", "reference": "a"}
    lines = [{"id": mark, "prediction": {"verdict": mark, "judge": "panel"}, **given} for mark in (1, 7)]
    for kept, expected in ((lines, True), (lines[:1], False)):
        run_command(["metric", "gpt_score", "--in-process", "--samples", str(_write(tmp_path, kept))])
        assert ("provisional: " in capsys.readouterr().out) is expected


def test_warnings_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    box, truth = {"label": "a", "box": [0, 0, 9, 9]}, [{"label": "a", "box": [0, 0, 9, 9]}]
    lines = [{"id": 1, "prediction": [box | {"score": 0.5}], "reference": truth}, {"id": 2, "prediction": [box], "reference": truth}]
    assert run_command(["metric", "ap_50_box", "--in-process", "--samples", str(_write(tmp_path, lines))]) == 0
    assert "warnings: some_scores_missing\n" in capsys.readouterr().out


@pytest.mark.weights
def test_a_stand_in_and_the_file_of_an_issue_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, size in (("a.png", 9), ("b.png", 8)):
        Image.new("RGB", (size, size)).save(tmp_path / name)
    path = _write(tmp_path, [{"id": 1, "prediction": "a.png", "reference": "b.png"}])
    assert run_command(["metric", "psnr", "--evaluator", "image", "--in-process", "--samples", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "prediction: SIZE_MISMATCH: a.png: the prediction is 9 x 9 pixels" in printed
    assert "not comparable" not in printed
    assert run_command(["metric", "clip_score_image", "--in-process", "--samples", str(path)]) == 0
    assert "not comparable with published values: " in capsys.readouterr().out
