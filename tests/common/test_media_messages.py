"""Files inside JSON: bytes in place, by URI, or as blobs of a stream; decoders find the opened file."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from genlevel.v1 import sample_pb2
from genlevel_evaluator import codec, media
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import InputKind, decode_json
from genlevel_evaluator.media_messages import Sources, remote_files
from genlevel_evaluator.media_roots import MediaRoots

DATA = b"a mask"
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    (tmp_path / "m.png").write_bytes(DATA)
    blobs = {DIGEST: media.Blob(DIGEST, "", path=tmp_path / "m.png")}
    return Sources(MediaRoots.of([tmp_path, "s3://bucket/p"]), blobs, pointers=("/*/mask",))


def forms(folder: Path) -> list[dict[str, Any]]:
    return [
        {"name": "m.png", "base64": base64.b64encode(DATA).decode()},
        {"name": "m.png", "uri": (folder / "m.png").as_uri(), "sha256": DIGEST, "size_bytes": len(DATA)},
        {"name": "m.png", "blob": DIGEST, "size_bytes": len(DATA)},
    ]


def test_the_three_forms_are_one(sources: Sources, tmp_path: Path) -> None:
    value = sources.of_json(json.dumps([{"label": "dog", "mask": form} for form in forms(tmp_path)]))
    for item in value:
        assert (item["label"], item["mask"].read(), item["mask"].name, item["mask"].suffix) == ("dog", DATA, "m.png", ".png")


def test_only_the_places_of_the_kind_are_files(sources: Sources, tmp_path: Path) -> None:
    form = forms(tmp_path)[1]
    for value in ({"mask": form}, [form], [{"other": form}], [{"mask": [form]}], [{"mask": "m.png"}], [{"mask": {"size": [1, 1]}}]):
        assert sources.of_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"name": "m.png", "uri": "file:///etc/passwd", "sha256": DIGEST, "size_bytes": 6}, "MEDIA_OUTSIDE_ROOT"),
        ({"name": "m.png", "uri": "s3://bucket/q/a", "sha256": DIGEST, "size_bytes": 6}, "MEDIA_OUTSIDE_ROOT"),
        ({"name": "m.png", "uri": "s3://bucket/p/a", "sha256": "../../x", "size_bytes": 6}, "MEDIA_NO_DIGEST"),
        ({"name": "m.png", "blob": "0" * 64, "size_bytes": 6}, "BLOB_MISSING"), ({"name": "m.png", "base64": "***"}, "BAD_BASE64"),
        ({"name": "m.png", "base64": base64.b64encode(bytes((1 << 20) + 1)).decode()}, "MEDIA_TOO_LARGE"),
        ({"name": "m.png", "base64": "", "uri": "file:///etc/passwd"}, "BAD_MEDIA"), ({"uri": "file:///etc/passwd"}, "BAD_MEDIA"),
        ({"name": 1, "base64": ""}, "BAD_MEDIA"), ({"name": "m", "uri": "s3://bucket/p/a", "sha256": DIGEST, "size_bytes": True}, "BAD_MEDIA"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_had_names_its_place(sources: Sources, form: dict[str, Any], code: str) -> None:
    text = json.dumps([{}, {"mask": form}])
    with pytest.raises(SampleError) as caught:
        sources.of_json(text)
    assert (caught.value.code, caught.value.pointer) == (code, "/1/mask")
    sample = sample_pb2.Sample(id="1", prediction=sample_pb2.Content(json=text), references=[sample_pb2.Content(text="r")])
    decoded = codec.decode_sample(sample, sources)
    assert [(fault.code, fault.side) for fault in decoded.faults] == [(code, "prediction")]
    assert decoded.prediction is None


def test_what_is_fetched_is_known_before_decoding(sources: Sources) -> None:
    inside = {"name": "a.png", "uri": "S3://bucket/p/a", "sha256": DIGEST, "size_bytes": 6}
    bad = {"name": "b.png", "uri": "s3://bucket/q/a", "sha256": DIGEST, "size_bytes": 6}
    whole = sample_pb2.Media(uri="s3://bucket/p/b", sha256=DIGEST, size_bytes=6, name="b.png")
    samples = [
        sample_pb2.Sample(id="1", prediction=sample_pb2.Content(json=json.dumps([{"mask": inside}, {"mask": bad}, {"mask": 3}]))),
        sample_pb2.Sample(id="2", prediction=sample_pb2.Content(media=whole), references=[sample_pb2.Content(json="{'uri'"), sample_pb2.Content(json='["uri"')]),
    ]
    assert sorted(file.uri for file in remote_files(samples, sources)) == ["s3://bucket/p/a", "s3://bucket/p/b"]


def test_kinds_know_their_places() -> None:
    assert InputKind("instances", False, decode_json).files_at == ("/*/mask", "/image")
    assert InputKind("nobody knows it", False, decode_json).files_at == ()
    assert InputKind("instances", False, decode_json, media_pointers=("/x",)).files_at == ("/x",)
