"""What each failure means; the table of the serving notes, line by line."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from genlevel_orchestrator.failures import Kind, classify, pause

C = grpc.StatusCode


def _error(code: grpc.StatusCode, details: str, reason: str = "", domain: str = "genlevel") -> Any:
    trailer = grpc.aio.Metadata()
    if reason:
        detail = any_pb2.Any()
        detail.Pack(error_details_pb2.ErrorInfo(reason=reason, domain=domain, metadata={"remedy": "mend it"}))
        trailer.add("grpc-status-details-bin", status_pb2.Status(details=[detail]).SerializeToString())
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailer, details)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (_error(C.INTERNAL, "The actor died unexpectedly before finishing this task."), Kind.DEAD),
        (_error(C.INTERNAL, "The actor is unavailable. The task may or may not have been executed"), Kind.DEAD),
        (_error(C.INTERNAL, "", "SOMETHING", domain="other"), Kind.DEAD),
        (_error(C.UNKNOWN, "Received http2 header with status: 500"), Kind.DEAD),
        (_error(C.UNAVAILABLE, "Stream removed (Socket closed)"), Kind.DEAD),
        (_error(C.UNAVAILABLE, "RST_STREAM error code 7"), Kind.DEAD),
        (_error(C.UNAVAILABLE, "failed to connect to all addresses"), Kind.UNAVAILABLE),
        (_error(C.UNAVAILABLE, "Cancelling all calls"), Kind.UNAVAILABLE),
        (_error(C.CANCELLED, "CANCELLED"), Kind.UNAVAILABLE),
        (_error(C.CANCELLED, "the caller went away", "CANCELLED"), Kind.REFUSED),
        (_error(C.UNAVAILABLE, "starting", "NOT_READY"), Kind.UNAVAILABLE),
        (_error(C.RESOURCE_EXHAUSTED, "Request dropped due to backpressure (num_queued_requests=2)"), Kind.BUSY),
        (_error(C.RESOURCE_EXHAUSTED, "queue", "QUEUE_FULL"), Kind.BUSY),
        (_error(C.RESOURCE_EXHAUSTED, "Stream removed (CLIENT: Received message larger than max (5 vs. 4))"), Kind.LARGE),
        (_error(C.RESOURCE_EXHAUSTED, "CLIENT: Sent message larger than max (5 vs. 4)"), Kind.LARGE),
        (_error(C.RESOURCE_EXHAUSTED, "the reply would have 99 bytes", "MESSAGE_TOO_LARGE"), Kind.LARGE),
        (_error(C.RESOURCE_EXHAUSTED, "out of memory", "OUT_OF_MEMORY"), Kind.LARGE),
        (_error(C.RESOURCE_EXHAUSTED, "some quota"), Kind.OURS),
        (_error(C.INTERNAL, "NaN", "NAN"), Kind.REFUSED),
        (_error(C.INTERNAL, "Exception deserializing response!"), Kind.OURS),
        (_error(C.INTERNAL, "Exception serializing request!"), Kind.OURS),
        (_error(C.DEADLINE_EXCEEDED, "Deadline Exceeded"), Kind.LATE),
        (_error(C.DEADLINE_EXCEEDED, "budget", "BUDGET_USED_UP"), Kind.LATE),
        (_error(C.INVALID_ARGUMENT, "no", "BAD_PARAMETER"), Kind.REFUSED),
        (_error(C.NOT_FOUND, "Application 'audio' not found. Ping /ray.serve.RayServeAPIService/ListApplications for available applications."), Kind.UNAVAILABLE),
        (_error(C.NOT_FOUND, "Application metadata not set. Please ping /ray.serve.RayServeAPIService/ListApplications"), Kind.OURS),
        (_error(C.NOT_FOUND, "no metric 'x'", "UNKNOWN_METRIC"), Kind.REFUSED),
        (_error(C.UNKNOWN, "DecodeError: Wire format was corrupt"), Kind.OURS),
        (_error(C.UNIMPLEMENTED, "Method not found!"), Kind.OURS),
        (_error(C.UNAUTHENTICATED, "no token", "NO_TOKEN"), Kind.REFUSED),
    ],
)
def test_kinds(error: Any, kind: Kind) -> None:
    assert classify(error).kind is kind


def test_only_three_kinds_are_tried_again() -> None:
    assert {kind for kind in Kind if kind.retryable} == {Kind.DEAD, Kind.UNAVAILABLE, Kind.BUSY}


def test_what_the_evaluator_said_is_kept() -> None:
    failure = classify(_error(C.FAILED_PRECONDITION, "weights of i3d are missing", "WEIGHTS_MISSING"))
    assert (failure.reason, failure.remedy) == ("WEIGHTS_MISSING", "mend it")
    assert "weights of i3d" in failure.message


def test_a_traceback_is_cut_to_its_cause() -> None:
    failure = classify(_error(C.INTERNAL, "Traceback (most recent call last):\n  File x\nActorDiedError: killed"))
    assert failure.message.endswith("ActorDiedError: killed")
    assert "Traceback" not in failure.message


def test_pauses_double_and_differ() -> None:
    for attempt in (1, 2, 3):
        pauses = {pause(attempt, 1.0) for _ in range(50)}
        assert len(pauses) > 10
        assert all(2.0 ** (attempt - 1) / 2 <= value <= 2.0 ** (attempt - 1) for value in pauses)
