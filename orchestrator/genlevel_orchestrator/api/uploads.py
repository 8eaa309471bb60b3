"""Zips that clients send: checked, and kept by their digest below the state folder."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import logging
import os
import re
import secrets
import shutil
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import grpc

from genlevel_orchestrator.api.errors import ApiError, invalid
from genlevel_orchestrator.bundle.archive import ArchiveLimits, check
from genlevel_orchestrator.bundle.violations import Violations
from genlevel_orchestrator.settings import Uploads

log = logging.getLogger(__name__)

SCHEME = "upload:sha256:"
CHUNK_BYTES = 1 << 20
CHUNK_SECONDS = 60.0
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME_LIMIT = 200
_DIRECTORY_BYTES = 256 << 20
"""Largest directory of a zip: it is read into memory as a whole."""


@dataclass
class UploadStore:
    """Uploaded files of one state folder.

    Attributes:
        folder: where they lie.
        limits: how large they may be.
    """

    folder: Path
    limits: Uploads
    _reserved: int = 0

    def find(self, digest: str) -> Path | None:
        """The file of a digest."""
        path = self.folder / digest[:2] / f"{digest}.zip"
        return path if path.is_file() else None

    def known(self, digest: str, size: int) -> str:
        """The URI of a file that is here already; empty when it must be sent.

        Raises:
            ApiError: it could not be sent either.
        """
        self._announced(digest, size)
        path = self.find(digest)
        if path is None:
            return ""
        os.utime(path)  # in use again, so not old
        return SCHEME + digest

    def path(self, uri: str, field: str) -> Path:
        """The file of a URI that an upload gave.

        Raises:
            ApiError: it is none, or the file is no longer here.
        """
        digest = uri.removeprefix(SCHEME)
        if not uri.startswith(SCHEME) or not _DIGEST.fullmatch(digest):
            raise invalid(field, "is no URI of an upload", "write what UploadBundle answered")
        path = self.find(digest)
        if path is None:
            raise ApiError(
                grpc.StatusCode.NOT_FOUND, "NO_SUCH_UPLOAD", f"{field}: this upload is not here, or no longer", "send the file again",
                [(field, "not here")],
            )  # fmt: skip
        return path

    async def receive(self, requests: AsyncIterator[Any]) -> str:
        """Keep a file that is being sent, and return its URI. Whatever goes wrong, nothing of it stays.

        Raises:
            ApiError: it is not what was announced, too large, or unsafe.
        """
        first = await _next(requests)
        if first is None or first.WhichOneof("part") != "start":
            raise invalid("start", "is not the first message", "begin with start, then send chunks")
        start = first.start
        if len(start.file_name) > _NAME_LIMIT:
            raise invalid("start.file_name", f"is longer than {_NAME_LIMIT} characters")
        if found := await asyncio.to_thread(self.known, start.sha256, start.size_bytes):
            return found
        self._check_room(start.size_bytes)
        part = self.folder / f".part-{secrets.token_hex(8)}"
        self._reserved += start.size_bytes
        try:
            with part.open("xb") as file:
                await self._fill(file, requests, start)
            await asyncio.to_thread(_check_zip, part)
            await asyncio.to_thread(self._keep, part, start.sha256)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise self._full() from None
            raise
        finally:
            self._reserved -= start.size_bytes
            part.unlink(missing_ok=True)
        log.info("upload %r of %d bytes: %s", start.file_name, start.size_bytes, start.sha256)
        return SCHEME + str(start.sha256)

    async def _fill(self, file: BinaryIO, requests: AsyncIterator[Any], start: Any) -> None:
        digest, size = hashlib.sha256(), 0
        while (request := await _next(requests)) is not None:
            chunk: bytes = request.chunk
            if request.WhichOneof("part") != "chunk" or not 0 < len(chunk) <= CHUNK_BYTES:
                raise invalid("chunk", f"is not 1 to {CHUNK_BYTES} bytes", "send the file in chunks of at most 1 MiB")
            size += len(chunk)
            if size > start.size_bytes:
                raise invalid("chunk", f"there is more than the {start.size_bytes} bytes announced", "announce the size of the file")
            await asyncio.to_thread(_write, file, digest, chunk)
        if size < start.size_bytes:
            raise invalid("chunk", f"the upload was cut off after {size} of {start.size_bytes} bytes", "send the file again")
        if digest.hexdigest() != start.sha256:
            raise invalid("start.sha256", "is not the digest of what was sent", "send the file again; it must not change meanwhile")

    def _announced(self, digest: str, size: int) -> None:
        if not _DIGEST.fullmatch(digest):
            raise invalid("sha256", "is no SHA-256 in lower-case hexadecimal")
        if size <= 0:
            raise invalid("size_bytes", "is zero")
        if size > self.limits.max_bytes:
            raise ApiError(
                grpc.StatusCode.RESOURCE_EXHAUSTED, "UPLOAD_TOO_LARGE", f"{size} bytes are more than the {self.limits.max_bytes} that are taken",
                "raise uploads.max_bytes, or copy the bundle below a root of the orchestrator", [("size_bytes", "too large")],
            )  # fmt: skip

    def _check_room(self, size: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Of what other uploads announced some is written already and so counted twice: too careful rather than too full.
        if shutil.disk_usage(self.folder).free - self._reserved - size < self.limits.keep_free_bytes:
            raise self._full()

    def _full(self) -> ApiError:
        return ApiError(
            grpc.StatusCode.RESOURCE_EXHAUSTED, "NO_SPACE", "the orchestrator's disk has no room for this upload",
            "remove old runs with `genlevel runs prune`, or enlarge the volume of the state folder",
        )  # fmt: skip

    def _keep(self, part: Path, digest: str) -> None:
        target = self.folder / digest[:2] / f"{digest}.zip"
        target.parent.mkdir(exist_ok=True, mode=0o700)
        os.replace(part, target)

    def clear(self) -> None:
        """Remove what uploads of earlier processes left behind."""
        for part in self.folder.glob(".part-*"):
            part.unlink(missing_ok=True)


async def _next(requests: AsyncIterator[Any]) -> Any:
    try:
        return await asyncio.wait_for(anext(requests), CHUNK_SECONDS)
    except StopAsyncIteration:
        return None
    except TimeoutError:
        words = f"no part of the upload arrived for {CHUNK_SECONDS:.0f} s"
        raise ApiError(grpc.StatusCode.DEADLINE_EXCEEDED, "UPLOAD_STALLED", words, "send the file again") from None


def _write(file: BinaryIO, digest: Any, chunk: bytes) -> None:
    digest.update(chunk)
    file.write(chunk)


def _check_zip(path: Path) -> None:
    """Refuse what is no zip, or an unsafe one, before any run is made of it."""
    violations = Violations(path.parent)
    try:
        with path.open("r+b") as file:
            os.fsync(file.fileno())
            record = zipfile._EndRecData(file)  # type: ignore[attr-defined]
            if record is not None and record[5] > _DIRECTORY_BYTES:
                violations.add("", "TOO_MANY_ENTRIES", f"the zip's directory has {record[5]} bytes", "split the bundle")
            else:
                with zipfile.ZipFile(file) as archive:
                    check(archive, ArchiveLimits(), violations)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        violations.add("", "BAD_ZIP", f"no usable zip: {error}", "write the zip again")
    if violations.errors:
        fields = [(item.file or "the zip", item.message) for item in violations]
        words = f"the zip cannot be used, {violations.errors} violation(s), such as {fields[0][0]}: {fields[0][1]}"
        raise ApiError(grpc.StatusCode.INVALID_ARGUMENT, "UNSAFE_ZIP", words, "make a zip of plain files with relative names", fields)
