"""The calls of OrchestratorService over a ``RunBackend``."""

from __future__ import annotations

import asyncio
import base64
import binascii
import functools
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import grpc

from genlevel.v1 import orchestrator_pb2 as pb
from genlevel.v1 import orchestrator_pb2_grpc
from genlevel_orchestrator.api import encode
from genlevel_orchestrator.api.backend import RunBackend, RunSpec, UnknownRun, UnknownToken
from genlevel_orchestrator.api.errors import ApiError, abort, invalid
from genlevel_orchestrator.api.roots import local_path
from genlevel_orchestrator.api.uploads import SCHEME, UploadStore
from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.report import render
from genlevel_orchestrator.runs.database import DatabaseAway
from genlevel_orchestrator.runs.results import RunResult

log = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 64 << 20
VIOLATIONS_SENT = 1000
FORMATS = {
    pb.REPORT_FORMAT_UNSPECIFIED: "json",
    pb.REPORT_FORMAT_JSON: "json",
    pb.REPORT_FORMAT_XLSX: "xlsx",
    pb.REPORT_FORMAT_HTML: "html",
    pb.REPORT_FORMAT_SAMPLES: "samples",
}
_MODEL_LIMIT = 200


def _answers(method: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[Any, Any, Any], Awaitable[Any]]:
    """Make failures of a call leave as a status with details."""

    @functools.wraps(method)
    async def call(self: OrchestratorService, request: Any, context: Any) -> Any:
        try:
            return await method(self, request)
        except Exception as error:
            await _fail(context, error)

    return call


