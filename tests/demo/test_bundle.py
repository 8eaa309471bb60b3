"""The built bundle: its tasks are the catalogue's, its files are where they are said to be, its predictions are its own."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from demo import build, sources
from demo.bundle import CATALOGUE, Media, Recipe, Task
from demo.tasks import BUILDERS
from genlevel_orchestrator.cli.main import run_command

METRICS = {
    "accuracy", "exact_match_1", "token_f1", "micro_f1", "bleu_1", "rouge_1_f", "rouge_l_f", "psnr", "miou", "ap_50_box",
    "fid", "fvd", "epe", "wer", "mcd", "fad", "chamfer_distance", "rte",
}  # fmt: skip


def catalogue() -> dict[str, dict[str, str]]:
    with (CATALOGUE / "tasks.csv").open(encoding="utf-8", newline="") as stream:
        return {row["name"]: row for row in csv.DictReader(stream)}


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def test_tasks_are_of_the_catalogue_and_of_all_nine_groups() -> None:
    rows = catalogue()
    groups = Counter((rows[b.recipe.name]["modality"], rows[b.recipe.name]["paradigm"]) for b in BUILDERS)
    assert len(groups) == 9
    assert sum(groups.values()) >= 24
    assert len({b.recipe.name for b in BUILDERS}) == len(BUILDERS)
    assert {rows[b.recipe.name]["metric_id"] for b in BUILDERS} == METRICS
    for builder in BUILDERS:
        assert builder.recipe.paradigm == rows[builder.recipe.name]["paradigm"], builder.recipe.name


def test_the_bundle_is_valid(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["validate", str(bundle / "predictions"), "--references", str(bundle / "references"), "--json"]
    assert run_command(words) == 0, capsys.readouterr().out


def test_size_and_samples(bundle: Path) -> None:
    assert sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file()) < build.LIMIT_BYTES
    for path in bundle.rglob("annotation.json"):
        assert 8 <= len(json.loads(path.read_text())["data"]) <= 60, path


def test_every_path_named_exists_and_every_file_is_named(bundle: Path) -> None:
    named: set[Path] = set()
    for path in (*bundle.rglob("annotation.json"), *bundle.rglob("prediction.json")):
        texts = strings(json.loads(path.read_text())["data"])
        named |= {path.parent / text for text in texts if text.startswith(("inputs/", "outputs/"))} | {path}
    assert all(path.is_file() for path in named)
    assert {path for path in bundle.rglob("*/*") if path.is_file()} == named


def test_no_prediction_is_a_copy_of_its_reference_file(bundle: Path) -> None:
    for path in bundle.rglob("prediction.json"):
        outputs = path.parent / "outputs"
        truth = bundle / "references" / path.parent.relative_to(bundle / "predictions") / "outputs"
        digests = [{hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.glob("*")} for folder in (outputs, truth)]
        assert not digests[0] & digests[1], path


def test_notice_names_every_package_used(bundle: Path) -> None:
    notice = (bundle / "NOTICE.md").read_text()
    for name, entry in sources.entries().items():
        assert f"| {name} | {entry.source.version} |" in notice
    for builder in BUILDERS:
        assert builder.recipe.name in notice


def test_sources_are_packages_with_digests() -> None:
    used = {name for builder in BUILDERS for name in builder.recipe.sources}
    assert used == set(sources.entries()) | {"skimage", "sklearn"}
    for entry in sources.entries().values():
        assert entry.source.kind == "pypi"
        assert entry.licence


def test_check_names_changed_missing_and_new_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    (tmp_path / build.DIGESTS).write_text(build.listing(build.digests(tmp_path)))
    assert build.main(["--check", "--output", str(tmp_path)]) == 0
    (tmp_path / "a.txt").write_text("changed")
    (tmp_path / "b.txt").unlink()
    (tmp_path / "c.txt").write_text("new")
    assert build.main(["--check", "--output", str(tmp_path)]) == 3
    assert [line.rsplit("/", 1)[1].split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["a.txt", "b.txt", "c.txt"]


def test_a_folder_that_is_no_bundle_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SystemExit, match="not a demo bundle"):
        build.build(tmp_path, only=[])
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_task_with_too_few_samples_is_refused(tmp_path: Path) -> None:
    recipe = Recipe("Causal Reasoning", "language", "language", "OpenQA", (), "t", "b")
    task = Task(tmp_path, recipe)
    task.add({"prompt": "?"}, {"text": "a"}, Media(".txt", lambda path: path.write_text("x") and None))  # type: ignore[func-returns-value]
    with pytest.raises(ValueError, match="has 1 samples"):
        task.write()
    assert (tmp_path / "predictions/nlp/CausalReasoning/outputs/0001.txt").read_text() == "x"
