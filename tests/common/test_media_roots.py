"""Roots: what may be named by a URI, and nothing else."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media_roots import MediaRoots, is_local
from genlevel_evaluator.serve import bare

ROOTS = MediaRoots.of(["/data", "s3://bucket/media/", "gs://other"])
DIGEST = "0" * 64


def code_of(uri: str, roots: MediaRoots = ROOTS) -> str:
    try:
        roots.locate(uri, "file")
    except SampleError as error:
        return error.code if error.remedy else "no remedy"
    return ""


def test_roots_are_folders_and_urls() -> None:
    roots = MediaRoots.of([Path("/a"), "/b", "file:///c%20d", "file://localhost/e", "S3://Bucket/p//"[:-1]])
    assert roots.folders == (Path("/a"), Path("/b"), Path("/c d"), Path("/e"))
    assert [root.url for root in roots.urls] == ["s3://Bucket/p"]


@pytest.mark.parametrize(
    ("root", "word"),
    [
        ("s3://", "bucket"), ("s3://bucket/../other", "bucket"), ("s3://bucket//a", "bucket"), ("simplecache::s3://bucket", "chained"),
        ("s3://bucket/%2e%2e", "bucket"), ("nosuchscheme://bucket", "fsspec"), ("file://host/share", "another machine"),
        ("ftp://user:hunter2@host/dir", "environment"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_root_is_said_before_anything_is_served(root: str, word: str) -> None:
    with pytest.raises(ValueError, match=word) as caught:
        MediaRoots.of([root])
    assert "hunter2" not in str(caught.value)
    with pytest.raises(argparse.ArgumentTypeError):
        bare.root(root)


def test_the_command_takes_folders_and_urls() -> None:
    given_roots = bare.parser("").parse_args(["--roots", "/a", "s3://bucket/p"]).roots
    assert given_roots == ["/a", "s3://bucket/p"]


@pytest.mark.parametrize("uri", ["s3://bucket/media/a.png", "S3://bucket/media/a/b c.png", "gs://other/x", "s3://bucket/media/a=1&b@c+d!.png", "s3://bucket/media/..a/b..c/..."])
def test_below_a_root(uri: str) -> None:
    assert ROOTS.locate(uri, "x") == re.sub("^S3", "s3", uri)


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/media", "s3://bucket/media/", "s3://bucket/mediax/a", "s3://bucket/Media/a", "s3://BUCKET/media/a", "s3://bucket/other/a",
        "s3://bucket2/media/a", "s3://bucket/media/../other/a", "s3://bucket/media/./a", "s3://bucket/media//a", "s3://bucket//media/a",
        "s3:///bucket/media/a", "s3://bucket/media/%2e%2e/other/a", "s3://bucket/media/%2E%2E%2Fother", "s3://bucket/media/a%00", "s3://bucket/med%69a/a",
        "s3://bucket/media/..\\other", "s3://bucket/media/a?versionId=1", "s3://bucket/media/a#b", "s3://key:secret@bucket/media/a",
        "s3://other@bucket/media/a", "s3://bucket/media/a::file:///etc/passwd", "s3://bucket/media/a\n", "s3://bucket/media/a\x00b", "gs://bucket/media/a", "gs://other",
    ],
)  # fmt: skip
def test_outside_the_roots(uri: str) -> None:
    assert code_of(uri) == "MEDIA_OUTSIDE_ROOT"


@pytest.mark.parametrize("uri", ["s3a://bucket/media/a", "http://bucket/media/a", "/data/a", "simplecache::s3://bucket/media/a", "x://[", "local:///data/a", "memory://x/a", "", "s3:/bucket/media/a"])
def test_other_schemes(uri: str) -> None:
    assert code_of(uri) == "MEDIA_SCHEME"
    assert code_of(uri, MediaRoots()) == "MEDIA_SCHEME"


def test_without_url_roots_nothing_remote_is_read() -> None:
    assert code_of("s3://bucket/media/a", MediaRoots.of(["/data"])) == "MEDIA_SCHEME"


PARTS = st.one_of(st.text(max_size=6), st.sampled_from([".", "..", "", "media", "other", "%2e%2e", "a", "a?b", "..\\", "\u2024\u2024", "\uff0e\uff0e", "bucket"]))


@given(scheme=st.sampled_from(["s3", "S3", "s3a", "gs", "file", "s3::s3"]), parts=st.lists(PARTS, max_size=7))
def test_whatever_is_let_through_lies_below_a_root(scheme: str, parts: list[str]) -> None:
    """Read as storage reads it, by bucket and key, and as a file system or a web server might, with dots and escapes resolved."""
    uri = f"{scheme}://" + "/".join(parts)
    if is_local(uri) or code_of(uri):
        return
    place = ROOTS.locate(uri, "x").split("://", 1)[1]
    assert ROOTS.locate(uri, "x").split("://", 1)[0] in ("s3", "gs")
    assert place.startswith(("bucket/media/", "other/"))
    assert not set(place.split("/")) & {"", ".", ".."}
    assert not set("%?#\\\0") & set(place)


@given(tail=st.lists(st.sampled_from(["a", "b c", "ü", "x.png", "..."]), min_size=1, max_size=4))
def test_plain_keys_are_let_through(tail: list[str]) -> None:
    uri = "s3://bucket/media/" + "/".join(tail)
    assert ROOTS.locate(uri, "x") == uri
