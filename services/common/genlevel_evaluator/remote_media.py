"""Media in other storage, through fsspec: read once, in bounded memory, checked while they are read, kept in the cache.

What fails because of the file is an issue of its sample; what fails because of the storage fails the call, so that no model pays for it.
"""

from __future__ import annotations

import errno
import hashlib
import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from genlevel_evaluator.errors import Code, EvaluatorError, SampleError
from genlevel_evaluator.media import Blob, mismatch, truncated
from genlevel_evaluator.media_cache import MediaCache
from genlevel_evaluator.storage_faults import storage_fault

BLOCK_BYTES = 4 << 20
PARALLEL = 8
"""Files fetched at a time: with BLOCK_BYTES the bound of memory."""
_CALL_SECONDS = 20.0
"""Longest time for one block; s3fs's own repetitions are within it, and our callers repeat what is UNAVAILABLE."""
_S3_OPTIONS: dict[str, Any] = {
    "use_listings_cache": False,
    "config_kwargs": {"connect_timeout": 4, "read_timeout": 10, "retries": {"max_attempts": 0}, "max_pool_connections": 2 * PARALLEL},
}
_S3_ATTEMPTS = 2
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class RemoteFile:
    """A file that a message names.

    Attributes:
        uri: below an allowed root.
        size_bytes: 0 when it was not announced.
        shown: name a person knows it by.
    """

    uri: str
    sha256: str
    size_bytes: int
    shown: str

    def __post_init__(self) -> None:
        # The digest becomes the name of a file.
        if not _DIGEST.fullmatch(self.sha256):
            raise SampleError("MEDIA_NO_DIGEST", f"{self.shown}: a URI needs a SHA-256", remedy="set Media.sha256, 64 lower-case hexadecimal digits")


Fetched = Mapping[RemoteFile, Blob | SampleError]


class RemoteMedia:
    """Fetches the files of shards."""

    def __init__(self, cache: MediaCache | None = None) -> None:
        self.cache = cache or MediaCache()
        self.fetches = 0
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="media")
        self._filesystems: dict[str, Any] = {}
        self._lock = threading.Lock()

    @contextmanager
    def fetched(self, files: Collection[RemoteFile], check: Callable[[], None] = lambda: None) -> Iterator[Fetched]:
        """The files of a shard, on disk as long as the context lasts; for one that cannot be used, what is wrong with it.

        Raises:
            EvaluatorError: the storage cannot be had, or there is no room.
        """
        if not files:
            yield {}
            return
        found: dict[RemoteFile, Blob | SampleError] = {}
        sizes = self._each(set(files), lambda file: file.size_bytes or self._size(file), found)
        with self.cache.hold({(file.sha256, size) for file, size in sizes.items()}, check):
            blobs = self._each(sizes, lambda file: self._blob(file, sizes[file], check), found)
            yield {**found, **blobs}

    def _each(self, files: Collection[RemoteFile], job: Callable[[RemoteFile], Any], faults: dict[Any, Any]) -> dict[RemoteFile, Any]:
        """What `job` gives for each file; faults of files are noted, the first of another kind ends the others."""
        futures: dict[Future[Any], RemoteFile] = {self._pool.submit(job, file): file for file in files}
        results = {}
        try:
            for future, file in futures.items():
                try:
                    results[file] = future.result()
                except SampleError as error:
                    faults[file] = error
        finally:
            for future in futures:
                future.cancel()
            wait(futures)
        return results

    def _blob(self, file: RemoteFile, size: int, check: Callable[[], None]) -> Blob:
        path = self.cache.file((file.sha256, size), lambda part: self._fetch(file, size, part, check))
        return Blob(file.sha256, file.shown, path=path)

    def _fetch(self, file: RemoteFile, size: int, part: Path, check: Callable[[], None]) -> None:
        with self._lock:
            self.fetches += 1
        digest = hashlib.sha256()
        done = 0
        with part.open("wb", buffering=0) as output:  # a full disk is told by the write and not when the file is closed
            while done < size:
                check()
                data = self._block(file, done, size)
                digest.update(data)
                _write(output, data)
                done += len(data)
                if done > size:
                    raise truncated(file.shown, f"more than {size}", size)
        if digest.hexdigest() != file.sha256:
            raise mismatch(file.shown, file.sha256, digest.hexdigest())

    def _block(self, file: RemoteFile, start: int, size: int) -> bytes:
        # One byte more than announced tells a file that is longer, without another call.
        end = size + 1 if size - start <= BLOCK_BYTES else start + BLOCK_BYTES
        try:
            data: bytes = self._call(file, "cat_file", start=start, end=end)
        except _Unexplained as error:
            # Storage refuses a range that begins where the file ends.
            try:
                there = self._size(file)
            except EvaluatorError:
                there = size
            if there != size:
                raise truncated(file.shown, str(there), size) from None
            raise error.fault from None
        if len(data) < min(end, size) - start:
            raise truncated(file.shown, str(start + len(data)), size)
        return data

    def _size(self, file: RemoteFile) -> int:
        try:
            return int(self._call(file, "info")["size"])
        except _Unexplained as error:
            raise error.fault from None

    def _call(self, file: RemoteFile, method: str, **arguments: Any) -> Any:
        try:
            filesystem = self._filesystem(file.uri.split("://", 1)[0])
            if getattr(filesystem, "async_impl", False):
                arguments["timeout"] = _CALL_SECONDS
            return getattr(filesystem, method)(filesystem._strip_protocol(file.uri), **arguments)
        except Exception as error:
            fault = storage_fault(error, file.uri)
            if fault is None:
                raise SampleError("MEDIA_MISSING", f"{file.shown} is not in the storage", remedy="put the file there, under the key of its URI") from None
            if isinstance(error, OSError) and error.errno == errno.EINVAL:
                raise _Unexplained(fault) from None
            raise fault from None

    def _filesystem(self, scheme: str) -> Any:
        with self._lock:
            if scheme not in self._filesystems:
                import fsspec

                s3 = scheme in ("s3", "s3a")
                filesystem = fsspec.filesystem(scheme, **(_S3_OPTIONS if s3 else {}))
                if s3:
                    filesystem.retries = _S3_ATTEMPTS
                self._filesystems[scheme] = filesystem
            return self._filesystems[scheme]


class _Unexplained(Exception):
    """A refusal that may come from the file's being shorter than announced."""

    def __init__(self, fault: EvaluatorError) -> None:
        super().__init__(fault.message)
        self.fault = fault


def _write(output: FileIO, data: bytes) -> None:
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[output.write(rest) :]
    except OSError as error:
        raise EvaluatorError(
            Code.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE", f"the media cache cannot be written: {error.strerror}",
            "give the folder for temporary files more room, or send smaller shards",
        ) from None
