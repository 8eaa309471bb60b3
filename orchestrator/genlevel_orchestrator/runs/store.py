"""Large states beside the journal, through fsspec."""

from __future__ import annotations

import hashlib

from genlevel_orchestrator.runs.storage import Storage


class StateStore:
    """A folder of states, named by their digest.

    Args:
        url: fsspec URL of the folder.
        inline: states up to so many bytes stay in the journal.
    """

    def __init__(self, url: str, inline: int) -> None:
        self._storage = Storage(url, "state_store")
        self._inline = inline

    def save(self, key: str, state: bytes | None) -> tuple[bytes | None, str | None]:
        """Store a state; returns what goes into the journal: the bytes themselves, or the name of their file.

        Raises:
            StorageError: the storage cannot be used.
        """
        if state is None or len(state) <= self._inline:
            return state, None
        digest = hashlib.sha256(state).hexdigest()
        name = f"{key[:2]}/{key}.{digest[:16]}"
        if self._storage.size(name) != len(state):
            self._storage.write(name, state)
        return None, name

    def has(self, name: str) -> bool:
        """Whether a state's file is there."""
        return self._storage.size(name) is not None

    def load(self, name: str) -> bytes | None:
        """A stored state; None when the file is gone or damaged."""
        state = self._storage.read(name)
        if state is None:
            return None
        return state if hashlib.sha256(state).hexdigest().startswith(name.rsplit(".", 1)[1]) else None

    def remove(self, name: str) -> None:
        """Remove a state's file; it may be gone already."""
        self._storage.remove(name)
