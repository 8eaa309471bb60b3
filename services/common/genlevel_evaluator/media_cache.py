"""Files of other storage on this machine's disk: named by SHA-256, bounded in bytes, the least recently used leaves first."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from genlevel_evaluator.errors import Code, EvaluatorError

log = logging.getLogger(__name__)

VARIABLE = "GENLEVEL_MEDIA_CACHE_BYTES"
DEFAULT_BYTES = 4 << 30
_PREFIX = "genlevel-media-"
_LOCK = "lock"
_TURN_SECONDS = 0.5

Key = tuple[str, int]
"""Digest and size: a file that was announced with a wrong size is another one."""


@dataclass
class _Entry:
    users: int = 0
    ready: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


def configured_bytes() -> int | None:
    """The bound that the environment sets.

    Raises:
        ValueError: it is not a positive number.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    if not text.isdecimal() or int(text) == 0:
        raise ValueError(f"{VARIABLE}={text}: not a number of bytes; write such as {DEFAULT_BYTES}, or unset it")
    return int(text)


class MediaCache:
    """Files of a process. The folder is made with the first one, is private, and goes with the process.

    Args:
        limit: bytes in all; by default what the environment says, else 4 GiB, and never more than half of what is free.
        parent: folder it is made in; the one for temporary files by default.
    """

    def __init__(self, limit: int | None = None, parent: Path | None = None) -> None:
        self._wanted = limit
        self._parent = parent
        self._folder: Path | None = None
        self._limit = 0
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._changed = threading.Condition()

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        with self._changed:
            if self._folder is None:
                self._open()
            assert self._folder is not None
            return self._folder

    def _open(self) -> None:
        parent = self._parent or Path(tempfile.gettempdir())
        _sweep(parent)
        folder, lock = _new_folder(parent)
        weakref.finalize(self, _close, folder, lock)
        wanted = self._wanted or configured_bytes() or DEFAULT_BYTES
        self._limit = min(wanted, shutil.disk_usage(folder).free // 2)
        if self._limit < wanted:
            log.warning("media cache in %s: %d bytes instead of %d, since the disk has no more", parent, self._limit, wanted)
        self._folder = folder

    @contextmanager
    def hold(self, keys: Collection[Key], check: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Room for files for as long as they are in use. All of a shard are asked for at once, so two shards never wait for each other.

        Raises:
            EvaluatorError: RESOURCE_EXHAUSTED when they are more than the cache holds; what `check` raises while it waits.
        """
        wanted = set(keys)
        if not wanted:
            yield
            return
        folder = self.folder
        needed = sum(size for _, size in wanted)
        if needed > self._limit:
            # The reason of a message too large: the caller shall send smaller shards, and ours does.
            raise EvaluatorError(
                Code.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE", f"the shard's media have {needed} bytes, the media cache holds {self._limit}",
                f"send smaller shards, or raise {VARIABLE} and the room in {folder.parent}",
            )
        self._reserve(wanted, check)
        try:
            yield
        finally:
            self._release(wanted)

    def _reserve(self, wanted: set[Key], check: Callable[[], None]) -> None:
        with self._changed:
            while not self._fits(wanted):
                self._changed.wait(_TURN_SECONDS)
                check()
            for key in wanted:
                self._entries.setdefault(key, _Entry()).users += 1
                self._entries.move_to_end(key)

    def _fits(self, wanted: set[Key]) -> bool:
        """Whether there is room, once files that nobody uses are gone."""
        total = sum(size for _, size in wanted | self._entries.keys())
        idle = [key for key, entry in self._entries.items() if not entry.users and key not in wanted]
        if total - sum(size for _, size in idle) > self._limit:
            return False
        for key in idle:
            if total <= self._limit:
                break
            self._drop(key)
            total -= key[1]
        return True

    def _drop(self, key: Key) -> None:
        assert self._folder is not None
        (self._folder / key[0]).unlink(missing_ok=True)
        del self._entries[key]

    def _release(self, keys: set[Key]) -> None:
        with self._changed:
            for key in keys:
                entry = self._entries[key]
                entry.users -= 1
                if not entry.users and not entry.ready:
                    del self._entries[key]
            self._changed.notify_all()

    def file(self, key: Key, fetch: Callable[[Path], None]) -> Path:
        """A file that is held; `fetch` writes it where it is not there yet, once however many ask."""
        path = self.folder / key[0]
        with self._changed:
            entry = self._entries[key]
        with entry.lock:
            if not entry.ready:
                part = path.with_name(f"{path.name}.{key[1]}.part")
                try:
                    fetch(part)
                    part.replace(path)
                finally:
                    part.unlink(missing_ok=True)
                entry.ready = True
        return path


def _new_folder(parent: Path) -> tuple[Path, int]:
    """A folder and its lock, held while the process lives, however it ends: an unlocked folder may be removed by the next one."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        lock = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / _LOCK).exists():
            return folder, lock
        os.close(lock)  # a process that starts too removed it before it was locked


def _close(folder: Path, lock: int) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        os.close(lock)


def _sweep(parent: Path) -> None:
    """Removes what killed processes left."""
    for folder in parent.glob(f"{_PREFIX}*"):
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR)
        except OSError:  # another user's, or one that is being made
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)
