"""Media by URI: nothing outside the roots, nothing with another digest, is ever read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from genlevel_evaluator import media
from genlevel_evaluator.errors import SampleError


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "a b.png").write_bytes(b"picture")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (folder / "out.png").symlink_to(tmp_path / "secret.txt")
    (folder / "in.png").symlink_to(folder / "a b.png")
    return folder


def read(uri: str, root: Path, data: bytes, size: int = 0) -> media.Blob:
    return media.from_uri(uri, digest(data), size, "", [root])


def test_a_file_below_the_root_is_read(root: Path) -> None:
    blob = read((root / "a b.png").as_uri(), root, b"picture", 7)
    assert blob.read() == b"picture"
    assert blob.suffix == ".png"
    assert read((root / "in.png").as_uri(), root, b"picture").read() == b"picture"


@pytest.mark.parametrize(
    ("name", "code"),
    [("out.png", "MEDIA_OUTSIDE_ROOT"), ("../secret.txt", "MEDIA_OUTSIDE_ROOT"), ("none.png", "MEDIA_MISSING"), (".", "MEDIA_MISSING")],
)
def test_files_elsewhere_are_refused(root: Path, name: str, code: str) -> None:
    with pytest.raises(SampleError) as caught:
        read(f"file://{root}/{name}", root, b"secret")
    assert caught.value.code == code
    assert "secret" not in caught.value.message.replace("secret.txt", "")


@pytest.mark.parametrize("uri", ["http://example.org/a.png", "file://other-host/etc/passwd", "/etc/passwd", "ftp:x"])
def test_other_schemes_are_refused(root: Path, uri: str) -> None:
    with pytest.raises(SampleError) as caught:
        read(uri, root, b"x")
    assert caught.value.code == "MEDIA_SCHEME"


def test_size_and_digest_are_checked(root: Path) -> None:
    uri = (root / "a%20b.png").as_uri().replace("%2520", "%20")
    with pytest.raises(SampleError) as caught:
        read(uri, root, b"picture", 8)
    assert caught.value.code == "MEDIA_TRUNCATED"
    with pytest.raises(SampleError) as caught:
        read(uri, root, b"other", 7)
    assert caught.value.code == "MEDIA_DIGEST_MISMATCH"
    with pytest.raises(SampleError) as caught:
        media.from_uri(uri, "", 7, "", [root])
    assert caught.value.code == "MEDIA_NO_DIGEST"
    with pytest.raises(SampleError) as caught:
        media.from_bytes(b"x", "x.png", digest(b"y"))
    assert caught.value.code == "MEDIA_DIGEST_MISMATCH"
