"""Errors of the API: a status code with google.rpc details, at most 4 KB of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2

DOMAIN = "genlevel"
_TEXT_LIMIT = 800
_VIOLATIONS_SHOWN = 8
_VIOLATION_LIMIT = 200


class ApiError(Exception):
    """A call that cannot be served.

    Args:
        code: Status code.
        reason: Stable upper-case word.
        message: What is wrong.
        remedy: What to do about it.
        fields: Field or file and what is wrong with it, for BadRequest.
    """

    def __init__(
        self, code: grpc.StatusCode, reason: str, message: str, remedy: str = "", fields: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.remedy = remedy
        self.fields = tuple(fields)


def invalid(field: str, problem: str, remedy: str = "") -> ApiError:
    """Return the error of a bad request field."""
    return ApiError(grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST", f"{field}: {problem}", remedy, [(field, problem)])


def rich_status(error: ApiError) -> status_pb2.Status:
    """Return the google.rpc.Status of an error."""
    metadata = {"remedy": error.remedy[:_TEXT_LIMIT]}
    if len(error.fields) > _VIOLATIONS_SHOWN:
        metadata["violations"] = str(len(error.fields))
    details = [_packed(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata))]
    if error.fields:
        violations = [
            error_details_pb2.BadRequest.FieldViolation(field=field[:_VIOLATION_LIMIT], description=problem[:_VIOLATION_LIMIT])
            for field, problem in error.fields[:_VIOLATIONS_SHOWN]
        ]
        details.append(_packed(error_details_pb2.BadRequest(field_violations=violations)))
    code = code_pb2.Code.Value(error.code.name)
    # One text in both places: grpc_status refuses a call whose details are not the status's message.
    words = f"{error.message[:_TEXT_LIMIT]}; {error.remedy[:_TEXT_LIMIT]}" if error.remedy else error.message[:_TEXT_LIMIT]
    return status_pb2.Status(code=code, message=words, details=details)


def _packed(message: Any) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


async def abort(context: Any, error: ApiError) -> NoReturn:
    """End a call with an error."""
    status = rich_status(error)
    trailer = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(error.code, status.message, trailing_metadata=trailer)
    raise AssertionError("abort returned")
