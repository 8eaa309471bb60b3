"""Features on disk, so that no network sees a file twice: one small file an entry, named by the digest of its key.

Own code and no library: entries must be safe among processes and pods on one shared volume, network file systems included. SQLite
(diskcache) locks wrongly there and unpickles what it finds; memory-mapped stores (LMDB) need one machine. Here a writer renames a whole
file into its place, a reader checks its digest, and nothing is ever unpickled.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import logging
import os
import re
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.weights.cache import cache_root

log = logging.getLogger(__name__)

DIRECTORY = "GENLEVEL_FEATURE_CACHE_DIR"
BYTES = "GENLEVEL_FEATURE_CACHE_BYTES"
DEFAULT_BYTES = 4 << 30
KEEP_FREE_BYTES = 256 << 20
"""Room on the disk that is never used up."""
PAUSE_SECONDS = 300.0
"""How long nothing is written after the folder could not be."""
_FOLDERS = 256
_MAGIC = b"GLF1"
_ARRAY, _TEXT = b"A", b"T"
_PART = ".part-"
_ENTRY = re.compile("[0-9a-f]{64}")
_ABANDONED_SECONDS = 3600
_DAY = 86_400

Key = Sequence[str]


def configured_bytes() -> int:
    """The bound that the environment sets; 0 is none at all.

    Raises:
        ValueError: it is not a number.
    """
    text = os.environ.get(BYTES, "").strip()
    if text and not text.isdecimal():
        raise ValueError(f"{BYTES}={text}: not a number of bytes; write such as {DEFAULT_BYTES}, 0 for no cache on disk, or unset it")
    return int(text) if text else DEFAULT_BYTES


def configured_folder() -> Path:
    """The folder that the environment names, else `features` in the cache folder."""
    named = os.environ.get(DIRECTORY, "").strip()
    return Path(named).expanduser() if named else cache_root() / "features"


_open: dict[tuple[Path, int], FeatureStore] = {}
_open_lock = threading.Lock()


def configured() -> FeatureStore | None:
    """The store of the environment; None where it is turned off.

    Raises:
        EvaluatorError: FAILED_PRECONDITION, when the environment sets no number.
    """
    try:
        limit = configured_bytes()
    except ValueError as error:
        raise EvaluatorError(Code.FAILED_PRECONDITION, "BAD_SETTING", str(error), f"correct {BYTES}") from None
    place = (configured_folder(), limit)
    with _open_lock:
        return _open.setdefault(place, FeatureStore(*place)) if limit else None


@dataclass
class _Part:
    """What is known of one of the 256 folders: its bytes, and those written since they were counted."""

    size: int = -1
    written: int = 0


class FeatureStore:
    """Arrays and texts by key. What cannot be read or written is left out after one line in the log.

    Args:
        folder: where they lie; may be shared by processes and machines.
        limit: bytes in all; the least recently used go, to within a day.
    """

    def __init__(self, folder: Path, limit: int = DEFAULT_BYTES) -> None:
        self._folder = folder
        self._share = limit // _FOLDERS
        self._parts: dict[str, _Part] = {}
        self._lock = threading.Lock()
        self._said: set[str] = set()
        self._resume = 0.0

    def get(self, key: Key) -> Any:
        """What lies under `key`, or None."""
        name = _name(key)
        path = self._path(name)
        try:
            data = _read(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._say("read", f"features in {self._folder} cannot be read ({error.strerror or error}); they are computed again")
            return None
        try:
            value = _unpacked(name, data)
        except ValueError:
            self._say(str(path), f"{path} is damaged; the feature is computed again")
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):  # a volume that is read-only here
            if time.time() - path.stat().st_mtime > _DAY:
                os.utime(path)
        return value

    def put(self, key: Key, value: Any) -> None:
        """Keeps `value`, an array or a text; anything else and what is larger than a share of the room is left out."""
        if time.monotonic() < self._resume:
            return
        name = _name(key)
        data = _packed(name, value)
        if data is None or len(data) > self._share:
            return
        path = self._path(name)
        try:
            self._make_room(path.parent, len(data))
            _write(path, data)
        except OSError as error:
            self._resume = time.monotonic() + PAUSE_SECONDS
            self._say(
                "write", f"features cannot be kept in {self._folder} ({error.strerror or error}); they are computed again next time: "
                f"name a folder with room that user {os.getuid()} may write to in {DIRECTORY}"
            )

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name

    def _say(self, what: str, text: str) -> None:
        with self._lock:
            first = what not in self._said
            self._said.add(what)
        if first:
            log.warning("%s", text)

    def _make_room(self, folder: Path, needed: int) -> None:
        """Counts the bytes of a folder from time to time, since others write there too, and removes the oldest where they are too many."""
        with self._lock:
            part = self._parts.setdefault(folder.name, _Part())
            if part.size < 0 or part.written > self._share // 16 or part.size + needed > self._share:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                part.size, part.written = self._counted(folder, needed), 0
            part.size += needed
            part.written += needed

    def _counted(self, folder: Path, needed: int) -> int:
        """Bytes of a folder, once those that are too many are gone.

        Raises:
            OSError: the disk has no room.
        """
        if shutil.disk_usage(folder).free < KEEP_FREE_BYTES + needed:
            raise OSError(errno.ENOSPC, f"less than {KEEP_FREE_BYTES >> 20} MB are free")
        entries = sorted(_entries(folder))
        size = sum(entry[1] for entry in entries)
        if size + needed <= self._share:
            return size
        for _, bytes_, path in entries:  # down to nine tenths, so that not every entry makes room anew
            if size + needed <= self._share * 9 // 10:
                break
            Path(path).unlink(missing_ok=True)
            size -= bytes_
        return size


def _entries(folder: Path) -> Iterator[tuple[float, int, str]]:
    """Last use, size and path of each entry; what a killed writer left is removed. What is not ours is not looked at."""
    with os.scandir(folder) as found:
        for entry in found:
            with contextlib.suppress(FileNotFoundError):  # another process made room
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    continue
                if _ENTRY.fullmatch(entry.name):
                    yield status.st_mtime, status.st_size, entry.path
                elif entry.name.startswith(_PART) and time.time() - status.st_mtime > _ABANDONED_SECONDS:
                    os.unlink(entry.path)


def _read(path: Path) -> bytes:
    """The bytes of a file; without waiting for a writer where something put a pipe there."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        return file.read()


def _write(path: Path, data: bytes) -> None:
    """Puts a whole file in its place. Not synced: what a crash leaves half written does not pass the check of its digest."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=_PART)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _name(key: Key) -> str:
    return hashlib.sha256(json.dumps(list(key)).encode()).hexdigest()


def _digest(name: str, body: bytes) -> bytes:
    return hashlib.sha256(name.encode() + body).digest()


def _packed(name: str, value: Any) -> bytes | None:
    if isinstance(value, str):
        body = _TEXT + value.encode("utf-8", "surrogatepass")
    elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        body = _ARRAY + buffer.getvalue()
    else:
        return None
    return _MAGIC + _digest(name, body) + body


def _unpacked(name: str, data: bytes) -> Any:
    """The value of an entry.

    Raises:
        ValueError: it is not whole, or another one's.
    """
    start = len(_MAGIC) + 32
    body = data[start:]
    if not data.startswith(_MAGIC) or data[len(_MAGIC) : start] != _digest(name, body):
        raise ValueError("damaged")
    if body[:1] == _TEXT:
        return body[1:].decode("utf-8", "surrogatepass")
    return np.load(io.BytesIO(body[1:]), allow_pickle=False)
