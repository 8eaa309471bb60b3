"""A blocking client of the orchestrator, for ``--endpoint`` and for Python programs.

    with OrchestratorClient("127.0.0.1:9100") as client:
        run = client.create_run("my-model", "/data/bundle")
        for event in client.watch_run(run.name):
            print(event.kind, event.message)
        client.get_report(run.name, "html")

Calls that may be repeated are: a lost connection is tried again, and a watch continues after the last event it saw. ``patience`` is how
long, so that a run is followed through a restart of its orchestrator.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from genlevel.v1 import orchestrator_pb2 as pb
from genlevel.v1 import orchestrator_pb2_grpc
from genlevel_orchestrator.api.auth import TOKEN_FILE_VARIABLE, TOKEN_VARIABLE, read_token
from genlevel_orchestrator.api.endpoint import parse_endpoint, read_authority
from genlevel_orchestrator.api.packing import Package
from genlevel_orchestrator.diagnose import diagnose
from genlevel_orchestrator.errors import ExitCode, UserError

MAX_MESSAGE_BYTES = 64 << 20
CALL_SECONDS = 120.0
SHORT_PATIENCE = 3.0
LONG_PATIENCE = 300.0
"""For whoever follows a run: as long as a cluster may take to start the orchestrator again."""
_OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # Where packets are dropped, an attempt to connect and a silent watch must both end in bounded time.
    ("grpc.min_reconnect_backoff_ms", 5_000), ("grpc.initial_reconnect_backoff_ms", 500), ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 30_000), ("grpc.keepalive_timeout_ms", 10_000), ("grpc.http2.max_pings_without_data", 0),
]  # fmt: skip
_FORMATS = {"json": pb.REPORT_FORMAT_JSON, "xlsx": pb.REPORT_FORMAT_XLSX, "html": pb.REPORT_FORMAT_HTML, "samples": pb.REPORT_FORMAT_SAMPLES}
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
        waiting: Told why, when a server that is away is waited for.
    """

    def __init__(
        self, endpoint: str, token: str | None = None, authority: Path | None = None, waiting: Callable[[str], None] = lambda _: None
    ) -> None:
        self.endpoint, credentials = parse_endpoint(endpoint, authority)
        self.patience = SHORT_PATIENCE
        self._waiting = waiting
        self._authority = read_authority(authority)
        self._tls = credentials is not None
        if credentials is not None:
            self._channel = grpc.secure_channel(self.endpoint, credentials, options=_OPTIONS)
        else:
            self._channel = grpc.insecure_channel(self.endpoint, options=_OPTIONS)
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
        away = _Away(self)
        while True:
            request = pb.WatchRunRequest(name=name, resume_token=resume_token)
            try:
                for event in self._stub.WatchRun(request, metadata=self._metadata):
                    resume_token, away = event.resume_token, _Away(self)
                    yield event
                return
            except grpc.RpcError as error:
                away.wait(error)

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

    def resume_run(self, name: str) -> pb.Run:
        """Go on with a run that ended otherwise than well."""
        run: pb.Run = self._call(self._stub.ResumeRun, pb.ResumeRunRequest(name=name)).run
        return run

    def upload(self, path: Path, progress: Callable[[int, int], None] = lambda sent, size: None) -> str:
        """Send a zip, or a folder as one, unless the orchestrator has it already; returns the URI for ``create_run``.

        Args:
            path: Zip or folder on this machine.
            progress: Told bytes sent and bytes in all.
        """
        package = Package(path).measure()
        if package.left_out:
            names = ", ".join(package.left_out[:5])
            self._waiting(f"{path}: {len(package.left_out)} link(s) that lead out of it, or no files, are not sent: {names}")
        asked = pb.CheckUploadRequest(sha256=package.sha256, size_bytes=package.size)
        known: str = self._call(self._stub.CheckUpload, asked).bundle_uri
        if known:
            return known

        away = _Away(self)
        while True:
            parts = _Parts(package, progress)
            try:
                uri: str = self._stub.UploadBundle(iter(parts), metadata=self._metadata).bundle_uri
                return uri
            except grpc.RpcError as error:
                if parts.failed is not None:
                    raise parts.failed from None
                away.wait(error)

    def _call(self, method: Any, request: Any) -> Any:
        away = _Away(self)
        while True:
            try:
                return method(request, metadata=self._metadata, timeout=CALL_SECONDS)
            except grpc.RpcError as error:
                away.wait(error)  # every call of this contract may be repeated

    def explain(self, error: Any) -> tuple[UserError, bool]:
        """What a failed call means to a person, and whether the same call may succeed later."""
        code = error.code()
        status = rpc_status.from_call(error)
        remedy = ""
        for detail in status.details if status is not None else ():
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info):
                remedy = info.metadata.get("remedy", "")
        if status is None and code is grpc.StatusCode.UNAVAILABLE:
            found = diagnose(self.endpoint, self._tls, self._authority)
            words = f"no orchestrator answers at {self.endpoint}: {found.cause}"
            return UserError(words, found.remedy, ExitCode.UNREACHABLE), not found.final
        if code is grpc.StatusCode.UNAUTHENTICATED:
            words = "does not take the token" if self._metadata else "asks for a token, and none is set here"
            remedy = f"Set {TOKEN_FILE_VARIABLE} (or {TOKEN_VARIABLE}) to the token it was started with."
            return UserError(f"the orchestrator at {self.endpoint} {words}", remedy, details={"code": code.name}), False
        if status is None and code is grpc.StatusCode.UNIMPLEMENTED:
            words = f"what answers at {self.endpoint} is no orchestrator of this version ({error.details()})"
            remedy = "Check --endpoint: an evaluator or a web server may listen there, and a proxy in between must pass gRPC on."
            return UserError(words, remedy, ExitCode.UNREACHABLE, details={"code": code.name}), False
        message = status.message.removesuffix(f"; {remedy}") if status is not None else f"{code.name}: {error.details()}"
        user_error = UserError(message, remedy or None, _EXIT_CODES.get(code, ExitCode.BAD_INPUT), details={"code": code.name})
        return user_error, code is grpc.StatusCode.UNAVAILABLE


@dataclass
class _Parts:
    """The messages of an upload. gRPC hides why its source of messages failed, so that is kept here."""

    package: Package
    progress: Callable[[int, int], None]
    failed: Exception | None = None

    def __iter__(self) -> Iterator[pb.UploadBundleRequest]:
        package, sent = self.package, 0
        start = pb.UploadStart(file_name=package.name, size_bytes=package.size, sha256=package.sha256)
        try:
            yield pb.UploadBundleRequest(start=start)
            for chunk in package.chunks():
                yield pb.UploadBundleRequest(chunk=chunk)
                sent += len(chunk)
                self.progress(sent, package.size)
        except Exception as error:
            self.failed = error
            raise


class _Away:
    """Waits for a server that is away, no longer than its client is patient."""

    def __init__(self, client: OrchestratorClient) -> None:
        self._client = client
        self._begun: float | None = None
        self._attempt = 0
        self._said = ""

    def wait(self, error: Any) -> None:
        """Pause before another attempt, or raise what the failure means."""
        explained, worth_another = self._client.explain(error)
        now = time.monotonic()
        self._begun = self._begun or now
        waited = now - self._begun
        if not worth_another or waited > self._client.patience:
            raise explained from None
        self._attempt += 1
        if self._attempt > 1 and explained.message != self._said:
            self._said = explained.message
            self._client._waiting(f"{explained.message}; waiting, {self._client.patience - waited:.0f} s at most")
        time.sleep(min(2.0, 0.2 * 2**self._attempt) * random.uniform(0.5, 1.0))
