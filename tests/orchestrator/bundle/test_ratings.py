"""Files of ratings and votes in a bundle: read, checked, and scored from end to end by a real evaluator."""

from __future__ import annotations

import io
import json
import wave
import zipfile
from pathlib import Path
from typing import Any

import pytest

from genlevel_orchestrator.bundle.layout import discover
from genlevel_orchestrator.bundle.samples import FileFault, TaskSamples
from genlevel_orchestrator.bundle.violations import Violations
from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.cli.main import run_command

MOS = "audio.generation.daily-talk-generation"
VOTES = "video.generation.portrait-video-style-transfer"
RATINGS = "item,rater,score\n0,ann,4\n0,bob,3.5\n1,ann,2\n1,bob,3\n2,ann,5\n2,bob,5\n"
"""Means 3.75, 2.5 and 5."""


def wav() -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 100)
    return buffer.getvalue()


def task(root: Path, judgements: str | bytes | None = RATINGS, name: str = "ratings.csv", items: int = 3, **envelope: Any) -> Path:
    """The folder of a task that people rate, with its media."""
    place = root / "audio/generation/DailyTalkGeneration"
    (place / "gen").mkdir(parents=True)
    data = [{"id": i, "input": {"text": "Hello."}, "output": {"audio_file": f"audios/{i}.wav"}} for i in range(items)]
    (place / "annotation.json").write_text(json.dumps({"task": "DailyTalkGeneration", **envelope, "data": data}))
    (place / "prediction.json").write_text(json.dumps([{"id": i, "prediction": f"gen/{i}.wav"} for i in range(items)]))
    for i in range(items):
        (place / f"gen/{i}.wav").write_bytes(wav())
    if judgements is not None:
        (place / name).write_bytes(judgements if isinstance(judgements, bytes) else judgements.encode())
    return place


def ballot(root: Path, votes: str, **envelope: Any) -> Path:
    """The folder of the task that people vote on."""
    place = root / "video/generation/Portrait Video Style Transfer"
    place.mkdir(parents=True)
    data = [{"id": f"v{i}", "input": {"prompt": "as an oil painting"}} for i in range(3)]
    (place / "annotation.json").write_text(json.dumps({"task": "Portrait Video Style Transfer", **envelope, "data": data}))
    (place / "votes.csv").write_text(votes)
    return place


def samples(root: Path, references: Path | None = None) -> tuple[dict[str, Any], Violations]:
    """The prediction side of every sample."""
    violations = Violations(root)
    (source,) = discover(root, references, Catalogue.load(), violations)
    found = TaskSamples(source).load(violations)
    return {raw.key: raw.prediction and raw.prediction["prediction"] for raw in found.read(0, len(found.keys))}, violations


def validate(capsys: pytest.CaptureFixture[str], root: Path) -> tuple[int, list[dict[str, Any]]]:
    code = run_command(["validate", str(root), "--json"])
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["violations"]
    return code, found


