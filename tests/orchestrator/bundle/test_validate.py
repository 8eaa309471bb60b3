"""`genlevel validate` lists everything that is wrong at once."""

from __future__ import annotations

import io
import json
import struct
import wave
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from genlevel_orchestrator.bundle.mediacheck import check_whole
from genlevel_orchestrator.bundle.violations import Fault
from genlevel_orchestrator.cli.main import run_command


def _validate(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    code = run_command(["validate", *map(str, arguments), "--json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, document


def test_a_sound_bundle(tmp_path: Path, bundles: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = _validate(capsys, bundles.text_bundle(tmp_path))
    assert (code, document["valid"], document["tasks"], document["samples"]) == (0, True, 2, 20)


def test_all_violations_at_once(tmp_path: Path, bundles: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    data, predictions = bundles.questions(3, 3)
    bundles.write_task(tmp_path, bundles.ACCURACY, data, [*predictions[:2], {"id": "x", "prediction": ""}])
    bundles.write_task(tmp_path, bundles.F1, data, b'[{"id": 1, "prediction": "\xff"}]')
    bundles.write_task(tmp_path, "Causal Reasoning", data, b"")
    bundles.write_task(tmp_path, "Comonsense Reasonin", data, predictions)
    code, document = _validate(capsys, tmp_path)
    found = {(item["code"], Path(item["file"]).parts[1]) for item in document["violations"]}
    assert code == 3
    assert found == {
        ("MISSING_PREDICTION", "Commonsense-Reasoning"),
        ("SURPLUS_ID", "Commonsense-Reasoning"),
        ("NOT_UTF8", "Counterfactual-Reasoning"),
        ("FILE_EMPTY", "Causal-Reasoning"),
        ("UNKNOWN_TASK", "Comonsense-Reasonin"),
    }
    assert all(item["message"] and item["remedy"] for item in document["violations"])
    surplus = next(item for item in document["violations"] if item["code"] == "SURPLUS_ID")
    assert (surplus["pointer"], surplus["sample_id"], surplus["task_id"]) == ("/2", "x", "language.commonsense-reasoning")


def test_the_places_in_the_files_are_right(tmp_path: Path, bundles: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    data, _ = bundles.questions(2, 0)
    bundles.write_task(tmp_path, bundles.ACCURACY, data, {"data": [{"id": 0, "prediction": "a"}, {"id": 7, "prediction": "b"}]})
    run_command(["validate", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "nlp/Commonsense-Reasoning/prediction.json#/data/1: SURPLUS_ID" in printed


def test_an_unsafe_zip_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../x", "")
        archive.writestr("/y", "")
    code, document = _validate(capsys, path)
    assert code == 3
    assert [item["code"] for item in document["violations"]] == ["UNSAFE_NAME", "UNSAFE_NAME"]


def test_references_that_are_missing_are_told_once(tmp_path: Path, bundles: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    data = [{"id": index, "input": {"question": "?"}} for index in range(5)]
    bundles.write_task(tmp_path, bundles.ACCURACY, data, [{"id": index, "prediction": "a"} for index in range(5)])
    code, document = _validate(capsys, tmp_path)
    assert code == 3
    assert [item["code"] for item in document["violations"]] == ["NO_REFERENCE"]


def test_what_is_no_bundle_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, document = _validate(capsys, tmp_path / "nothing")
    assert code == 2
    assert "no such bundle" in document["error"]["message"]


def _wav() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 800)
    return buffer.getvalue()


def _npz() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.npy", b"x" * 500)
    return buffer.getvalue()


PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100 + b"\0\0\0\0IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\1" * 100 + b"\xff\xd9"
MP4 = struct.pack(">I4s", 16, b"ftyp") + b"isom\0\0\0\0" + struct.pack(">I4s", 108, b"mdat") + b"\0" * 100


@pytest.mark.parametrize(("name", "content"), [("a.png", PNG), ("a.jpg", JPEG), ("a.wav", _wav()), ("a.npz", _npz()), ("a.mp4", MP4)])
def test_cut_off_media_are_told_from_whole_ones(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    check_whole(path)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(Fault) as caught:
        check_whole(path)
    assert caught.value.code == "MEDIA_TRUNCATED"


def test_media_of_a_bundle_are_looked_at(tmp_path: Path, bundles: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    from genlevel_orchestrator.catalogue import Catalogue

    task = next(task for task in Catalogue.load().tasks.values() if task.metric_id == "chamfer_distance")
    name = task.name
    data = [{"id": index, "output": {"mesh": "shapes/whole.npz"}} for index in range(4)]
    shown = ["shapes/cut.npz", "../../../../outside.npz", "shapes/link.npz", "shapes/none.npz"]
    place = bundles.write_task(
        tmp_path, name, data, [{"id": index, "prediction": text} for index, text in enumerate(shown)], "3D/generation"
    )
    (place / "shapes").mkdir()
    (place / "shapes/whole.npz").write_bytes(_npz())
    (place / "shapes/cut.npz").write_bytes(_npz()[:100])
    (place / "shapes/link.npz").symlink_to("whole.npz")
    code, document = _validate(capsys, tmp_path)
    assert code == 3
    assert {(item["code"], item["sample_id"]) for item in document["violations"]} == {
        ("MEDIA_TRUNCATED", "0"), ("MEDIA_OUTSIDE_ROOT", "1"), ("MEDIA_SYMLINK", "2"), ("MEDIA_MISSING", "3"),
    }  # fmt: skip
