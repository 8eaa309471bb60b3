"""What goes wrong with a cluster, told with cause and remedy."""

from __future__ import annotations


class Problem(Exception):
    """Something the operator can mend; printed without a traceback.

    Args:
        cause: What is wrong, with the object it concerns.
        remedy: What to do about it.
    """

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy

    def text(self) -> str:
        """Cause and remedy as they are printed."""
        return f"error: {self.cause}\n  remedy: {self.remedy}"
