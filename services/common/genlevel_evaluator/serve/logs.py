"""Brings what matters of Serve's log files to the standard error of the container."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

LEVELS = ("WARNING", "ERROR", "CRITICAL")
QUIET = ("DEBUG", "INFO")
MOST_LINES = 200
"""Lines of one file that are brought at a time."""


class ServeLogs:
    """The log files of one Serve.

    Args:
        folder: of Ray's session.
        emit: takes a line.
    """

    def __init__(self, folder: str, emit: Callable[[str], object]) -> None:
        self._folder = Path(folder) / "session_latest" / "logs" / "serve"
        self._emit = emit
        self._read: dict[Path, tuple[int, int]] = {}

    def forward(self) -> None:
        """Passes on the new lines of warnings and errors, with the traces behind them."""
        for path in sorted(self._folder.glob("*.log")):
            lines = chosen(self._new(path))
            for line in lines[:MOST_LINES]:
                self._emit(line)
            if len(lines) > MOST_LINES:
                self._emit(f"{len(lines) - MOST_LINES} more lines in {path.name}")

    def _new(self, path: Path) -> list[str]:
        """Whole lines since the last time. A file that was rotated begins again."""
        number, offset = self._read.get(path, (0, 0))
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            offset = offset if (found.st_ino, found.st_size >= offset) == (number, True) else 0
            file.seek(offset)
            text, newline, _ = file.read().rpartition(b"\n")
        self._read[path] = (found.st_ino, offset + len(text) + len(newline))
        return text.decode("utf-8", "replace").splitlines()


def chosen(lines: list[str]) -> list[str]:
    """Lines of warnings and errors, and those that go on with them.

    >>> chosen(["INFO a", "ERROR b", "Traceback", "INFO c", "goes on with c"])
    ['ERROR b', 'Traceback']
    """
    result = []
    taken = False
    for line in lines:
        level = line.split(" ", 1)[0]
        if level in LEVELS or level in QUIET:
            taken = level in LEVELS
        if taken and line.strip():
            result.append(line)
    return result
