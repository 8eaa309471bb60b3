"""The workbook has the public scorer's layout, and text never becomes a formula."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.results_io import SHEETS, read_results, write_results_xlsx

DANGEROUS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", '=HYPERLINK("http://x","y")']


def test_layout(tmp_path: Path) -> None:
    catalogue, path = Catalogue.load(), tmp_path / "r.xlsx"
    levels = {"m": {"2": 1.5, "3": 1.0, "4": 0.5, "5": 0.0}}
    write_results_xlsx(path, catalogue, {"m": {"image.generation.image-deraining": 30.5}}, levels)
    workbook = openpyxl.load_workbook(path)
    assert workbook.sheetnames == [*SHEETS, "level-scores"]
    for title, (modality, paradigm) in SHEETS.items():
        rows = list(workbook[title].iter_rows(values_only=True))
        assert rows[0] == ("No", "Task Name", "Task Short Name", "Metrics", "SoTA Performance", "m")
        tasks = catalogue.group_tasks(modality, paradigm)
        assert [row[1] for row in rows[1:]] == [task.name_raw for task in tasks]
        assert [row[3] for row in rows[1:]] == [task.metric_label for task in tasks]
        assert [row[4] for row in rows[1:]] == [task.sota_workbook for task in tasks]
    scores = {row[1]: row[5] for row in workbook["Image-Generation"].iter_rows(values_only=True)}
    assert scores["Image Deraining"] == 30.5
    assert sum(score is not None for score in scores.values()) == 2  # the header and the one score
    assert list(workbook["level-scores"].iter_rows(values_only=True))[1] == ("m", 1.5, 1.0, 0.5, 0.0)


@pytest.mark.parametrize("name", DANGEROUS)
def test_no_formula(tmp_path: Path, name: str) -> None:
    path = tmp_path / "r.xlsx"
    write_results_xlsx(path, Catalogue.load(), {name: {"language.causal-reasoning": 50.0}}, {name: {"2": 1.0}})
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if member.startswith("xl/worksheets/"):
                assert b"<f>" not in archive.read(member)
    workbook = openpyxl.load_workbook(path)
    cell = workbook["NLP"].cell(1, 6)
    assert (cell.value, cell.data_type, cell.quotePrefix) == (name, "s", True)
    assert read_results(path, Catalogue.load(), name)["language.causal-reasoning"].value == 50.0


def test_control_characters_and_long_names(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    write_results_xlsx(path, Catalogue.load(), {"a\x00b\x07" + "x" * 40_000: {}})
    value = openpyxl.load_workbook(path)["NLP"].cell(1, 6).value
    assert isinstance(value, str)
    assert value.startswith("abx")
    assert len(value) == 32_767
