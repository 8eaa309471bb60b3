"""Large states beside the journal, through fsspec."""

from __future__ import annotations

import hashlib
from typing import Any

import fsspec


class StateStore:
    """A folder of states, named by their digest.

    Args:
        url: fsspec URL of the folder.
        inline: states up to so many bytes stay in the journal.
    """

    def __init__(self, url: str, inline: int) -> None:
        self._url = url
        self._inline = inline
        self._opened: tuple[Any, str] | None = None

    def _files(self) -> tuple[Any, str]:
        if self._opened is None:
            filesystem, root = fsspec.core.url_to_fs(self._url)
            self._opened = (filesystem, root)
        return self._opened

    def save(self, key: str, state: bytes | None) -> tuple[bytes | None, str | None]:
        """Store a state; returns what goes into the journal: the bytes themselves, or the name of their file."""
        if state is None or len(state) <= self._inline:
            return state, None
        filesystem, root = self._files()
        digest = hashlib.sha256(state).hexdigest()
        name = f"{key[:2]}/{key}.{digest[:16]}"
        path = f"{root}/{name}"
        if not filesystem.exists(path):
            filesystem.makedirs(f"{root}/{key[:2]}", exist_ok=True)
            # Written under another name first: a file of the right name is complete.
            filesystem.pipe_file(f"{path}.part", state)
            filesystem.mv(f"{path}.part", path)
        return None, name

    def has(self, name: str) -> bool:
        """Whether a state's file is there."""
        filesystem, root = self._files()
        return bool(filesystem.exists(f"{root}/{name}"))

    def load(self, name: str) -> bytes | None:
        """A stored state; None when the file is gone or damaged."""
        filesystem, root = self._files()
        try:
            state: bytes = filesystem.cat_file(f"{root}/{name}")
        except FileNotFoundError:
            return None
        return state if hashlib.sha256(state).hexdigest().startswith(name.rsplit(".", 1)[1]) else None

    def remove(self, name: str) -> None:
        """Remove a state's file; it may be gone already."""
        filesystem, root = self._files()
        if filesystem.exists(f"{root}/{name}"):
            filesystem.rm_file(f"{root}/{name}")
