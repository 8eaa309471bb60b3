"""Reading scores: xlsx, CSV and JSON give the same results; bad files get one error that names every fault."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.levels import UNSUPPORTED, Result
from genlevel_orchestrator.results_io import fraction_warnings, read_results, read_sota, write_results_xlsx

MODEL = "My Model"
VALUES: dict[str, float | None] = {
    "image.comprehension.tire-crack-detection": 70.5,
    "image.generation.image-desnowing": 28.0,
    "language.commonsense-reasoning": 0.0,
    "three_d.generation.text-to-3d-motion-generation": None,
    "audio.generation.text-to-speech": 6.25,
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def long_rows(catalogue: Catalogue) -> list[dict[str, Any]]:
    rows = []
    for task_id, value in VALUES.items():
        task = catalogue.tasks[task_id]
        rows.append({"modality": task.modality, "paradigm": task.paradigm, "task": task.name, "score": value})
    return rows


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_json(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


EXPECTED = {task_id: UNSUPPORTED if value is None else Result(value) for task_id, value in VALUES.items()}


def test_csv(catalogue: Catalogue, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "r.csv", long_rows(catalogue))
    assert read_results(path, catalogue, MODEL) == EXPECTED


def test_csv_with_byte_order_mark_and_blank_lines(catalogue: Catalogue, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "r.csv", long_rows(catalogue))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"\r\n , , , \r\n")
    assert read_results(path, catalogue, MODEL) == EXPECTED


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"results": rows}])
def test_json(catalogue: Catalogue, tmp_path: Path, wrap: Callable[[Any], Any]) -> None:
    path = write_json(tmp_path / "r.json", wrap(long_rows(catalogue)))
    assert read_results(path, catalogue, MODEL) == EXPECTED


def test_xlsx_round_trip(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    write_results_xlsx(path, catalogue, {"Other": {}, MODEL: VALUES})
    results = read_results(path, catalogue, "my model")
    assert len(results) == 699
    assert {task_id: results[task_id] for task_id in VALUES} == EXPECTED
    assert all(result.value is None for task_id, result in results.items() if task_id not in VALUES)
    assert all(result.value is None for result in read_results(path, catalogue, "Other").values())


def test_xlsx_rows_are_matched_by_name_not_position(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    sheet = workbook.create_sheet("image comprehension")
    sheet.append(["No", "Task Name", "Task Short Name", "Metrics", MODEL])
    sheet.append([1, "road crack DETECTION", "", "", 20.0])
    sheet.append([None, None, None, None, None])
    sheet.append([2, "Tire Crack Detection", "", "", "70.5%"])
    workbook.create_sheet("level-scores").append(["anything"])
    workbook.save(path)
    results = read_results(path, catalogue, MODEL)
    assert results == {
        "image.comprehension.road-crack-detection": Result(20.0),
        "image.comprehension.tire-crack-detection": Result(70.5),
    }


@pytest.mark.parametrize("text", ["", "∞", "inf", "-", "N/A", "null", " None "])
def test_words_for_unsupported(catalogue: Catalogue, tmp_path: Path, text: str) -> None:
    row = {"modality": "image", "paradigm": "generation", "task": "Image Desnowing", "score": text}
    results = read_results(write_csv(tmp_path / "r.csv", [row]), catalogue, MODEL)
    assert results == {"image.generation.image-desnowing": UNSUPPORTED}


def test_infinite_psnr(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    write_results_xlsx(path, catalogue, {MODEL: {"image.generation.image-desnowing": math.inf}})
    assert read_results(path, catalogue, MODEL)["image.generation.image-desnowing"] == Result(math.inf)


def test_zero_is_unsupported(catalogue: Catalogue, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "r.csv", long_rows(catalogue))
    results = read_results(path, catalogue, MODEL, zero_is_unsupported=True)
    assert results["language.commonsense-reasoning"] == UNSUPPORTED
    assert results["audio.generation.text-to-speech"] == Result(6.25)


def test_model_column(catalogue: Catalogue, tmp_path: Path) -> None:
    rows = [{**row, "model": MODEL} for row in long_rows(catalogue)]
    rows += [{**row, "model": "Rival", "score": 1.0} for row in long_rows(catalogue)]
    for path in (write_csv(tmp_path / "r.csv", rows), write_json(tmp_path / "r.json", rows)):
        assert read_results(path, catalogue, "MY MODEL") == EXPECTED
        assert all(result == Result(1.0) for result in read_results(path, catalogue, "Rival").values())
        with pytest.raises(UserError, match="there is no model 'Rivall'") as caught:
            read_results(path, catalogue, "Rivall")
        assert "Rival" in caught.value.message


def test_coverage_and_comparable(catalogue: Catalogue, tmp_path: Path) -> None:
    row = {"modality": "image", "paradigm": "generation", "task": "Image Desnowing", "score": 30.0}
    row |= {"coverage": 0.5, "comparable": False}
    for path in (write_csv(tmp_path / "r.csv", [row]), write_json(tmp_path / "r.json", [row])):
        (result,) = read_results(path, catalogue, MODEL).values()
        assert result == Result(30.0, "scored", 0.5, False)


@pytest.mark.parametrize("text", ["1_000", "1,5", "lots", "0x10", "--", "1e", "NaN0"])
def test_words_that_are_no_numbers(catalogue: Catalogue, tmp_path: Path, text: str) -> None:
    row = {"modality": "image", "paradigm": "generation", "task": "Image Desnowing", "score": text}
    with pytest.raises(UserError, match="is not a number"):
        read_results(write_csv(tmp_path / "r.csv", [row]), catalogue, MODEL)


def test_an_integer_beyond_floats(catalogue: Catalogue, tmp_path: Path) -> None:
    row = {"modality": "image", "paradigm": "generation", "task": "Image Desnowing", "score": 10**400}
    with pytest.raises(UserError, match="is not a number"):
        read_results(write_json(tmp_path / "r.json", [row]), catalogue, MODEL)


def test_every_fault_of_a_csv_at_once(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(
        "modality,paradigm,task,score,coverage\n"
        "image,comprehension,Tire Crak Detection,1,\n"
        "smell,comprehension,Tire Crack Detection,1,\n"
        "image,comprehension,Tire Crack Detection,lots,\n"
        "image,comprehension,Road Crack Detection,1,2\n"
        "image,comprehension,Road Crack Detection,2,\n"
        "image,comprehension,Road Crack Detection\n",
        encoding="utf-8",
    )
    with pytest.raises(UserError) as caught:
        read_results(path, catalogue, MODEL)
    details: list[dict[str, str]] = caught.value.details
    places = {fault["place"] for fault in details}
    assert {"line 2", "line 3", "line 4", "line 5", "line 6", "line 7"} == places
    assert any("Tire Crack Detection" in fault["remedy"] for fault in details)
    assert all(str(path) == fault["file"] and fault["remedy"] for fault in details)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (3, "not an object"),
        ({}, "missing keys"),
        ({"modality": "image", "paradigm": "generation", "task": "Image Desnowing", "score": "30"}, "wrong type"),
        ({"modality": "image", "paradigm": "generation", "task": "Image Desnowing", "score": True}, "wrong type"),
        ({"modality": 3, "paradigm": "generation", "task": "Image Desnowing", "score": 1}, "wrong type"),
        ({"modality": "image", "paradigm": "generation", "task": "Image Desnowing", "score": 1, "x": 1}, "unknown keys: x"),
    ],
)
def test_faulty_json_entries(catalogue: Catalogue, tmp_path: Path, entry: Any, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        read_results(write_json(tmp_path / "r.json", [entry]), catalogue, MODEL)
    assert caught.value.details[0]["place"].startswith("/0")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("r.json", b"", "is empty"),
        ("r.json", b"  \n", "is empty"),
        ("r.json", b'[{"modality": "im', "is not JSON"),
        ("r.json", b"\xff\xfe[]", "is not UTF-8"),
        ("r.json", b"[" * 100_000, "is not JSON"),
        ("r.json", b'"text"', "neither a list"),
        ("r.json", b'{"a": 1}', "neither a list"),
        ("r.csv", b"", "is empty"),
        ("r.csv", b"a,b\n1,2\n", "column 'score' is missing"),
        ("r.csv", b"modality,paradigm,task,score,colour\n", "column 'colour' is unknown"),
        ("r.csv", b"modality,paradigm,task,score\n\xff,b,c,1\n", "is not UTF-8"),
        ("r.xlsx", b"", "not a readable workbook"),
        ("r.xlsx", b"PK\x03\x04 truncated", "not a readable workbook"),
        ("r.txt", b"x", "hold no scores"),
    ],
)
def test_unreadable_files(catalogue: Catalogue, tmp_path: Path, name: str, data: bytes, words: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(UserError, match=words) as caught:
        read_results(path, catalogue, MODEL)
    assert str(path) in caught.value.message
    assert caught.value.remedy


def test_absent_and_enormous_files(catalogue: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a file"):
        read_results(tmp_path / "absent.csv", catalogue, MODEL)
    path = tmp_path / "big.json"
    with path.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(UserError, match="1073741824 bytes"):
        read_results(path, catalogue, MODEL)


def test_faulty_workbook(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    workbook = openpyxl.Workbook()
    workbook.worksheets[0].title = "Smell-Generation"
    sheet = workbook.create_sheet("NLP")
    sheet.append(["No", "Task Name", "Task Short Name", "Metrics", "Mine"])
    sheet.append([1, "Comonsense Reasoning", "", "ACC", 3])
    sheet.append([1, "Causal Reasoning", "", "ACC", "bad"])
    headless = workbook.create_sheet("3D-Generation")
    headless.append(["No", "Metrics", "Mine"])
    workbook.save(path)
    with pytest.raises(UserError) as caught:
        read_results(path, catalogue, "mine")
    places = [fault["place"] for fault in caught.value.details]
    assert places == ["sheet 'Smell-Generation'", "sheet 'NLP', row 2", "sheet 'NLP', row 3", "sheet '3D-Generation'"]
    with pytest.raises(UserError, match="Columns of models: Mine"):
        read_results(path, catalogue, "nine")


def test_sota_file(catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / "sota.xlsx"
    write_results_xlsx(path, catalogue, {})
    assert read_sota(path, catalogue) == {}
    workbook = openpyxl.load_workbook(path)
    workbook["NLP"].cell(2, 5).value = 99.0
    workbook.save(path)
    assert read_sota(path, catalogue) == {"language.commonsense-reasoning": 99.0}


def test_fraction_warnings(catalogue: Catalogue) -> None:
    results = {
        "language.commonsense-reasoning": Result(0.83),
        "language.causal-reasoning": Result(65.0),
        "audio.generation.text-to-speech": Result(0.06),
        "language.mathematical-word-problem-solving": Result(1.0),
    }
    (warning,) = fraction_warnings(catalogue, results)
    assert warning.startswith("language.commonsense-reasoning: 0.83 looks like a fraction")
