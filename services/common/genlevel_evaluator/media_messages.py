"""Files as messages and JSON contents name them: inline, by URI, or as blobs sent before."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from genlevel.v1 import sample_pb2
from genlevel_evaluator import media
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import parse_json, with_files
from genlevel_evaluator.media_roots import MediaRoots, is_local
from genlevel_evaluator.remote_media import Fetched, RemoteFile

_FORMS: tuple[Mapping[str, type], ...] = (
    {"name": str, "base64": str},
    {"name": str, "uri": str, "sha256": str, "size_bytes": int},
    {"name": str, "blob": str, "size_bytes": int},
)


@dataclass(frozen=True)
class Sources:
    """Where the files of a shard come from.

    Attributes:
        roots: where URIs may lead.
        blobs: by digest, sent before in the same stream.
        fetched: files of other storage, here already.
        pointers: places inside JSON contents that hold a file.
    """

    roots: MediaRoots = field(default_factory=MediaRoots)
    blobs: Mapping[str, media.Blob] = field(default_factory=dict)
    fetched: Fetched = field(default_factory=dict)
    pointers: tuple[str, ...] = ()

    def of_message(self, message: sample_pb2.Media) -> media.Blob:
        """The file of a message.

        Raises:
            SampleError: it cannot be had.
        """
        which = message.WhichOneof("location")
        if which == "inline":
            return _inline(message.inline, message.name, message.sha256)
        if which == "uri":
            return self._by_uri(message.uri, message.sha256, message.size_bytes, message.name)
        if which == "blob":
            return self._by_digest(message.blob, message.name)
        raise SampleError("EMPTY", "media without inline bytes, URI or blob", remedy="set one of them")

    def of_json(self, text: str) -> Any:
        """A JSON content, with a Blob wherever its kind has a file.

        Raises:
            SampleError: BAD_JSON, or a file cannot be had.
        """
        return with_files(parse_json(text), self.pointers, self._in_json)

    def _in_json(self, value: Mapping[str, Any]) -> media.Blob:
        _check_form(value)
        if "uri" in value:
            return self._by_uri(value["uri"], value["sha256"], value["size_bytes"], value["name"])
        if "blob" in value:
            return self._by_digest(value["blob"], value["name"])
        try:
            data = base64.b64decode(value["base64"], validate=True)
        except (binascii.Error, ValueError):
            raise SampleError("BAD_BASE64", "inline media is not base64", remedy="encode the file as base64") from None
        return _inline(data, value["name"], "")

    def _by_uri(self, uri: str, sha256: str, size_bytes: int, name: str) -> media.Blob:
        if is_local(uri):
            return media.from_uri(uri, sha256, size_bytes, name, self.roots.folders)
        found = self.fetched[remote_file(self.roots, uri, sha256, size_bytes, name)]
        if isinstance(found, SampleError):  # one file may be a fault of several samples, and each keeps its own side
            raise SampleError(found.code, found.message, remedy=found.remedy)
        return found

    def _by_digest(self, sha256: str, name: str) -> media.Blob:
        if sha256 not in self.blobs:
            raise SampleError("BLOB_MISSING", f"{name or 'media'}: blob {sha256[:16]}... was not sent before", remedy="send blobs first")
        found = self.blobs[sha256]
        return media.Blob(found.sha256, name, data=found.data, path=found.path)


def _inline(data: bytes, name: str, sha256: str) -> media.Blob:
    if len(data) > media.INLINE_LIMIT:
        raise SampleError(
            "MEDIA_TOO_LARGE", f"{name or 'media'}: {len(data)} bytes inline, at most {media.INLINE_LIMIT}",
            remedy="pass a URI, or use EvaluateShardStream",
        )
    return media.from_bytes(data, name, sha256)


def _check_form(value: Mapping[str, Any]) -> None:
    for form in _FORMS:
        if form.keys() == value.keys() and all(type(value[key]) is kind for key, kind in form.items()):
            return
    raise SampleError(
        "BAD_MEDIA", "an object inside JSON that names a file has other keys or types than docs/formats.md says",
        remedy='write {"name", "base64"}, {"name", "uri", "sha256", "size_bytes"} or {"name", "blob", "size_bytes"}',
    )


def remote_file(roots: MediaRoots, uri: str, sha256: str, size_bytes: int, name: str) -> RemoteFile:
    """A file of other storage.

    Raises:
        SampleError: it lies outside the roots, or has no digest.
    """
    shown = name or uri.rpartition("/")[2]
    return RemoteFile(roots.locate(uri, shown), sha256, max(size_bytes, 0), shown)


def remote_files(samples: Iterable[sample_pb2.Sample], sources: Sources) -> set[RemoteFile]:
    """Files that must be fetched before the samples are decoded. Those that may not be read are left for the decoding to refuse."""
    found: set[RemoteFile] = set()

    def note(uri: str, sha256: str, size_bytes: int, name: str) -> None:
        if not is_local(uri):
            with suppress(SampleError):
                found.add(remote_file(sources.roots, uri, sha256, size_bytes, name))

    def note_in_json(value: Mapping[str, Any]) -> None:
        with suppress(SampleError):
            _check_form(value)
            if "uri" in value:
                note(value["uri"], value["sha256"], value["size_bytes"], value["name"])

    for content in _contents(samples):
        if content.WhichOneof("content") == "media" and content.media.WhichOneof("location") == "uri":
            note(content.media.uri, content.media.sha256, content.media.size_bytes, content.media.name)
        elif sources.pointers and '"uri"' in content.json:
            with suppress(SampleError):
                with_files(parse_json(content.json), sources.pointers, note_in_json)
    return found


def _contents(samples: Iterable[sample_pb2.Sample]) -> Iterator[sample_pb2.Content]:
    for sample in samples:
        if sample.HasField("prediction"):
            yield sample.prediction
        yield from sample.references
