"""Violations: collecting everything that is wrong in a bundle instead of stopping at the first fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from genlevel_orchestrator.runs.results import Violation

__all__ = ["Fault", "Violation", "Violations"]


class Fault(Exception):
    """Something that makes a whole file or value unusable.

    Args:
        code: stable upper-case word.
        message: what is wrong; the file is added by whoever catches it.
        remedy: what to do about it.
        pointer: where in the file, as a JSON pointer.
    """

    def __init__(self, code: str, message: str, remedy: str, pointer: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.pointer = pointer


class Violations:
    """A list of violations, with all counted and at most ``keep`` kept.

    Args:
        root: files are shown relative to it.
        keep: how many to keep; None keeps all.
    """

    def __init__(self, root: Path, keep: int | None = None) -> None:
        self.root = root
        self._keep = keep
        self._kept: list[Violation] = []
        self.counts: Counter[str] = Counter()
        self.errors = 0

    def add(
        self,
        file: Path | str,
        code: str,
        message: str,
        remedy: str,
        *,
        pointer: str = "",
        severity: str = "error",
        task_id: str = "",
        sample_id: str = "",
    ) -> None:
        """Note a violation."""
        self.counts[code] += 1
        self.errors += severity == "error"
        if self._keep is None or len(self._kept) < self._keep:
            shown = self.shown(file)
            self._kept.append(Violation(shown, pointer, code, message, remedy, severity, task_id, sample_id))

    def fault(self, file: Path | str, fault: Fault, *, task_id: str = "", sample_id: str = "", severity: str = "error") -> None:
        """Note a fault that was caught."""
        self.add(
            file, fault.code, fault.message, fault.remedy,
            pointer=fault.pointer, task_id=task_id, sample_id=sample_id, severity=severity,
        )  # fmt: skip

    def shown(self, file: Path | str) -> str:
        """The name a person knows a file by."""
        path = Path(file)
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(file)

    def __iter__(self) -> Iterator[Violation]:
        return iter(self._kept)

    def __len__(self) -> int:
        return sum(self.counts.values())


def pointer(*parts: str | int) -> str:
    """A JSON pointer.

    >>> pointer("data", 3, "a/b")
    '/data/3/a~1b'
    """
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
