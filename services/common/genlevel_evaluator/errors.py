"""The two ways a score can fail: a bad sample is data, a bad call is a status."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Code(Enum):
    """Status codes of the contract, named as gRPC names them."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    CANCELLED = "CANCELLED"
    INTERNAL = "INTERNAL"


class EvaluatorError(Exception):
    """A call that cannot be served.

    `reason` is a stable upper-case word for programs, `message` and `remedy` are for a person.
    """

    def __init__(self, code: Code, reason: str, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.remedy = remedy


class SampleError(Exception):
    """A sample that cannot be scored as given. Raise it from decoders and from `observe`.

    Args:
        code: stable upper-case word such as MEDIA_TRUNCATED.
        message: what is wrong. Never quotes a reference.
        remedy: what to do about it.
        side: `prediction` or `reference`, or `infrastructure` where neither is at fault; decoders may leave it out, the engine knows which
            side it decodes.
        pointer: where in a JSON value, as a JSON pointer.
    """

    def __init__(
        self, code: str, message: str, *, remedy: str = "", side: str | None = None, pointer: str = ""
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.side = side
        self.pointer = pointer


@dataclass(frozen=True)
class Issue:
    """A sample that was not scored as given. Mirrors the message of that name in the contract."""

    sample_id: str
    code: str
    severity: str  # warning, prediction, reference or infrastructure
    message: str
    remedy: str = ""
    file: str = ""
    pointer: str = ""