class OrchestratorService(orchestrator_pb2_grpc.OrchestratorServiceServicer):
    """Answers calls; every failure leaves as a code with details, never as a traceback.

    Args:
        backend: The runs.
        catalogue: For reports.
        roots: Folders bundles may lie in.
        uploads: What clients sent; none are taken without it.
    """

    def __init__(
        self, backend: RunBackend, catalogue: Catalogue, roots: Sequence[Path], uploads: UploadStore | None = None
    ) -> None:
        self._backend = backend
        self._catalogue = catalogue
        self._roots = tuple(roots)
        self._uploaded = uploads

    @_answers
    async def CreateRun(self, request: Any) -> Any:  # noqa: N802
        """Start a run, or check its bundle."""
        spec = self._spec(request)
        if request.validate_only:
            run, violations = await self._backend.validate(spec)
            issues = [encode.encode_violation(violation) for violation in violations[:VIOLATIONS_SENT]]
            return pb.CreateRunResponse(run=encode.encode_run(run), violations=issues)
        run = await self._backend.create(spec, _request_id(request.request_id))
        return pb.CreateRunResponse(run=encode.encode_run(run))

    @_answers
    async def GetRun(self, request: Any) -> Any:  # noqa: N802
        """Return a run."""
        return pb.GetRunResponse(run=encode.encode_run(await self._run(request.name)))

    @_answers
    async def ListRuns(self, request: Any) -> Any:  # noqa: N802
        """Return a page of runs."""
        size = _page_size(request.page_size, 50, 500)
        runs = await self._backend.list(size + 1, _from_token(request.page_token))
        more = len(runs) > size
        token = _to_token(runs[size - 1].name) if more else ""
        return pb.ListRunsResponse(runs=[encode.encode_run(run) for run in runs[:size]], next_page_token=token)

    async def WatchRun(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Yield events until the run has ended."""
        try:
            await self._run(request.name)
            async for event in self._backend.watch(request.name, request.resume_token):
                yield encode.encode_event(event)
        except Exception as error:
            await _fail(context, error)

    @_answers
    async def CancelRun(self, request: Any) -> Any:  # noqa: N802
        """Ask a run to stop."""
        run = await self._run(request.name)
        if run.state.ended:
            raise ApiError(
                grpc.StatusCode.FAILED_PRECONDITION, "RUN_HAS_ENDED", f"run {run.name} has ended: {run.state}", "there is nothing to cancel"
            )
        return pb.CancelRunResponse(run=encode.encode_run(await self._backend.cancel(run.name)))

    @_answers
    async def ResumeRun(self, request: Any) -> Any:  # noqa: N802
        """Go on with a run."""
        run = await self._run(request.name)
        return pb.ResumeRunResponse(run=encode.encode_run(await self._backend.resume(run.name)))

    @_answers
    async def CheckUpload(self, request: Any) -> Any:  # noqa: N802
        """Say whether a file is here."""
        uploads = self._uploads()
        uri = await asyncio.to_thread(uploads.known, request.sha256, request.size_bytes)
        return pb.CheckUploadResponse(bundle_uri=uri, max_bytes=uploads.limits.max_bytes)

    @_answers
    async def UploadBundle(self, requests: Any) -> Any:  # noqa: N802
        """Keep a file."""
        return pb.UploadBundleResponse(bundle_uri=await self._uploads().receive(aiter(requests)))

    @_answers
    async def ListTaskResults(self, request: Any) -> Any:  # noqa: N802
        """Return a page of task results."""
        size = _page_size(request.page_size, 100, 1000)
        tasks = await self._backend.outcomes((await self._run(request.name)).name)
        after = _from_token(request.page_token)
        names = [task.task_id for task in tasks]
        if after is not None and after not in names:
            raise invalid("page_token", "is not from this run", "begin without one")
        start = 0 if after is None else names.index(after) + 1
        page = tasks[start : start + size]
        token = _to_token(page[-1].task_id) if start + size < len(tasks) else ""
        return pb.ListTaskResultsResponse(results=[encode.encode_outcome(task) for task in page], next_page_token=token)

    @_answers
    async def GetReport(self, request: Any) -> Any:  # noqa: N802
        """Return the report in one format."""
        if request.format not in FORMATS:
            raise invalid("format", f"{request.format} is no format of a report")
        result = await self._result(request.name)
        wanted = FORMATS[request.format]
        details = await self._backend.details(result.name) if wanted == "samples" else None
        rendered = await asyncio.to_thread(render, result, self._catalogue, wanted, details)
        return pb.GetReportResponse(**rendered._asdict())

    def _spec(self, request: Any) -> RunSpec:
        model = request.model.strip()
        if not model or len(model) > _MODEL_LIMIT:
            raise invalid("model", f"is empty or longer than {_MODEL_LIMIT} characters", "name the model under test")
        references = request.references_uri
        return RunSpec(
            model=model,
            bundle=self._path(request.bundle_uri, "bundle_uri"),
            references=self._path(references, "references_uri") if references else None,
            tasks=tuple(request.tasks),
        )

    def _path(self, uri: str, field: str) -> Path:
        return self._uploads().path(uri, field) if uri.startswith(SCHEME) else local_path(uri, self._roots, field)

    def _uploads(self) -> UploadStore:
        if self._uploaded is None:
            words = "this orchestrator takes no uploads"
            raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, "NO_UPLOADS", words, "copy the bundle below one of its roots")
        return self._uploaded

    async def _run(self, name: str) -> Any:
        try:
            return await self._backend.get(name)
        except UnknownRun:
            message = f"there is no run {name[:100]!r}"
            raise ApiError(grpc.StatusCode.NOT_FOUND, "NO_SUCH_RUN", message, "list runs with ListRuns", [("name", "unknown")]) from None

    async def _result(self, name: str) -> RunResult:
        run = await self._run(name)
        if not run.state.ended:
            message = f"run {run.name} has not ended: {run.state}"
            raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, "RUN_NOT_ENDED", message, "watch it to its end with WatchRun")
        try:
            return await self._backend.result(name)
        except UnknownRun:
            message = f"run {run.name} ended as {run.state} without results"
            raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, "RUN_WITHOUT_RESULT", message, "resume the run") from None


def _request_id(text: str) -> str:
    if not text:
        return ""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise invalid("request_id", "is no UUID", "choose a UUID for each run, and repeat it when you try again") from None


def _page_size(given: int, default: int, most: int) -> int:
    if given < 0:
        raise invalid("page_size", "is negative", f"0 means {default}; at most {most} are returned")
    return min(given or default, most)


def _to_token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _from_token(token: str) -> str | None:
    if not token:
        return None
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError):
        raise invalid("page_token", "is not from this server", "begin without one") from None


_AWAY_REMEDY = "start the journal's database; runs at work wait for it, and the call may be repeated"
_CODES = {
    ExitCode.BAD_INPUT: grpc.StatusCode.INVALID_ARGUMENT,
    ExitCode.VIOLATIONS: grpc.StatusCode.INVALID_ARGUMENT,
    ExitCode.UNREACHABLE: grpc.StatusCode.UNAVAILABLE,
    ExitCode.PREREQUISITE_MISSING: grpc.StatusCode.FAILED_PRECONDITION,
}


async def _fail(context: Any, error: Exception) -> NoReturn:
    """End a call with what went wrong; a fault of ours is logged here and only named there."""
    if isinstance(error, UnknownToken):
        error = invalid(error.field, "is not a token of this server", "begin without one")
    if isinstance(error, ApiError):
        await abort(context, error)
    if isinstance(error, DatabaseAway):
        await abort(context, ApiError(grpc.StatusCode.UNAVAILABLE, "JOURNAL_AWAY", error.message, _AWAY_REMEDY))
    if isinstance(error, UserError):
        code = _CODES.get(error.exit_code, grpc.StatusCode.INTERNAL)
        await abort(context, ApiError(code, error.exit_code.name, error.message, error.remedy or ""))
    if isinstance(error, grpc.aio.AbortError):
        raise error
    log.error("a call failed", exc_info=error)
    words = f"{type(error).__name__} in the orchestrator; its log says more"
    await abort(context, ApiError(grpc.StatusCode.INTERNAL, "ORCHESTRATOR_FAULT", words, "report this call"))
