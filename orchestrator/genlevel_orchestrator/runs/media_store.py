"""Media for evaluators that do not share our files: each is put into the store once, named by its SHA-256, and sent as a URI."""

from __future__ import annotations

import asyncio
import hashlib
import io
import time
from collections.abc import Iterable
from typing import BinaryIO

from genlevel_orchestrator.bundle.media import MediaFile
from genlevel_orchestrator.runs.storage import PART_BYTES, Storage, StorageError

PARALLEL = 8
"""Files uploaded at a time."""
_DOWN_SECONDS = 30.0


class FileChanged(Exception):
    """A file is not what it was when it was read for its digest."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was changed while the run was on")
        self.name = name


class MediaStore:
    """The store of one run.

    Args:
        url: fsspec URL of the folder.
    """

    def __init__(self, url: str) -> None:
        self._storage = Storage(url, "media_store")
        self.url = self._storage.url
        self.uploads = 0
        self._put: dict[str, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(PARALLEL)
        self._down: tuple[float, StorageError] | None = None

    async def put(self, files: Iterable[MediaFile]) -> dict[str, str]:
        """Upload what is not there yet; returns the URI of each digest.

        Raises:
            StorageError: the store cannot be used.
            FileChanged: a file is another one by now.
        """
        wanted = {file.sha256: file for file in files}
        tasks = [self._task(file) for file in wanted.values()]
        # Shielded and awaited to the end: another shard may wait for the same upload.
        outcomes = await asyncio.gather(*(asyncio.shield(task) for task in tasks), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return {digest: self._storage.uri(_name(digest)) for digest in wanted}

    def forget(self, files: Iterable[MediaFile]) -> None:
        """Look again whether files are there before they are next sent."""
        for file in files:
            self._put.pop(file.sha256, None)

    async def holds(self, files: Iterable[MediaFile]) -> bool:
        """Whether those of the files that were put are still there, whole."""

        def there(file: MediaFile) -> bool:
            return file.sha256 not in self._put or self._storage.size(_name(file.sha256)) == file.size

        return all([await asyncio.to_thread(there, file) for file in files])

    def _task(self, file: MediaFile) -> asyncio.Task[None]:
        known = self._put.get(file.sha256)
        if known is None or (known.done() and (known.cancelled() or known.exception() is not None)):
            known = self._put[file.sha256] = asyncio.ensure_future(self._bounded(file))
        return known

    async def _bounded(self, file: MediaFile) -> None:
        async with self._slots:
            if self._down is not None and time.monotonic() < self._down[0]:
                raise self._down[1]  # a store that was away a moment ago is not waited for by every file anew
            try:
                await asyncio.to_thread(self._upload, file)
            except StorageError as error:
                if error.transient:
                    self._down = (time.monotonic() + _DOWN_SECONDS, error)
                raise

    def _upload(self, file: MediaFile) -> None:
        name = _name(file.sha256)
        if self._storage.size(name) == file.size:
            return
        self.uploads += 1
        if file.size <= PART_BYTES:
            self._storage.write(name, content(file))
        else:
            self._storage.write_from(name, lambda output: copy(file, output))


def _name(digest: str) -> str:
    return f"{digest[:2]}/{digest}"


def content(file: MediaFile) -> bytes:
    """The bytes of a small file, checked against its digest.

    Raises:
        FileChanged: they are others by now.
    """
    output = io.BytesIO()
    copy(file, output)
    return output.getvalue()


def copy(file: MediaFile, output: BinaryIO) -> None:
    """Copy a file in pieces; what was copied is not to be used when this raises.

    Raises:
        FileChanged: its bytes are others by now, or it is gone.
    """
    digest = hashlib.sha256()
    if file.data is not None:
        digest.update(file.data)
        output.write(file.data)
    elif file.path is not None:
        try:
            source = file.path.open("rb")
        except OSError:
            raise FileChanged(file.name) from None
        with source:
            while data := source.read(1 << 20):
                digest.update(data)
                output.write(data)
    if digest.hexdigest() != file.sha256:
        raise FileChanged(file.name)


def changed(files: Iterable[MediaFile]) -> list[str]:
    """Names of files that are others by now."""
    found = []
    for file in files:
        try:
            copy(file, _Nowhere())
        except FileChanged:
            found.append(file.name)
    return found


class _Nowhere(io.BytesIO):
    def write(self, data: object) -> int:
        del data
        return 0