ROWS = [{"item": 0, "rater": "ann", "score": 4}, {"item": "1", "rater": "bob", "score": 2.5}]
PARSED = {"0": [{"rater": "ann", "score": 4}], "1": [{"rater": "bob", "score": 2.5}]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ratings.csv", "item,rater,score\n0,ann,4\n1,bob,2.5\n"),
        ("ratings.csv", "\ufeffitem,rater,score\r\n0,ann,4\r\n1,bob,2.5\r\n"),
        ("ratings.csv", 'When,"Score ",RATER,id\n\n"12:00, Monday",4,ann,0\n,2.5, bob,1\n,,,\n'),
        ("ratings.json", json.dumps(ROWS)),
        ("ratings.json", json.dumps({"study": "2026", "data": [{**ROWS[0], "comment": "nice"}, {**ROWS[1], "item": 1}]})),
        ("ratings.jsonl", "\n".join(map(json.dumps, ROWS)) + "\n\n"),
        ("ratings.jsonl", json.dumps({"id": 0, "prediction": PARSED["0"]}) + "\n" + json.dumps({"id": 1, "prediction": PARSED["1"]})),
    ],
)
def test_every_form_says_the_same(tmp_path: Path, name: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    task(tmp_path, text, name, items=2)
    found, violations = samples(tmp_path)
    assert (found, list(violations)) == (PARSED, [])
    assert validate(capsys, tmp_path) == (0, [])


def test_votes_and_systems_are_read(tmp_path: Path) -> None:
    ballot(tmp_path / "votes", "item,rater,choice,options\nv0,ann,ours,ours|base\nv1,bob,,ours | base|third\n")
    found, violations = samples(tmp_path / "votes")
    assert found == {
        "v0": [{"rater": "ann", "choice": "ours", "options": ["ours", "base"]}],
        "v1": [{"rater": "bob", "choice": None, "options": ["ours", "base", "third"]}],
        "v2": None,
    }
    assert violations.counts == {"MISSING_VOTE": 1}
    task(tmp_path / "ratings", "item,rater,score,system\n0,ann,4,a\n0,ann,2,b\n0,bob,5,\n", items=1)
    found, violations = samples(tmp_path / "ratings")
    assert [entry.get("system") for entry in found["0"]] == ["a", "b", None]
    assert len(violations) == 0


BAD_ROWS = """item,rater,score
0,ann,4
0,bob,70
0,cid,3.3
1,ann,great
1,bob,3,5
1,,4
2,ann,4
2,bob,3
2,ann,5
7,ann,4
,ann,4
"""


def test_every_bad_row_is_named_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task(tmp_path, BAD_ROWS, items=4)
    code, found = validate(capsys, tmp_path)
    assert code == 3
    assert [(item["code"], item["message"].split(":")[0], item["sample_id"]) for item in found] == [
        ("RATING_OUT_OF_RANGE", "line 3", "0"), ("NOT_A_STEP", "line 4", "0"), ("BAD_RATING", "line 5", "1"), ("WRONG_COLUMNS", "line 6", "1"),
        ("NO_RATER", "line 7", "1"), ("DUPLICATE_RATING", "line 10", "2"), ("SURPLUS_ID", "line 11", "7"), ("MISSING_ID", "line 12", ""),
        ("MISSING_RATING", "sample '3' has no rating", "3"),
    ]  # fmt: skip
    assert all(item["file"].endswith("ratings.csv") and item["remedy"] and item["task_id"] == MOS for item in found)
    assert "at line 8" in found[5]["message"]
    run_command(["validate", str(tmp_path)])
    assert "DailyTalkGeneration/ratings.csv: RATING_OUT_OF_RANGE: line 3: rating 70 is outside 1 to 5; give" in capsys.readouterr().out


def test_bad_votes_are_named_with_their_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = ballot(tmp_path, "")
    (place / "votes.csv").unlink()
    options = ["ours", "base"]
    rows = [
        {"item": "v0", "rater": "ann", "choice": "Ours", "options": options},
        {"item": "v0", "rater": "bob", "choice": None, "options": ["ours"]},
        {"item": "v1", "rater": "bob", "options": options},
        {"item": "v1", "rater": "ann", "choice": "ours", "options": options},
        {"item": "v1", "rater": "ann", "choice": "base", "options": options},
        {"item": "v1", "rater": "ann", "choice": "base", "options": options[::-1]},
        "a vote",
        {"item": True, "rater": "ann", "choice": "base", "options": options},
        {"item": "v2", "rater": "ann", "choice": "base", "options": options},
    ]
    (place / "votes.json").write_text(json.dumps({"data": rows}))
    code, found = validate(capsys, tmp_path)
    assert code == 3
    assert [(item["code"], item["pointer"]) for item in found] == [
        ("UNKNOWN_SYSTEM", "/data/0"), ("BAD_OPTIONS", "/data/1"), ("NO_CHOICE", "/data/2"), ("DUPLICATE_RATING", "/data/4"),
        ("WRONG_FORM", "/data/6"), ("BAD_ID", "/data/7"),
    ]  # fmt: skip
    assert '"Ours", which is none of ours, base' in found[0]["message"]


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        ("ratings.csv", "item;rater;score\n0;ann;4,5\n", "CSV_DIALECT", "semicolons"),
        ("ratings.csv", "item\trater\tscore\n0\tann\t4\n", "CSV_DIALECT", "tabs"),
        ("ratings.csv", "0,ann,4\n", "BAD_HEADER", "no column item, rater, score"),
        ("ratings.csv", "item,rater,score,score\n0,ann,4,5\n", "BAD_HEADER", "score twice"),
        ("ratings.csv", "item,rater,score\n".encode("utf-16"), "NOT_UTF8", "byte 0"),
        ("ratings.csv", 'item,rater,score\n0,"ann,4\n1,bob,5\n', "BAD_CSV", "line 3"),
        ("ratings.csv", "", "FILE_EMPTY", "empty"),
        ("ratings.csv", "\n", "BAD_HEADER", "no column"),
        ("ratings.jsonl", '{"item": 0, "rater": "a", "score": 4}\n{"item": 0,', "BAD_JSON", "line 2"),
        ("ratings.json", '[{"item": 0, "rater": "a", "score": NaN}]', "NOT_FINITE", "NaN"),
        ("ratings.json", '{"ratings": []}', "WRONG_FORM", "`data`"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(
    tmp_path: Path, name: str, content: str | bytes, code: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    task(tmp_path, content, name)
    exit_code, found = validate(capsys, tmp_path)
    assert (exit_code, [item["code"] for item in found]) == (3, [code])
    assert words in found[0]["message"]
    assert found[0]["file"].endswith(name)
    assert found[0]["remedy"]


def test_without_ratings_the_task_waits_for_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    task(tmp_path, None)
    code, found = validate(capsys, tmp_path)
    assert code == 0, "media that nobody has rated yet are no fault"
    assert [(item["code"], item["severity"]) for item in found] == [("NO_RATINGS", "warning")]
    assert "ratings.csv (or .json or .jsonl)" in found[0]["message"]


def test_two_files_are_one_too_many(tmp_path: Path) -> None:
    (task(tmp_path) / "ratings.json").write_text("[]")
    with pytest.raises(FileFault, match=r"ratings.csv and ratings.json") as caught:
        samples(tmp_path)
    assert (caught.value.fault.code, caught.value.side) == ("TWO_RATING_FILES", "predictions")


def test_ratings_may_lie_with_the_references_and_go_first_there(tmp_path: Path) -> None:
    place = task(tmp_path / "submitted", "item,rater,score\n0,me,5\n", items=1)
    theirs = tmp_path / "references/audio/generation/DailyTalkGeneration"
    theirs.mkdir(parents=True)
    (place / "annotation.json").rename(theirs / "annotation.json")
    (theirs / "ratings.csv").write_text("item,rater,score\n0,panel,2\n")
    found, _ = samples(tmp_path / "submitted", tmp_path / "references")
    assert found == {"0": [{"rater": "panel", "score": 2}]}


def test_ratings_of_what_was_not_submitted_do_not_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = task(tmp_path)
    (place / "prediction.json").write_text(json.dumps([{"id": 0, "prediction": "gen/0.wav"}, {"id": 1, "prediction": None}, {"id": 2, "prediction": "x.wav"}]))
    found, _ = samples(tmp_path)
    assert [found[key] is None for key in "012"] == [False, True, False]
    code, violations = validate(capsys, tmp_path)
    assert code == 3
    assert {(item["code"], item["sample_id"]) for item in violations} == {
        ("JUDGED_WITHOUT_PREDICTION", "1"), ("MISSING_RATING", "1"), ("MEDIA_MISSING", "2"),
    }  # fmt: skip
    (place / "prediction.json").unlink()
    assert samples(tmp_path)[0]["1"] == [{"rater": "ann", "score": 2}, {"rater": "bob", "score": 3}], "a study may keep its media elsewhere"


def test_a_broken_list_of_media_is_named(tmp_path: Path) -> None:
    (task(tmp_path) / "prediction.json").write_text("[{")
    with pytest.raises(FileFault, match=r"prediction.json: "):
        samples(tmp_path)


def test_a_file_of_ratings_is_no_annotation(tmp_path: Path) -> None:
    place = task(tmp_path, json.dumps(ROWS), "ratings.json", items=2)
    (place / "annotation.json").rename(place / "questions.json")
    assert samples(tmp_path)[0] == PARSED


def run(capsys: pytest.CaptureFixture[str], bundle: Path) -> dict[str, dict[str, Any]]:
    assert run_command(["run", str(bundle), "--model", "m", "--in-process", "--json"]) == 0
    return {entry["task_id"]: entry for entry in json.loads(capsys.readouterr().out)["tasks"]}


@pytest.fixture
def _served(real_evaluators: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENLEVEL_EVALUATORS", real_evaluators)
    monkeypatch.setenv("GENLEVEL_STATE_DIR", str(tmp_path / "state"))


@pytest.mark.usefixtures("_served")
def test_from_files_to_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = tmp_path / "bundle"
    place = task(bundle)
    ballot(bundle, "item,rater,choice,options\nv0,a,ours,ours|base\nv0,b,ours,ours|base\nv1,a,,ours|base\nv2,b,base,base|ours\n")
    results = run(capsys, bundle)
    mos, votes = results[MOS], results[VOTES]
    assert (mos["status"], mos["value"], mos["expected"], mos["present"]) == ("scored", pytest.approx(3.75), 3, 3)
    assert mos["normalised"] == pytest.approx(25 * 2.75)
    assert (votes["value"], votes["win"], votes["issue_counts"]) == (pytest.approx(62.5), True, {})
    # One item without ratings and one with a bad one: the rest counts, with the coverage, and cannot win.
    (place / "ratings.csv").write_text("item,rater,score\n0,ann,5\n0,bob,5\n1,ann,70\n1,bob,5\n")
    spoilt = run(capsys, bundle)[MOS]
    assert (spoilt["value"], spoilt["expected"], spoilt["present"], spoilt["win"]) == (5.0, 3, 1, False)
    assert spoilt["normalised"] == pytest.approx(100 / 3)
    assert spoilt["issue_counts"] == {"RATING_OUT_OF_RANGE": 1}


@pytest.mark.usefixtures("_served")
def test_the_annotation_names_the_system(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "item,rater,score,system\n" + "".join(f"{i},{r},{score},{system}\n" for i in range(3) for r in "ab" for system, score in (("x", 4), ("y", 2)))
    task(tmp_path / "mos", text, parameters={"system": "y"})
    assert run(capsys, tmp_path / "mos")[MOS]["value"] == 2.0
    ballot(tmp_path / "votes", "item,rater,choice,options\nv0,a,x,x|y\nv1,a,y,x|y\nv2,b,x,x|y\n", parameters={"system": "x"})
    assert run(capsys, tmp_path / "votes")[VOTES]["value"] == pytest.approx(200 / 3)


@pytest.mark.usefixtures("_served")
def test_a_zip_without_ratings_is_not_submitted_and_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = task(tmp_path / "b", None)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for path in sorted(place.rglob("*")):
            archive.write(path, path.relative_to(tmp_path / "b"))
    found = run(capsys, tmp_path / "b.zip")[MOS]
    assert (found["status"], found["value"], found["provisional"]) == ("not_submitted", None, False)
    assert "people have to judge this task: put their ratings, ratings.csv" in found["reason"]


@pytest.mark.usefixtures("_served")
def test_sample_lines_of_ratings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "ratings.jsonl"
    path.write_text('{"id": 1, "prediction": [{"rater": "a", "score": 4}, {"rater": "b", "score": 5}]}\n{"id": 2}\n{"id": 3, "prediction": null}\n')
    assert run_command(["metric", "mos", "--samples", str(path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["value"], document["n"], document["present"], document["issues"]) == (4.5, 3, 1, [])
