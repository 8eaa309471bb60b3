"""Networks in a deployment of their own, for clusters in which Ray spans pods: GPUs hold networks only, and scale apart from the rest.

`HandleFeatures` takes the place of the networks in the evaluator's process, `Networks` holds them at the other end. Exceptions do not travel:
they would have to be unpickled by their constructors, and Ray wraps them. What travels are plain values and the two records below.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from genlevel_evaluator.errors import Code, EvaluatorError, SampleError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.features import InProcess
from genlevel_evaluator.media import Blob

CHECK_SECONDS = 0.2
"""Between two looks at whether the caller is still there."""


@dataclass(frozen=True)
class Refused:
    """A SampleError on its way."""

    code: str
    message: str
    remedy: str
    side: str | None
    pointer: str

    def error(self) -> SampleError:
        """The error it was."""
        return SampleError(self.code, self.message, remedy=self.remedy, side=self.side, pointer=self.pointer)


@dataclass(frozen=True)
class Failed:
    """An EvaluatorError on its way."""

    code: str
    reason: str
    message: str
    remedy: str


class Networks:
    """The end that holds the networks."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._provider = InProcess(evaluator)
        self._slot = asyncio.Semaphore(1)

    async def features(self, name: str, values: Sequence[Any]) -> list[Any] | Failed:
        """Features of a batch, off the event loop, one batch at a time."""
        async with self._slot:
            return await asyncio.to_thread(self._features, name, values)

    def _features(self, name: str, values: Sequence[Any]) -> list[Any] | Failed:
        try:
            found = self._provider.features(name, values, lambda: None)
        except EvaluatorError as error:
            return Failed(error.code.value, error.reason, error.message, error.remedy)
        except MemoryError:
            return Failed("RESOURCE_EXHAUSTED", "OUT_OF_MEMORY", f"backbone {name}: out of memory", "send smaller shards")
        return [
            Refused(value.code, value.message, value.remedy, value.side, value.pointer) if isinstance(value, SampleError) else value
            for value in found
        ]


class HandleFeatures:
    """The end in the evaluator. Made on the event loop of its replica, called from the threads that work on shards.

    Args:
        handle: of the deployment of `Networks`.
        device: what the networks run on there, `cuda` or `cpu`.
    """

    def __init__(self, handle: Any, device: str = "cpu") -> None:
        self.device = device
        self._handle = handle
        self._loop = asyncio.get_running_loop()

    def prepare(self, name: str, value: Any) -> Any:
        """See `FeatureProvider`: files are read, so that they can be sent."""
        del name
        return _carried(value)

    def features(self, name: str, values: Sequence[Any], check: Callable[[], None]) -> list[Any]:
        """See `FeatureProvider`."""
        carried = [_carried(value) for value in values]
        sent = [value for value in carried if not isinstance(value, SampleError)]
        found = self._wait(self._ask(name, sent), name, check) if sent else []
        if isinstance(found, Failed):
            raise EvaluatorError(Code(found.code), found.reason, found.message, found.remedy)
        answers = iter(found)
        result = [value if isinstance(value, SampleError) else next(answers) for value in carried]
        return [value.error() if isinstance(value, Refused) else value for value in result]

    def _wait(self, call: Coroutine[Any, Any, Any], name: str, check: Callable[[], None]) -> Any:
        future = asyncio.run_coroutine_threadsafe(call, self._loop)
        while True:
            with contextlib.suppress(concurrent.futures.TimeoutError):
                return future.result(CHECK_SECONDS)
            try:
                check()
            except EvaluatorError as error:
                future.cancel()
                raise self._explained(error, name) from None

    def _explained(self, error: EvaluatorError, name: str) -> EvaluatorError:
        """Smaller shards do not help where no network has started at all: then another try may."""
        if error.code is not Code.DEADLINE_EXCEEDED or self._handle.running_replicas_populated():
            return error
        return EvaluatorError(
            Code.UNAVAILABLE, "BACKBONES_NOT_STARTED", f"no replica of {self._handle.deployment_name} with backbone {name} has started in the time of the call",
            "see why its pods do not start (`kubectl get pods`: no GPU node, image missing), or give calls a larger budget",
        )

    async def _ask(self, name: str, values: list[Any]) -> Any:
        response = self._handle.features.remote(name, values)
        try:
            return await response
        except asyncio.CancelledError:
            response.cancel()
            raise
        except Exception as error:
            raise _unavailable(error, name) from None


def _unavailable(error: Exception, name: str) -> EvaluatorError:
    """What Ray raises, in words of the contract. Everything the networks themselves have to say came as a value."""
    from ray.exceptions import OutOfMemoryError, RayTaskError
    from ray.serve.exceptions import BackPressureError

    cause = error.cause if isinstance(error, RayTaskError) and isinstance(error.cause, Exception) else error
    if isinstance(cause, BackPressureError):
        return EvaluatorError(Code.RESOURCE_EXHAUSTED, "BACKBONES_BUSY", f"backbone {name} has too many calls waiting", "try again, or raise max_replicas")
    if isinstance(cause, OutOfMemoryError):
        return EvaluatorError(Code.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", f"backbone {name}: its process was ended for want of memory", "send smaller shards")
    if isinstance(error, RayTaskError):  # raised by code of ours at the other end
        return EvaluatorError(Code.INTERNAL, "EVALUATOR_FAULT", f"{type(cause).__name__} in backbone {name}", "report this call; the log of its replica has more")
    return EvaluatorError(
        Code.UNAVAILABLE, "BACKBONES_DIED", f"the process of backbone {name} ended in the call ({type(error).__name__})", "try again; see the log of its pod"
    )


def _carried(value: Any) -> Any:
    """A value that can be sent, or why it cannot."""
    try:
        return portable(value)
    except OSError as error:
        return SampleError("MEDIA_MISSING", f"{error.filename or 'a file'}: {error.strerror or error}", remedy="keep media until the run is over")


def portable(value: Any) -> Any:
    """A decoded value that makes sense on another machine: files it names are replaced by their bytes."""
    if isinstance(value, Blob):
        return value if value.path is None else replace(value, name=value.name or value.path.name, data=value.read(), path=None)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: portable(getattr(value, f.name)) for f in fields(value) if f.init}
        if any(changed[name] is not getattr(value, name) for name in changed):
            return replace(value, **changed)
    return value
