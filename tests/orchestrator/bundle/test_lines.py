"""Files of sample lines: what is refused before anything is scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genlevel_orchestrator.bundle import lines
from genlevel_orchestrator.bundle.fields import form_of
from genlevel_orchestrator.errors import UserError


def _refused(tmp_path: Path, ids: list[Any]) -> list[tuple[int, str, str]]:
    file = tmp_path / "samples.jsonl"
    samples = [{"prediction": "a", "reference": "a"} | ({} if key is None else {"id": key}) for key in ids]
    file.write_text("".join(json.dumps(sample) + "\n" for sample in samples))
    with pytest.raises(UserError) as caught:
        lines.SampleLines(file, tmp_path, form_of("text")).check()
    return [(fault["line"], fault["code"], fault["message"]) for fault in caught.value.details]


def test_every_bad_line_is_named_in_order(tmp_path: Path) -> None:
    found = _refused(tmp_path, [1, "2", "1", None, 3, "2", 1])
    assert [(line, code) for line, code, _ in found] == [
        (3, "DUPLICATE_ID"), (4, "MISSING_ID"), (6, "DUPLICATE_ID"), (7, "DUPLICATE_ID"),
    ]  # fmt: skip
    assert [message.split("stands on line ")[1] for _, code, message in found if code == "DUPLICATE_ID"] == ["1 too", "2 too", "1 too"]


@pytest.mark.parametrize(
    ("line", "side", "pointer", "presence"),
    [
        ('{"id": 1, "prediction": "\\ud800", "reference": "a"}', "prediction", "/prediction", "prediction_missing"),
        ('{"id": 1, "prediction": {"a": ["\\uDFFF"]}, "references": ["a"]}', "prediction", "/prediction", "prediction_missing"),
        ('{"id": 1, "prediction": "a", "reference": "a\\ud83d"}', "reference", "/reference", None),
        ('{"id": 1, "prediction": "a", "references": ["a", "\\udc00"]}', "reference", "/references", None),
        ('{"id": 1, "prediction": "a", "reference": "a", "options": ["\\udc00"]}', "reference", "", None),
        ('{"id": 1, "prediction": "a", "reference": "a", "\\udc00": 1}', "reference", "", None),
    ],
)
def test_half_a_character_is_the_issue_of_its_sample(tmp_path: Path, line: str, side: str, pointer: str, presence: str | None) -> None:
    file = tmp_path / "samples.jsonl"
    file.write_text('{"id": 0, "prediction": "\\ud83d\\ude00", "reference": "a"}\n' + line)
    read = lines.SampleLines(file, tmp_path, form_of("text"))
    read.check()
    (_, none), (sample, (issue,)) = read.samples()
    assert none == []
    assert (issue.sample_id, issue.code, issue.severity) == ("1", "HALF_A_CHARACTER", side)
    assert issue.pointer == pointer
    assert "line 2" in issue.message
    assert (sample and sample.presence) == presence


@pytest.mark.parametrize(
    ("line", "code"),
    [('{"id": "\\ud800", "prediction": "a", "reference": "a"}', "HALF_A_CHARACTER"), ('["\\ud800"]', "HALF_A_CHARACTER"), ('"\\ud800"', "HALF_A_CHARACTER")],
)
def test_half_a_character_that_is_no_sample_is_a_bad_line(tmp_path: Path, line: str, code: str) -> None:
    file = tmp_path / "samples.jsonl"
    file.write_text(line)
    with pytest.raises(UserError) as caught:
        lines.SampleLines(file, tmp_path, form_of("text")).check()
    assert [(fault["line"], fault["code"]) for fault in caught.value.details] == [(1, code)]


@pytest.mark.parametrize("presence", ["what", 5, [], {"a": 1}, True])
def test_a_presence_that_there_is_not_is_a_bad_line(tmp_path: Path, presence: Any) -> None:
    file = tmp_path / "samples.jsonl"
    file.write_text(json.dumps({"id": 1, "prediction": "a", "reference": "a", "presence": presence}))
    with pytest.raises(UserError, match=r"presence.*prediction_only"):
        lines.SampleLines(file, tmp_path, form_of("text")).check()


def test_ids_of_one_hash_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "hash", lambda _: 7, raising=False)
    assert [(line, code) for line, code, _ in _refused(tmp_path, ["a", "b", "c", "b"])] == [(4, "DUPLICATE_ID")]
