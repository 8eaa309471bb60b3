"""A folder of fsspec storage, local or a bucket, in which a file of the right name is complete."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import Any, BinaryIO, ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit

import fsspec

from genlevel_orchestrator.errors import ExitCode, UserError

P = ParamSpec("P")
T = TypeVar("T")
PAUSES = (0.5, 2.0)
"""Seconds before the second and the third try of storage that is away."""
PART_BYTES = 8 << 20
"""Files up to this size go in one request, larger ones in parts of it."""
# Storage where an object appears whole or not at all, and where a move would be a copy and a removal.
_OBJECT_STORES = frozenset(["s3", "s3a", "gs", "gcs", "abfs", "az", "adl", "oss", "oci", "r2", "b2", "memory"])
_S3_OPTIONS: dict[str, Any] = {
    "use_listings_cache": False,
    "config_kwargs": {"connect_timeout": 4, "read_timeout": 10, "retries": {"max_attempts": 0}, "max_pool_connections": 16},
}
_S3_ATTEMPTS = 2
_CALL_SECONDS = 15.0
_SLOWEST_BYTES = 256 << 10  # a second
_CREDENTIALS = "NoCredentialsError PartialCredentialsError CredentialRetrievalError TokenRetrievalError ProfileNotFound"
_NETWORK = (
    "EndpointConnectionError ConnectTimeoutError ReadTimeoutError ConnectionClosedError HTTPClientError ConnectionError ClientConnectionError "
    "ClientPayloadError FSTimeoutError TimeoutError IncompleteRead ResponseParserError SSLError gaierror"
)
_BUSY = (errno.EBUSY, errno.EIO, errno.EREMOTEIO, errno.ETIMEDOUT)


class StorageError(UserError):
    """Storage that cannot be used.

    Args:
        reason: stable upper-case word.
        transient: whether another try may succeed.
    """

    def __init__(self, reason: str, message: str, remedy: str, transient: bool = False) -> None:
        super().__init__(message, remedy, ExitCode.UNREACHABLE if transient else ExitCode.PREREQUISITE_MISSING, {"reason": reason})
        self.reason = reason
        self.transient = transient


def _again(method: Callable[P, T]) -> Callable[P, T]:
    """Calls a method again after a pause when the storage was away."""

    @wraps(method)
    def call(*arguments: P.args, **named: P.kwargs) -> T:
        for pause in PAUSES:
            try:
                return method(*arguments, **named)
            except StorageError as error:
                if not error.transient:
                    raise
            time.sleep(pause)
        return method(*arguments, **named)

    return call


class Storage:
    """A folder of files, by name below a URL. Opened when it is first used; methods may be called from any thread.

    Args:
        url: fsspec URL, or the path of a local folder.
        setting: what the URL is called in the settings, for messages.
    """

    def __init__(self, url: str, setting: str) -> None:
        local = "://" not in url
        self.url = Path(url).absolute().as_uri() if local else url.rstrip("/")
        self._setting = setting
        self._opened: tuple[Any, str] | None = None
        self._lock = threading.Lock()

    def _files(self) -> tuple[Any, str]:
        with self._lock:
            if self._opened is None:
                scheme = urlsplit(self.url).scheme
                options = _S3_OPTIONS if scheme in ("s3", "s3a") else {}
                filesystem, root = fsspec.core.url_to_fs(_unquoted(self.url), **options)
                if options:
                    filesystem.retries = _S3_ATTEMPTS
                self._opened = (filesystem, root)
            return self._opened

    def uri(self, name: str) -> str:
        """Where a file lies, for others."""
        return f"{self.url}/{name}"

    @_again
    def size(self, name: str) -> int | None:
        """Bytes of a file; None when it is not there."""
        with self._explained():
            filesystem, root = self._files()
            try:
                return int(filesystem.info(f"{root}/{name}", **_bounded(filesystem))["size"])
            except FileNotFoundError as error:
                if _no_bucket(error):
                    raise
                return None

    @_again
    def read(self, name: str) -> bytes | None:
        """A file; None when it is not there."""
        with self._explained():
            filesystem, root = self._files()
            try:
                data: bytes = filesystem.cat_file(f"{root}/{name}")
            except FileNotFoundError as error:
                if _no_bucket(error):
                    raise
                return None
            return data

    @_again
    def remove(self, name: str) -> None:
        """Remove a file; it may be gone already."""
        with self._explained():
            filesystem, root = self._files()
            with contextlib.suppress(FileNotFoundError):
                filesystem.rm_file(f"{root}/{name}", **_bounded(filesystem))

    @_again
    def write(self, name: str, data: bytes) -> None:
        """Store a file whole."""
        with self._explained():
            filesystem, root = self._files()
            if self._is_object_store():
                filesystem.pipe_file(f"{root}/{name}", data, **_bounded(filesystem, len(data)))
                return
            with self._part(name) as part:
                filesystem.pipe_file(part, data)

    @_again
    def write_from(self, name: str, fill: Callable[[BinaryIO], None]) -> None:
        """Store a file that `fill` writes piece by piece; when it raises, there is none."""
        with self._explained():
            filesystem, root = self._files()
            if not self._is_object_store():
                with self._part(name) as part, filesystem.open(part, "wb") as file:
                    fill(file)
                return
            file = filesystem.open(f"{root}/{name}", "wb", block_size=PART_BYTES, autocommit=False)
            if hasattr(file, "_call_s3"):
                file._call_s3 = partial(file._call_s3, **_bounded(filesystem, PART_BYTES))
            try:
                fill(file)
                file.close()
            except BaseException:
                file.discard()
                file.closed = True  # or it would be flushed once more when it is collected
                raise
            file.commit()

    @contextmanager
    def _part(self, name: str) -> Iterator[str]:
        """A name to write under; what lies there gets its own name at the end."""
        filesystem, root = self._files()
        path = f"{root}/{name}"
        filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
        # A name of its own for each writer: two that store the same file do not meet.
        part = f"{path}.{uuid.uuid4().hex[:12]}.part"
        try:
            yield part
            if "file" in _protocols(filesystem):
                os.replace(part, path)
            else:
                filesystem.mv(part, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                filesystem.rm_file(part)
            raise

    def _is_object_store(self) -> bool:
        return bool(_protocols(self._files()[0]) & _OBJECT_STORES)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ImportError, ValueError) as error:
            raise explain(error, self.url, self._setting) from None
        except Exception as error:  # botocore's own, which are no OSErrors
            if not type(error).__module__.startswith(("botocore", "aiobotocore", "aiohttp", "fsspec", "s3fs")):
                raise
            raise explain(error, self.url, self._setting) from None


def explain(error: Exception, url: str, setting: str) -> StorageError:
    """What an error of a file system means, without the texts of libraries, which may hold secrets."""
    chain = list(_chain(error))
    names = {kind.__name__ for item in chain for kind in type(item).__mro__}
    place, said = f"{setting} {_place(url)}", _said(error)
    if _no_bucket(error):
        return StorageError("STORAGE_MISSING", f"{place}: there is no such bucket", "Create it, or correct the setting.")
    if names & set(_CREDENTIALS.split()):
        return StorageError("STORAGE_NO_CREDENTIALS", f"{place}: no credentials", "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or what it asks for.")
    if isinstance(error, PermissionError):
        return StorageError("STORAGE_DENIED", f"{place}: access denied{said}", "Check the credentials, and their right to read, write and list there.")
    if isinstance(error, ImportError):
        return StorageError("STORAGE_UNSUPPORTED", f"{place}: the package for it is not installed", "Install it (s3fs for s3://).")
    if names & set(_NETWORK.split()) or (isinstance(error, OSError) and error.errno in _BUSY):
        remedy = "Check that it runs, AWS_ENDPOINT_URL, and the network; then resume the run."
        return StorageError("STORAGE_UNREACHABLE", f"{place} cannot be reached{said}", remedy, transient=True)
    return StorageError("STORAGE_REFUSED", f"{place} cannot be used{said}", "Check the setting, AWS_ENDPOINT_URL, and the room that is left.")


def _said(error: Exception) -> str:
    known = sorted(code for code in _codes(error) if code.isalnum() and len(code) < 60)
    if known:
        return f" ({known[0]})"
    if type(error).__module__ == "builtins" and isinstance(error, OSError) and error.errno:
        return f" ({os.strerror(error.errno)})"
    return f" ({type(error).__name__})"


def _codes(error: BaseException) -> set[str]:
    """What an S3 service calls the fault."""
    responses = [getattr(item, "response", None) for item in _chain(error)]
    return {str(item.get("Error", {}).get("Code", "")) for item in responses if isinstance(item, dict)}


def _no_bucket(error: BaseException) -> bool:
    return "NoSuchBucket" in _codes(error)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(8):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _place(url: str) -> str:
    """The URL and the endpoint, without user names and passwords."""
    parts = urlsplit(url)
    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "")
    at = f" at {endpoint.scheme}://{endpoint.netloc.rpartition('@')[2]}" if parts.scheme in ("s3", "s3a") and endpoint.netloc else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{at}"


def _bounded(filesystem: Any, size: int = 0) -> dict[str, float]:
    """A bound for one call. aiohttp has none for a server that takes the head of a PUT and never asks for the rest."""
    return {"timeout": _CALL_SECONDS + size / _SLOWEST_BYTES} if getattr(filesystem, "async_impl", False) else {}


def _protocols(filesystem: Any) -> frozenset[str]:
    declared = filesystem.protocol
    return frozenset({declared} if isinstance(declared, str) else declared)


def _unquoted(url: str) -> str:
    # fsspec takes file:// URLs as they are written.
    return unquote(url) if url.startswith("file://") else url
