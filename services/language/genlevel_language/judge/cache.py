"""Answers that were given before, by content: in memory, and on disk below the cache folder, so that a resumed run asks nothing twice."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genlevel_evaluator.weights import cache as files

log = logging.getLogger(__name__)

IN_MEMORY = 16_384
IN_FOLDER = 256
"""Answers in one of the 256 folders on disk; beyond, the oldest go. A reply has at most REPLY_CHARACTERS characters."""
REPLY_CHARACTERS = 4096
_FORMAT = 1


@dataclass(frozen=True)
class Answer:
    """A reply that gave a mark.

    Attributes:
        reply: as the judge wrote it.
        tokens_in: of all requests that led to it; None where the endpoint did not say, likewise ``tokens_out``.
    """

    reply: str
    tokens_in: int | None
    tokens_out: int | None


def total(counts: Iterable[int | None]) -> int | None:
    """Tokens of several requests; None where one of them did not say."""
    known = list(counts)
    return None if None in known else sum(count or 0 for count in known)


def key_of(model: str, prompt_sha256: str, messages: Sequence[dict[str, str]], repeat: int) -> str:
    """SHA-256 of all that decides an answer; not of the address, which may change."""
    document = [_FORMAT, model, prompt_sha256, list(messages), repeat]
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


class AnswerCache:
    """Answers by key. A folder that cannot be written is left alone after one warning.

    Args:
        folder: on disk.
        in_memory: answers kept in memory; the least recently used go.
        in_folder: answers kept in each folder on disk.
    """

    def __init__(self, folder: Path, in_memory: int = IN_MEMORY, in_folder: int = IN_FOLDER) -> None:
        self._folder = folder
        self._in_memory = in_memory
        self._in_folder = in_folder
        self._known: OrderedDict[str, Answer] = OrderedDict()
        self._lock = threading.Lock()
        self._writable = True

    def get(self, key: str) -> Answer | None:
        """A remembered answer."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = _read(self._path(key))
        if found is not None:
            self._remember(key, found)
        return found

    def put(self, key: str, answer: Answer) -> None:
        """Remember an answer."""
        self._remember(key, answer)
        if not self._writable or len(answer.reply) > REPLY_CHARACTERS:
            return
        path = self._path(key)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # replies speak of references
            path.parent.mkdir(exist_ok=True)
            self._make_room(path.parent)
            files.write(path, iter([json.dumps({"format": _FORMAT, **asdict(answer)}).encode()]))
        except OSError as error:
            with self._lock:
                first, self._writable = self._writable, False
            if first:
                log.warning("the judge's answers are kept in memory only: %s cannot be written (%s)", self._folder, error.strerror or error)

    def _remember(self, key: str, answer: Answer) -> None:
        with self._lock:
            self._known[key] = answer
            self._known.move_to_end(key)
            while len(self._known) > self._in_memory:
                self._known.popitem(last=False)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.json"

    def _make_room(self, folder: Path) -> None:
        """Removes the oldest quarter of a full folder."""
        with os.scandir(folder) as entries:
            present = [(entry.stat().st_mtime, entry.path) for entry in entries if entry.name.endswith(".json")]
        if len(present) >= self._in_folder:
            for _, path in sorted(present)[: max(1, self._in_folder // 4)]:
                Path(path).unlink(missing_ok=True)


def _read(path: Path) -> Answer | None:
    """An answer on disk; None where there is none, or what is there is no whole answer."""
    try:
        table: Any = json.loads(path.read_text(encoding="utf-8"))
        if table["format"] != _FORMAT or not isinstance(table["reply"], str):
            return None
        return Answer(table["reply"], _count(table["tokens_in"]), _count(table["tokens_out"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
