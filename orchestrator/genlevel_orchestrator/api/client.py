"""A blocking client of the orchestrator, for ``--endpoint`` and for Python programs.

    with OrchestratorClient("127.0.0.1:9100") as client:
        run = client.create_run("my-model", "/data/bundle")
        for event in client.watch_run(run.name):
            print(event.kind, event.message)
        client.get_report(run.name, "html")

Calls that may be repeated are: a lost connection is tried again, and a watch continues after the last event it saw.
"""

from __future__ import annotations

import os
import random
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from genlevel.v1 import orchestrator_pb2 as pb
from genlevel.v1 import orchestrator_pb2_grpc
from genlevel_orchestrator.api.auth import read_token
from genlevel_orchestrator.errors import ExitCode, UserError

MAX_MESSAGE_BYTES = 64 << 20
ATTEMPTS = 4
CALL_SECONDS = 120.0
AUTHORITY_VARIABLE = "GENLEVEL_TLS_AUTHORITY"
_FORMATS = {"json": pb.REPORT_FORMAT_JSON, "xlsx": pb.REPORT_FORMAT_XLSX, "html": pb.REPORT_FORMAT_HTML}
_EXIT_CODES = {
    grpc.StatusCode.UNAVAILABLE: ExitCode.UNREACHABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: ExitCode.UNREACHABLE,
    grpc.StatusCode.FAILED_PRECONDITION: ExitCode.BAD_INPUT,
    grpc.StatusCode.INTERNAL: ExitCode.UNEXPECTED,
    grpc.StatusCode.UNKNOWN: ExitCode.UNEXPECTED,
}


