"""Blobs of a streamed call: chunks put together into files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from genlevel.v1 import evaluator_pb2 as pb
from genlevel_evaluator import media
from genlevel_evaluator.errors import Code, EvaluatorError

_CHUNK_LIMIT = 1 << 20
_BLOB_TOTAL = 8 << 30


class BlobReceiver:
    """Puts chunks together into files and checks their digests."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._blobs: dict[str, media.Blob] = {}
        self._current: pb.BlobChunk | None = None
        self._hash = hashlib.sha256()
        self._received = 0
        self._total = 0

    def add(self, chunk: pb.BlobChunk) -> None:
        """Takes the next chunk."""
        if len(chunk.data) > _CHUNK_LIMIT:
            raise self._bad(chunk, f"a chunk has {len(chunk.data)} bytes, at most {_CHUNK_LIMIT}")
        if len(chunk.sha256) != 64 or not all(c in "0123456789abcdef" for c in chunk.sha256):
            raise self._bad(chunk, "its SHA-256 is not 64 lower-case hexadecimal digits")
        if self._current is None:
            self._current, self._hash, self._received = chunk, hashlib.sha256(), 0
        if self._current.sha256 != chunk.sha256:
            raise self._bad(chunk, "it began before the blob before it was complete")
        self._received += len(chunk.data)
        self._total += len(chunk.data)
        if self._received > chunk.size_bytes or self._total > _BLOB_TOTAL:
            raise self._bad(chunk, "it is longer than announced")
        self._hash.update(chunk.data)
        # The first chunk begins the file anew: a blob sent twice is no longer than one sent once.
        with (self._folder / chunk.sha256).open("ab" if self._received > len(chunk.data) else "wb") as file:
            file.write(chunk.data)
        if self._received == chunk.size_bytes:
            self._close(chunk)

    def _close(self, chunk: pb.BlobChunk) -> None:
        if self._hash.hexdigest() != chunk.sha256:
            raise self._bad(chunk, "its bytes have another digest")
        self._blobs[chunk.sha256] = media.Blob(chunk.sha256, "", path=self._folder / chunk.sha256)
        self._current = None

    def finish(self) -> dict[str, media.Blob]:
        """All blobs, by digest."""
        if self._current is not None:
            raise self._bad(self._current, "it is incomplete")
        return self._blobs

    def _bad(self, chunk: pb.BlobChunk, what: str) -> EvaluatorError:
        return EvaluatorError(Code.INVALID_ARGUMENT, "BAD_BLOB", f"blob {chunk.sha256[:16]}...: {what}", "send the blob again")
