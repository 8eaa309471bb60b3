"""Errors a person can act on, and the exit codes of the command line."""

from __future__ import annotations

import enum
from typing import Any


class ExitCode(enum.IntEnum):
    """Exit codes of ``genlevel``; docs/exit-codes.md explains each."""

    OK = 0
    UNEXPECTED = 1
    BAD_INPUT = 2
    VIOLATIONS = 3
    TASKS_FAILED = 4
    UNREACHABLE = 5
    PREREQUISITE_MISSING = 6
    INTERRUPTED = 130


class UserError(Exception):
    """An error that is the caller's to mend; it is printed without a traceback.

    Args:
        message: What is wrong, with the file, row or sample it concerns.
        remedy: What to do about it, in the imperative.
        exit_code: The exit code of the command that meets it.
        details: Machine-readable facts for ``--json`` (violations, suggestions ...).
    """

    def __init__(
        self,
        message: str,
        remedy: str | None = None,
        exit_code: ExitCode | int = ExitCode.BAD_INPUT,
        details: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.exit_code = ExitCode(exit_code)
        self.details = details

    def to_dict(self) -> dict[str, Any]:
        """Return the body of ``{"error": ...}``."""
        body: dict[str, Any] = {
            "message": self.message,
            "remedy": self.remedy,
            "code": self.exit_code.name,
            "exit_code": int(self.exit_code),
        }
        if self.details is not None:
            body["details"] = self.details
        return body