class OrchestratorClient:
    """Calls an orchestrator; failures are ``UserError`` with the server's words and remedy.

    Args:
        endpoint: ``host:port``, with ``grpcs://`` before it for TLS (``grpc://`` is allowed for none).
        token: Bearer token; by default that of GENLEVEL_TOKEN or GENLEVEL_TOKEN_FILE.
        authority: PEM file of the authority that signed the server's certificate; by default GENLEVEL_TLS_AUTHORITY, else the system's.
    """

    def __init__(self, endpoint: str, token: str | None = None, authority: Path | None = None) -> None:
        self.endpoint, credentials = parse_endpoint(endpoint, authority)
        options = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.max_send_message_length", MAX_MESSAGE_BYTES)]
        if credentials is not None:
            self._channel = grpc.secure_channel(self.endpoint, credentials, options=options)
        else:
            self._channel = grpc.insecure_channel(self.endpoint, options=options)
        self._stub: Any = orchestrator_pb2_grpc.OrchestratorServiceStub(self._channel)
        found = token if token is not None else read_token()
        self._metadata = (("authorization", f"Bearer {found}"),) if found else ()

    def __enter__(self) -> OrchestratorClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def create_run(
        self, model: str, bundle_uri: str, references_uri: str = "", tasks: Sequence[str] = (), request_id: str | None = None
    ) -> pb.Run:
        """Start a run. The request id is made once, so a repeated call makes no second run."""
        request = pb.CreateRunRequest(
            request_id=request_id or str(uuid.uuid4()), model=model, bundle_uri=bundle_uri, references_uri=references_uri, tasks=tasks
        )
        run: pb.Run = self._call(self._stub.CreateRun, request).run
        return run

    def validate(self, model: str, bundle_uri: str, references_uri: str = "", tasks: Sequence[str] = ()) -> pb.CreateRunResponse:
        """Check a bundle and plan a run without making it."""
        request = pb.CreateRunRequest(
            model=model, bundle_uri=bundle_uri, references_uri=references_uri, tasks=tasks, validate_only=True
        )
        response: pb.CreateRunResponse = self._call(self._stub.CreateRun, request)
        return response

    def get_run(self, name: str) -> pb.Run:
        """Return a run."""
        run: pb.Run = self._call(self._stub.GetRun, pb.GetRunRequest(name=name)).run
        return run

    def list_runs(self, page_size: int = 0) -> Iterator[pb.Run]:
        """Yield all runs, newest first."""
        request = pb.ListRunsRequest(page_size=page_size)
        while True:
            page = self._call(self._stub.ListRuns, request)
            yield from page.runs
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def list_task_results(self, name: str, page_size: int = 0) -> Iterator[pb.TaskResult]:
        """Yield the results of a run, in catalogue order."""
        request = pb.ListTaskResultsRequest(name=name, page_size=page_size)
        while True:
            page = self._call(self._stub.ListTaskResults, request)
            yield from page.results
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def watch_run(self, name: str, resume_token: str = "") -> Iterator[pb.WatchRunResponse]:
        """Yield events until the run has ended; a lost connection is taken up where it broke."""
        failures = 0
        while True:
            request = pb.WatchRunRequest(name=name, resume_token=resume_token)
            try:
                for event in self._stub.WatchRun(request, metadata=self._metadata):
                    resume_token, failures = event.resume_token, 0
                    yield event
                return
            except grpc.RpcError as error:
                failures += 1
                if error.code() is not grpc.StatusCode.UNAVAILABLE or failures >= ATTEMPTS:
                    raise self._explained(error) from None
                _pause(failures)

    def cancel_run(self, name: str) -> pb.Run:
        """Ask a run to stop."""
        run: pb.Run = self._call(self._stub.CancelRun, pb.CancelRunRequest(name=name)).run
        return run

    def get_report(self, name: str, report_format: str = "json") -> pb.GetReportResponse:
        """Return the report of a run that has ended."""
        if report_format not in _FORMATS:
            raise UserError(f"unknown report format {report_format!r}", f"Write one of {', '.join(_FORMATS)}.")
        request = pb.GetReportRequest(name=name, format=_FORMATS[report_format])
        report: pb.GetReportResponse = self._call(self._stub.GetReport, request)
        return report

    def _call(self, method: Any, request: Any) -> Any:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return method(request, metadata=self._metadata, timeout=CALL_SECONDS)
            except grpc.RpcError as error:
                # Every call of this contract may be repeated; only a server that is not there is worth it.
                if error.code() is not grpc.StatusCode.UNAVAILABLE or attempt == ATTEMPTS:
                    raise self._explained(error) from None
                _pause(attempt)
        raise AssertionError("unreachable")

    def _explained(self, error: Any) -> UserError:
        code = error.code()
        status = rpc_status.from_call(error)
        remedy = ""
        for detail in status.details if status is not None else ():
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info):
                remedy = info.metadata.get("remedy", "")
        if status is None and code is grpc.StatusCode.UNAVAILABLE:
            return UserError(
                f"no orchestrator answers at {self.endpoint}", "Start one with `genlevel serve`, or check --endpoint.", ExitCode.UNREACHABLE
            )
        message = status.message.removesuffix(f"; {remedy}") if status is not None else f"{code.name}: {error.details()}"
        return UserError(message, remedy or None, _EXIT_CODES.get(code, ExitCode.BAD_INPUT), details={"code": code.name})


def parse_endpoint(endpoint: str, authority: Path | None = None) -> tuple[str, Any]:
    """Return the address of an endpoint, and its TLS credentials or None.

    >>> parse_endpoint("grpc://127.0.0.1:9100")
    ('127.0.0.1:9100', None)

    Raises:
        UserError: It is none.
    """
    scheme, _, address = endpoint.rpartition("://")
    if scheme not in ("", "grpc", "grpcs") or ":" not in address:
        raise UserError(f"{endpoint!r} is no endpoint", "Write host:port, or grpcs://host:port for TLS.")
    return address, grpc.ssl_channel_credentials(_authority(authority)) if scheme == "grpcs" else None


def _authority(path: Path | None) -> bytes | None:
    named = os.environ.get(AUTHORITY_VARIABLE)
    chosen = path or (Path(named) if named else None)
    try:
        return chosen.read_bytes() if chosen else None
    except OSError as error:
        raise UserError(f"the authority {chosen} cannot be read ({error})", f"Check {AUTHORITY_VARIABLE}.") from None


def _pause(attempt: int) -> None:
    time.sleep(min(2.0, 0.2 * 2**attempt) * random.uniform(0.5, 1.0))
