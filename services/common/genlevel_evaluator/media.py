"""Media: bytes in the message, or a file below an allowed root, always checked against its digest."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.media_roots import is_local

INLINE_LIMIT = 1 << 20
"""Largest file carried inside a message, in bytes."""

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Blob:
    """One file of a sample: checked when it is opened, read when it is needed.

    Attributes:
        sha256: digest of the bytes, lower-case hexadecimal.
        name: name a person knows the file by.
        data: the bytes, when they came in the message.
        path: the file, when they did not.
    """

    sha256: str
    name: str
    data: bytes | None = field(default=None, repr=False)
    path: Path | None = None

    @property
    def suffix(self) -> str:
        """Lower-case extension with its dot, from the name."""
        return Path(self.name or (self.path.name if self.path else "")).suffix.lower()

    def read(self) -> bytes:
        """All bytes."""
        if self.data is not None:
            return self.data
        assert self.path is not None
        return self.path.read_bytes()


def from_bytes(data: bytes, name: str = "", sha256: str = "") -> Blob:
    """A blob of bytes in hand.

    Raises:
        SampleError: MEDIA_DIGEST_MISMATCH.
    """
    digest = hashlib.sha256(data).hexdigest()
    if sha256 and digest != sha256:
        raise mismatch(name, sha256, digest)
    return Blob(digest, name, data=data)


def from_path(path: Path, name: str = "") -> Blob:
    """A blob of a local file the caller trusts, for use in one process.

    Raises:
        SampleError: MEDIA_MISSING.
    """
    if not path.is_file():
        raise SampleError("MEDIA_MISSING", f"no file {name or path}", remedy="check the path, relative to the sample file")
    return Blob(digest_of(path), name or str(path), path=path)


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in bounded memory."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def from_uri(uri: str, sha256: str, size_bytes: int, name: str, roots: Sequence[Path]) -> Blob:
    """A blob of a `file://` URI below one of `roots`. Links are followed only when they stay below it.

    Raises:
        SampleError: MEDIA_OUTSIDE_ROOT, MEDIA_MISSING, MEDIA_TRUNCATED, MEDIA_DIGEST_MISMATCH or MEDIA_SCHEME.
    """
    if not is_local(uri):
        raise SampleError("MEDIA_SCHEME", f"{name or uri}: only file:// URIs are read here", remedy="pass a file:// URI or inline bytes")
    if not sha256:
        raise SampleError("MEDIA_NO_DIGEST", f"{name or uri}: a URI needs a SHA-256", remedy="set Media.sha256")
    parts = urlsplit(uri)
    shown = name or Path(parts.path).name
    path = _below_root(Path(unquote(parts.path)), roots, shown)
    _check_file(path, sha256, size_bytes, shown)
    return Blob(sha256, shown, path=path)


def _below_root(path: Path, roots: Sequence[Path], shown: str) -> Path:
    # realpath first: `..` and links are resolved before the comparison, so neither can lead outside.
    real = Path(os.path.realpath(path))
    if not any(real.is_relative_to(Path(os.path.realpath(root))) for root in roots):
        raise SampleError(
            "MEDIA_OUTSIDE_ROOT", f"{shown} lies outside the evaluator's allowed roots",
            remedy="keep media inside the bundle, without links or .. that lead out of it",
        )
    return real


def _check_file(path: Path, sha256: str, size_bytes: int, shown: str) -> None:
    try:
        status = path.stat()
    except OSError as error:
        raise SampleError("MEDIA_MISSING", f"{shown}: {error.strerror or error}", remedy="add the file to the bundle") from None
    if not stat.S_ISREG(status.st_mode):
        raise SampleError("MEDIA_MISSING", f"{shown} is not a regular file", remedy="give a file, not a folder or device")
    if size_bytes and status.st_size != size_bytes:
        raise truncated(shown, str(status.st_size), size_bytes)
    try:
        digest = digest_of(path)
    except OSError as error:
        raise SampleError("MEDIA_MISSING", f"{shown}: {error.strerror or error}", remedy="make the file readable") from None
    if digest != sha256:
        raise mismatch(shown, sha256, digest)


def truncated(shown: str, found: str, announced: int) -> SampleError:
    """What is wrong with a file of another size."""
    return SampleError("MEDIA_TRUNCATED", f"{shown} has {found} bytes, {announced} were announced", remedy="copy the file again")


def mismatch(name: str, expected: str, found: str) -> SampleError:
    """What is wrong with a file of another digest."""
    return SampleError(
        "MEDIA_DIGEST_MISMATCH", f"{name or 'media'} has SHA-256 {found[:16]}..., {expected[:16]}... was announced",
        remedy="do not change files while a run is on; run it again",
    )
