"""The file beside a report: what comes back, and files that cannot be used."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.report import build_report, read_samples, render, write_reports
from genlevel_orchestrator.runs.details import SampleDetails, pack, unpack
from genlevel_orchestrator.runs.results import RunResult

DETAILS = {
    "b": SampleDetails("s" * 64, 4, "k" * 64, (0.0, 100.0, math.nan, math.inf), (1.25, math.nan, 33.33333333333333)),
    "a": SampleDetails("t" * 64, 0, "e" * 64),
}


def same(one: SampleDetails, other: SampleDetails) -> bool:
    return repr(one) == repr(other)


def test_details_come_back_from_the_journals_form() -> None:
    assert all(same(unpack(item.signature, pack(item)), item) for item in DETAILS.values())


def test_details_come_back_from_the_file(result: RunResult, catalogue: Catalogue, tmp_path: Path) -> None:
    paths = write_reports(result, catalogue, tmp_path, ["json", "samples"], DETAILS)
    found = read_samples(paths["samples"], json.loads(paths["json"].read_text()))
    assert same(found["a"], DETAILS["a"])
    assert repr(found["b"].scores) == repr(DETAILS["b"].scores)
    assert found["b"].replicates[2] == pytest.approx(33.33333333333333, rel=1e-8)
    assert render(result, catalogue, "samples", DETAILS).content == paths["samples"].read_bytes(), "equal input, equal bytes"


def test_no_file_is_no_details(result: RunResult, catalogue: Catalogue, tmp_path: Path) -> None:
    assert read_samples(tmp_path / "samples.json.gz", build_report(result, catalogue)) == {}


def test_the_file_of_another_run_is_refused(result: RunResult, catalogue: Catalogue, tmp_path: Path) -> None:
    path = write_reports(result, catalogue, tmp_path, ["samples"], DETAILS)["samples"]
    report = build_report(result, catalogue)
    other = {**report, "run": {**report["run"], "name": "run-b"}}
    with pytest.raises(UserError, match="another run") as caught:
        read_samples(path, other)
    assert "genlevel report" in str(caught.value.remedy)


def _packed(content: bytes) -> bytes:
    """The same bytes at every time: they name the tests."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"no gzip", _packed(b"{"), _packed(b"[]"), _packed(b'{"tasks": {"a": 1}}'), _packed(b"{}" * 1000)[:-9],
        _packed(b'{"schema": "other", "tasks": {}}'), _packed(b'{"schema": "genlevel.samples", "schema_version": 9, "tasks": {}}'),
        _packed(b'{"tasks": {"a": {"signature": "s", "samples": 1, "keys_digest": "k", "scores": ["x"], "replicates": []}}}'),
    ],
)  # fmt: skip
def test_damaged_files_are_named(content: bytes, result: RunResult, catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "samples.json.gz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"samples\.json\.gz"):
        read_samples(path, build_report(result, catalogue))
