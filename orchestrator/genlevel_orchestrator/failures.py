"""What a failed call means: which failures are retried, which split a shard, and which end the task."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

DETAILS_KEY = "grpc-status-details-bin"
DOMAIN = "genlevel"

# Texts of grpc's own client. Trying again cannot change them.
_OUR_SIDE = ("Exception deserializing response", "Exception serializing request", "Sent message larger than max")
_TOO_LARGE = "larger than max"
# What Serve's proxy says of an application that it does not have, or not yet: while an evaluator starts again, the proxy is there first.
_NO_APPLICATION = ("application", "not found")
# How a connection looks whose other end went away in the middle of a call.
_TORN = ("socket closed", "rst_stream", "connection reset", "stream removed", "goaway", "broken pipe", "eof")


class Kind(StrEnum):
    """What to do about a failed call."""

    DEAD = "dead"
    """The replica died in the call: retry; after the second time the shard itself is suspected."""
    UNAVAILABLE = "unavailable"
    """Nobody answers: retry."""
    BUSY = "busy"
    """Back-pressure: retry."""
    LARGE = "large"
    """Too large for one message or for the evaluator's memory: halve the shard."""
    LATE = "late"
    """The budget was used up: halve the shard."""
    REFUSED = "refused"
    """The evaluator says no, and will say so again."""
    OURS = "ours"
    """Raised by our own side of the connection, or not understood: do not retry."""

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed when repeated."""
        return self in (Kind.DEAD, Kind.UNAVAILABLE, Kind.BUSY)


class CallFailed(Exception):
    """A call to an evaluator that failed for good."""

    def __init__(self, evaluator: str, failure: Failure, attempts: int = 1) -> None:
        super().__init__(f"{evaluator}: {failure.message}")
        self.evaluator = evaluator
        self.failure = failure
        self.attempts = attempts


@dataclass(frozen=True)
class Failure:
    """One failed call.

    Attributes:
        reason: stable upper-case word; the evaluator's own where it gave one.
    """

    kind: Kind
    reason: str
    message: str
    remedy: str = ""


def classify(error: grpc.aio.AioRpcError) -> Failure:
    """What a failed call means. Only what carries our details was said by the evaluator itself."""
    details = error.details() or ""
    info = error_info(error.trailing_metadata())
    if info is not None:
        return _said(error.code(), info, details)
    return _unsaid(error.code(), details)


def _said(code: grpc.StatusCode, info: error_details_pb2.ErrorInfo, details: str) -> Failure:
    kinds = {
        grpc.StatusCode.UNAVAILABLE: Kind.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED: Kind.LATE,
        grpc.StatusCode.RESOURCE_EXHAUSTED: Kind.BUSY,
    }
    kind = kinds.get(code, Kind.REFUSED)
    if info.reason in ("MESSAGE_TOO_LARGE", "OUT_OF_MEMORY"):
        kind = Kind.LARGE
    remedy = info.metadata.get("remedy", "")
    # The text ends with the remedy, for callers that read nothing else.
    return Failure(kind, info.reason, details.removesuffix(f"; {remedy}"), remedy)


def _unsaid(code: grpc.StatusCode, details: str) -> Failure:
    text = details.lower()
    if any(word.lower() in text for word in _OUR_SIDE):
        return Failure(Kind.LARGE if _TOO_LARGE in text else Kind.OURS, "CLIENT_FAULT", details)
    if _TOO_LARGE in text:
        return Failure(Kind.LARGE, "MESSAGE_TOO_LARGE", details, "use smaller shards")
    if code is grpc.StatusCode.INTERNAL or (code is grpc.StatusCode.UNKNOWN and "http2 header with status: 500" in text):
        return Failure(Kind.DEAD, "EVALUATOR_DIED", f"the evaluator died in the call: {_first_line(details)}")
    if code is grpc.StatusCode.UNAVAILABLE:
        torn = any(word in text for word in _TORN)
        reason = "EVALUATOR_DIED" if torn else "EVALUATOR_ABSENT"
        return Failure(Kind.DEAD if torn else Kind.UNAVAILABLE, reason, f"the evaluator does not answer: {_first_line(details)}")
    if code is grpc.StatusCode.CANCELLED:
        # Our own cancelling raises asyncio's error and never comes here: the server gave the call up, as one that is being stopped does.
        return Failure(Kind.UNAVAILABLE, "EVALUATOR_ABSENT", "the evaluator stopped in the middle of the call")
    if code is grpc.StatusCode.NOT_FOUND and all(word in text for word in _NO_APPLICATION):
        message = f"the server is there, the evaluator is not: {_first_line(details)}"
        return Failure(Kind.UNAVAILABLE, "EVALUATOR_ABSENT", message, "wait until it has started, or correct its application name")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "backpressure" in text:
        return Failure(Kind.BUSY, "EVALUATOR_BUSY", details)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Failure(Kind.LATE, "EVALUATOR_LATE", "the evaluator did not answer in time", "raise dispatch.budget_seconds")
    return Failure(Kind.OURS, code.name, _first_line(details))


def error_info(trailer: Any) -> error_details_pb2.ErrorInfo | None:
    """The ErrorInfo of our domain in a trailer."""
    for key, value in trailer or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info) and info.domain == DOMAIN:
                    return info
    return None


def _first_line(details: str) -> str:
    """Serve's details are tracebacks; the last line that says something is the cause."""
    lines = [line.strip() for line in details.splitlines() if line.strip()]
    return (lines[-1] if len(lines) > 1 else details)[:300]


def pause(attempt: int, first: float) -> float:
    """Seconds to wait after a failed attempt (1, 2, ...): doubled each time, with jitter so that callers spread."""
    return first * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)
