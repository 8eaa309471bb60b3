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


def test_ids_of_one_hash_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "hash", lambda _: 7, raising=False)
    assert [(line, code) for line, code, _ in _refused(tmp_path, ["a", "b", "c", "b"])] == [(4, "DUPLICATE_ID")]
