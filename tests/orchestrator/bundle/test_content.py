"""What is sent of a sample: its answers by input kind, its media, its attributes."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest

from genlevel_orchestrator.bundle.attributes import attributes
from genlevel_orchestrator.bundle.content import Reader, Sample
from genlevel_orchestrator.bundle.fields import form_of, predicted, referenced
from genlevel_orchestrator.bundle.media import MediaBase
from genlevel_orchestrator.bundle.samples import RawSample
from genlevel_orchestrator.runs.results import IssueRecord


def _read(kind: str, annotation: dict[str, Any], prediction: Any, root: Path = Path("/nowhere")) -> tuple[Sample | None, list[IssueRecord]]:
    entry = None if prediction is None else {"id": 1, "prediction": prediction}
    raw = RawSample("1", {"id": 1, **annotation}, entry, "/data/0", "/0", 0)
    base = MediaBase(root, root / "task")
    return Reader(form_of(kind), base, base).read(raw)


@pytest.mark.parametrize(
    ("sample_type", "output", "expected"),
    [
        ("MultipleChoiceQA", {"answer": "B"}, ["B"]),
        ("OpenQA", {"answer": ["a", "b"]}, ["a", "b"]),
        ("Summarization", {"highlights": "h"}, ["h"]),
        ("Translation", "plain", ["plain"]),
        ("Translation", {"translation": "t"}, ["t"]),
        ("Dialogue", {"response": "r"}, ["r"]),
        ("Code Generation", {"response": {"content": "x = 1"}}, ["x = 1"]),
        ("Code Defect Detection", {"target": 1}, [1]),
        ("Mathematical Word Problem Solving", {"solution": {"final_answer": "7"}}, ["7"]),
        ("Grammar Correction", {"Standard English": "s"}, ["s"]),
        ("classification", {"whatever": "joy"}, ["joy"]),
        ("relation extraction", {"found": "a, b", "note": "x"}, ["a, b"]),
        ("comprehension", {"found": "a, b", "note": "x"}, []),
        ("comprehension", {"prediction": "cat"}, ["cat"]),
        ("comprehension", {"text": "Solution B", "other": 1}, ["Solution B"]),
        ("OpenQA", {"answer": None}, []),
        ("OpenQA", {}, []),
    ],
)
def test_references_by_type(sample_type: str, output: Any, expected: list[Any]) -> None:
    assert referenced({"id": 1, "output": output}, form_of("text"), sample_type)[1] == expected


def test_references_beside_the_sample() -> None:
    assert referenced({"id": 1, "reference": [1, 2]}, form_of("series")) == ("/reference", [[1, 2]])
    assert referenced({"id": 1, "references": ["a", "b"]}, form_of("text")) == ("/references", ["a", "b"])
    assert referenced({"id": 1, "target": "1", "func": "x"}, form_of("text"), "Code Defect Detection")[1] == ["1"]


def test_a_list_is_one_answer_where_the_kind_is_a_list() -> None:
    boxes = [{"label": "a", "box": [0, 0, 1, 1]}]
    assert referenced({"output": {"boxes": boxes}}, form_of("boxes"))[1] == [boxes]
    assert referenced({"output": {"text": ["a", "b"]}}, form_of("labels"))[1] == [["a", "b"]]


def test_masks_that_a_writer_sorted_stand_in_the_order_of_the_reference() -> None:
    masks = {str(number): {"mask": {"size": [1, 1], "counts": [number % 2, 1 - number % 2]}} for number in range(12)}
    sample, issues = _read("video_masks", {"output": masks}, dict(sorted(masks.items())))
    assert issues == []
    assert sample is not None
    assert sample.prediction == sample.references[0]


@pytest.mark.parametrize(("kind", "key", "given"), [("boxes", "box", "bbox"), ("instances", "mask", "segmentation"), ("keypoints", "keypoints", "keypoints")])
def test_an_output_that_is_one_coco_annotation(kind: str, key: str, given: str) -> None:
    shape = {"bbox": [0, 0, 2, 2], "segmentation": [[0, 0, 2, 0, 2, 2]], "keypoints": [1, 1, 2]}
    coco = {"id": 5, **shape, "category_id": 3, "iscrowd": 0}
    expected = {"label": 3, key: shape[given], "crowd": False} | ({"box": [0, 0, 2, 2]} if kind == "keypoints" else {})
    assert referenced({"output": coco}, form_of(kind)) == ("/output", [coco])
    found, issues = _read(kind, {"output": coco}, [coco])
    assert issues == []
    assert found is not None
    assert [answer.json for answer in (*found.references, found.prediction)] == [[expected]] * 2


def test_predictions() -> None:
    form = form_of("text")
    assert predicted({"id": 1, "prediction": "a", "prediction_final": "b"}, form)[1] == "a"
    assert predicted({"id": 1, "prediction_final": "b"}, form) == ("/prediction_final", "b")
    assert predicted({"id": 1, "output": {"text": "c"}}, form) == ("/output/text", "c")
    assert predicted({"id": 1, "prediction": False}, form)[1] is False
    for entry in ({"id": 1}, {"id": 1, "prediction": None}):
        sample, issues = Reader(form, MediaBase(Path("/"), Path("/")), MediaBase(Path("/"), Path("/"))).read(
            RawSample("1", {"id": 1, "output": {"answer": "x"}}, entry, "", "", 0)
        )
        assert sample is not None
        assert (sample.presence, issues) == ("prediction_missing", [])


def test_general_benchs_boxes_become_ours() -> None:
    sample, _ = _read("boxes", {"output": {"text": {"bird": [[0, 0, 5, 5], [1, 1, 2, 2]]}}}, [])
    assert sample is not None
    assert sample.references[0].json == [{"label": "bird", "box": [0, 0, 5, 5]}, {"label": "bird", "box": [1, 1, 2, 2]}]
    assert sample.prediction is not None
    assert sample.prediction.json == []


def test_triples_and_entities_as_objects_become_ours() -> None:
    sample, _ = _read("labels", {"output": {"triples": [["a", "rel", "b"], "joy"]}}, [{"s": "a", "r": "rel", "o": "b"}])
    assert sample is not None
    assert sample.references[0].json == ["a => rel => b", "joy"]
    assert sample.prediction is not None
    assert sample.prediction.json == ["a => rel => b"]
    sample, _ = _read("labels", {"output": ["joy"]}, [["a", None]])
    assert sample is not None
    assert sample.prediction is not None
    assert sample.prediction.json == [["a", None]], "an unknown form is left for the evaluator to refuse"
    sample, _ = _read("spans", {"output": {"entities": {"PER": ["Ann"], "LOC": []}}}, {"PER": 3})
    assert sample is not None
    assert sample.references[0].json == [{"text": "Ann", "type": "PER"}]
    assert sample.prediction is not None
    assert sample.prediction.json == {"PER": 3}


def test_attributes_travel() -> None:
    sample = {"id": 1, "input": {"options": ["a", "b"], "context": "long"}, "language": "python", "attributes": {"scale": 2}}
    assert attributes(sample) == {"options": ["a", "b"], "language": "python", "scale": 2}


def _media_root(tmp_path: Path) -> Path:
    (tmp_path / "task" / "images").mkdir(parents=True)
    (tmp_path / "task" / "images" / "a.png").write_bytes(b"picture")
    (tmp_path / "task" / "empty.png").touch()
    (tmp_path / "task" / "link.png").symlink_to("images/a.png")
    (tmp_path / "task" / "linked").symlink_to("images")
    (tmp_path.parent / "secret.png").write_bytes(b"secret")
    return tmp_path


@pytest.mark.parametrize("text", ["images/a.png", "a.png", "images\\a.png", "./data/comprehension/task/images/a.png", "../task/images/a.png"])
def test_media_are_found_by_the_spellings_of_public_bundles(tmp_path: Path, text: str) -> None:
    root = _media_root(tmp_path)
    sample, issues = _read("image", {"output": {"image_file": "a.png"}}, text, root)
    assert not issues
    assert sample is not None
    assert sample.prediction is not None
    assert sample.prediction.media is not None
    assert (sample.prediction.media.name, sample.prediction.media.size) == ("task/images/a.png", 7)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("b.png", "MEDIA_MISSING"),
        ("images", "MEDIA_MISSING"),
        ("empty.png", "MEDIA_EMPTY"),
        ("link.png", "MEDIA_SYMLINK"),
        ("linked/a.png", "MEDIA_SYMLINK"),
        ("../../secret.png", "MEDIA_OUTSIDE_ROOT"),
        ("/etc/passwd", "MEDIA_OUTSIDE_ROOT"),
        ("C:\\x.png", "MEDIA_OUTSIDE_ROOT"),
        ("http://host/x.png", "MEDIA_OUTSIDE_ROOT"),
        ("", "MEDIA_OUTSIDE_ROOT"),
        ("a\0b", "MEDIA_OUTSIDE_ROOT"),
        ({"name": "x.png", "base64": "***"}, "BAD_BASE64"),
        ({"name": "x.png", "base64": base64.b64encode(b"0" * ((1 << 20) + 1)).decode()}, "MEDIA_TOO_LARGE"),
    ],
)
def test_media_that_cannot_be_used(tmp_path: Path, text: Any, code: str) -> None:
    root = _media_root(tmp_path)
    sample, issues = _read("image", {"output": {"image_file": "a.png"}}, text, root)
    assert sample is not None
    assert sample.presence == "prediction_missing"
    assert [(issue.code, issue.severity, issue.pointer) for issue in issues] == [(code, "prediction", "/0/prediction")]
    excluded, issues = _read("image", {"output": {"image_file": text}} if text else {"reference": text}, "a.png", root)
    assert excluded is None
    assert [(issue.code, issue.severity) for issue in issues] == [(code, "reference")]


def test_files_inside_json_are_found(tmp_path: Path) -> None:
    root = _media_root(tmp_path)
    sample, issues = _read("instances", {"output": {"instances": []}}, [{"label": "cat", "mask": "a.png", "score": 1.0}], root)
    assert not issues
    assert sample is not None
    assert [file.name for file in sample.files()] == ["task/images/a.png"]


def test_a_folder_of_frames_is_a_list_in_order_of_name(tmp_path: Path) -> None:
    root = _media_root(tmp_path)
    for name in ("2.png", "10.png", "1.jpg", "02.png", "b1_20.png", "b1_3.png", "notes.txt"):
        (root / "task" / "clip").mkdir(exist_ok=True)
        (root / "task" / "clip" / name).write_bytes(os.urandom(4))
    sample, _ = _read("video", {"output": {"frame_dir": "clip"}}, "clip", root)
    assert sample is not None
    names = ["1.jpg", "02.png", "2.png", "10.png", "b1_3.png", "b1_20.png"]  # numbers as numbers
    assert [file.name for file in sample.references[0].files()] == [f"task/clip/{name}" for name in names]


def test_speech_is_a_path_on_one_side_and_words_on_the_other(tmp_path: Path) -> None:
    root = _media_root(tmp_path)
    sample, issues = _read("speech", {"output": {"text": "hello"}}, "a.png", root)
    assert not issues
    assert sample is not None
    assert sample.references[0].text == "hello"
    assert sample.prediction is not None
    assert sample.prediction.media is not None


def test_the_digest_is_of_content_not_of_place(tmp_path: Path) -> None:
    digests = []
    for folder, data in (("x", b"picture"), ("y", b"picture"), ("z", b"other")):
        root = tmp_path / folder
        root.mkdir()
        _media_root(root)
        (root / "task/images/a.png").write_bytes(data)
        sample, _ = _read("image", {"output": {"image_file": "a.png"}}, "a.png", root)
        assert sample is not None
        digests.append(sample.digest())
    assert digests[0] == digests[1] != digests[2]


def test_the_digest_sees_every_part() -> None:
    base: dict[str, Any] = {"output": {"answer": "x"}}
    variants = [
        _read("text", base, "a"), _read("text", base, "b"), _read("text", base, None), _read("text", {"output": {"answer": "y"}}, "a"),
        _read("text", {**base, "attributes": {"language": "de"}}, "a"), _read("text", base, 1), _read("text", base, "1"),
    ]  # fmt: skip
    digests = {sample.digest() for sample, _ in variants if sample is not None}
    assert len(digests) == len(variants)
