"""The strict loader: every fault of every file, at once, with its place and remedy."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from genlevel_orchestrator.catalogue import Catalogue, CatalogueError, Fault
from genlevel_orchestrator.catalogue.loader import DATA

Edit = Callable[[list[dict[str, str]]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("tasks.csv", "metrics.csv", "skills.csv", "labels.csv", "paper_metrics.csv"):
        shutil.copy(DATA / name, tmp_path / name)
    return tmp_path


def edit(folder: Path, name: str, change: Edit) -> None:
    with (folder / name).open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows, columns = list(reader), list(reader.fieldnames or [])
    change(rows)
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def faults(folder: Path) -> tuple[Fault, ...]:
    with pytest.raises(CatalogueError) as caught:
        Catalogue.load(folder)
    for fault in caught.value.faults:
        assert fault.remedy
        assert str(fault) in caught.value.message
    return caught.value.faults


def test_a_copy_loads(folder: Path) -> None:
    assert Catalogue.load(folder).tasks == Catalogue.load().tasks


@pytest.mark.parametrize(
    ("file", "column", "value", "words"),
    [
        ("tasks.csv", "sota_raw", "", "empty"),
        ("tasks.csv", "sota_raw", "many", "not a number"),
        ("tasks.csv", "sota_raw", "nan", "not finite"),
        ("tasks.csv", "sota_raw", "83.34", "differs from sota_workbook"),
        ("tasks.csv", "sota_paper", "200", "lies outside"),
        ("tasks.csv", "number", "1.5", "not a whole number"),
        ("tasks.csv", "modality", "smell", "not allowed"),
        ("tasks.csv", "paradigm", "generation", "does not fit"),
        ("tasks.csv", "evaluator", "video", "belongs to language"),
        ("tasks.csv", "metric_id", "acuracy", "not in metrics.csv"),
        ("tasks.csv", "metric_label", "Aqq", "does not stand for"),
        ("tasks.csv", "skill_id", "L-99", "not in skills.csv"),
        ("tasks.csv", "skill_id", "I-C-1", "belongs to image"),
        ("tasks.csv", "sota_protocol", "perhaps", "not allowed"),
        ("tasks.csv", "parameters", "{pooling}", "not JSON"),
        ("tasks.csv", "parameters", "[1]", "not an object"),
        ("tasks.csv", "task_id", "language.Two Words", "not of the form"),
        ("tasks.csv", "task_id", "language.causal-reasoning", "stands in row"),
        ("tasks.csv", "name", "Causal Reasoning", "stands in row"),
        ("tasks.csv", "name", " padded", "blanks"),
        ("tasks.csv", "aliases", "Causal Reasoning", "means language.causal-reasoning already"),
        ("tasks.csv", "aliases", "a||b", "empty part"),
        ("metrics.csv", "direction", "up", "not allowed"),
        ("metrics.csv", "mapping", "square", "not allowed"),
        ("metrics.csv", "mapping", "saturating", "needs a positive scale"),
        ("metrics.csv", "evaluators", "smell", "no evaluator"),
        ("metrics.csv", "evaluators", "", "no evaluator"),
        ("metrics.csv", "paper_numbers", "59", "not in paper_metrics.csv"),
        ("metrics.csv", "paper_numbers", "one", "not a number"),
        ("metrics.csv", "lower", "200", "not below"),
        ("paper_metrics.csv", "metric_ids", "acuracy", "not in metrics.csv"),
        ("paper_metrics.csv", "metric_ids", "", "no canonical metric"),
        ("paper_metrics.csv", "metric_ids", "bleu_1", "does not name number 1"),
        ("paper_metrics.csv", "direction", "lower", "this row"),
        ("labels.csv", "metric_id", "acuracy", "not in metrics.csv"),
        ("skills.csv", "modality", "", "not allowed"),
    ],
)
def test_one_wrong_cell(folder: Path, file: str, column: str, value: str, words: str) -> None:
    edit(folder, file, lambda rows: rows[0].update({column: value}))
    found = faults(folder)
    assert any(words in fault.problem for fault in found), found
    assert any(fault.row is not None for fault in found)


def test_every_fault_at_once(folder: Path) -> None:
    def spoil(rows: list[dict[str, str]]) -> None:
        rows[10]["sota_raw"] = "x"
        rows[20]["metric_id"] = "nothing"
        rows[30]["modality"] = ""
        rows[30]["skill_id"] = ""

    edit(folder, "tasks.csv", spoil)
    edit(folder, "metrics.csv", lambda rows: rows[-1].update(mapping_scale="-1"))
    (folder / "skills.csv").unlink()
    found = faults(folder)
    assert {"tasks.csv", "metrics.csv", "skills.csv"} <= {fault.file for fault in found}
    rows = {(fault.file, fault.row, fault.column) for fault in found}
    assert ("tasks.csv", 12, "sota_raw") in rows
    assert ("tasks.csv", 22, "metric_id") in rows
    assert ("tasks.csv", 32, "modality") in rows
    assert ("tasks.csv", 32, "skill_id") in rows
    assert ("metrics.csv", 85, "mapping_scale") in rows
    assert ("skills.csv", None, None) in rows


def test_columns(folder: Path) -> None:
    text = (folder / "skills.csv").read_text(encoding="utf-8")
    (folder / "skills.csv").write_text(text.replace("paradigm", "paradigma", 1), encoding="utf-8")
    problems = [(fault.column, fault.problem) for fault in faults(folder) if fault.file == "skills.csv"]
    assert ("paradigm", "the column is missing") in problems
    assert ("paradigma", "the column is unknown") in problems


def test_row_of_wrong_length(folder: Path) -> None:
    with (folder / "labels.csv").open("a", encoding="utf-8") as file:
        file.write("one,two,three\n")
    (fault,) = faults(folder)
    assert fault.problem == "the row has 3 cells, the header 2"
    assert fault.row == 89


def test_not_utf_8(folder: Path) -> None:
    (folder / "labels.csv").write_bytes(b"label,metric_id\n\xff\xfe")
    assert any("not UTF-8" in fault.problem for fault in faults(folder))


def test_wrong_metric_suggests_the_nearest(folder: Path) -> None:
    edit(folder, "tasks.csv", lambda rows: rows[0].update(metric_id="acuracy"))
    assert any("accuracy" in fault.remedy for fault in faults(folder))
