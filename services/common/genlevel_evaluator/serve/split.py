"""Networks in a deployment of their own, for clusters in which Ray spans pods: GPUs hold networks only, and scale apart from the rest.

`HandleFeatures` takes the place of the networks in the evaluator's process, `Networks` holds them at the other end. Exceptions do not travel:
they would have to be unpickled by their constructors, and Ray wraps them. What travels are plain values and the two records below.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
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

    async def together(self, names: Sequence[str], values: Sequence[Any]) -> list[list[Any]] | Failed:
        """What each of the networks makes of each value of a batch, off the event loop, one batch at a time; several share a pass."""
        async with self._slot:
            return await asyncio.to_thread(self._together, names, values)

    def _together(self, names: Sequence[str], values: Sequence[Any]) -> list[list[Any]] | Failed:
        try:
            found: Sequence[Sequence[Any]]
            if len(names) > 1:
                found = self._provider.together(names, values, lambda: None)
            else:
                found = [[value] for value in self._provider.features(names[0], values, lambda: None)]
        except EvaluatorError as error:
            return Failed(error.code.value, error.reason, error.message, error.remedy)
        except MemoryError:
            return Failed("RESOURCE_EXHAUSTED", "OUT_OF_MEMORY", f"backbone {', '.join(names)}: out of memory", "send smaller shards")
        return [[_sendable(value) for value in row] for row in found]


def _sendable(value: Any) -> Any:
    if isinstance(value, SampleError):
        return Refused(value.code, value.message, value.remedy, value.side, value.pointer)
    return value


@dataclass(frozen=True, eq=False)
class Home:
    """A deployment of `Networks`.

    Attributes:
        handle: of the deployment.
        device: what networks run on there, `cuda` or `cpu`.
    """

    handle: Any
    device: str = "cpu"


class HandleFeatures:
    """The end in the evaluator. Made on the event loop of its replica, called from the threads that work on shards.

    Args:
        shared: the deployment of all networks that have none of their own.
        own: deployments of single networks.
        put: makes of a list of values what several deployments can be given; by default it goes into Ray's object store, once for all.
    """

    def __init__(self, shared: Home, own: Mapping[str, Home] | None = None, put: Callable[[list[Any]], Any] | None = None) -> None:
        self._shared = shared
        self._own = own or {}
        self._put = put or _stored
        self._loop = asyncio.get_running_loop()

    def device(self, name: str) -> str:
        """See `FeatureProvider`."""
        return self._home(name).device

    def _home(self, name: str) -> Home:
        return self._own.get(name, self._shared)

    def prepare(self, name: str, value: Any) -> Any:
        """See `FeatureProvider`: files are read, so that they can be sent."""
        del name
        return _carried(value)

    def features(self, name: str, values: Sequence[Any], check: Callable[[], None]) -> list[Any]:
        """See `FeatureProvider`."""
        return [row[0] for row in self.together([name], values, check)]

    def together(self, names: Sequence[str], values: Sequence[Any], check: Callable[[], None]) -> list[Sequence[Any]]:
        """See `FeatureProvider`. Deployments work at the same time; networks of one deployment share a pass there."""
        carried = [_carried(value) for value in values]
        sent = [value for value in carried if not isinstance(value, SampleError)]
        answers = iter(self._answers(names, sent, check) if sent else [])
        return [[value] * len(names) if isinstance(value, SampleError) else next(answers) for value in carried]

    def _answers(self, names: Sequence[str], sent: list[Any], check: Callable[[], None]) -> list[list[Any]]:
        """A row for each value, its columns those of `names`."""
        homes: dict[Home, list[str]] = {}
        for name in names:
            homes.setdefault(self._home(name), []).append(name)
        given = sent if len(homes) == 1 else self._put(sent)
        calls = {asyncio.run_coroutine_threadsafe(self._ask(home, given, group), self._loop): home for home, group in homes.items()}
        try:
            self._wait(calls, homes, check)
        finally:
            for call in calls:
                call.cancel()
        columns = {name: [row[place] for row in call.result()] for call, home in calls.items() for place, name in enumerate(homes[home])}
        rows = zip(*(columns[name] for name in names), strict=True)
        return [[value.error() if isinstance(value, Refused) else value for value in row] for row in rows]

    def _wait(self, calls: Mapping[Future[Any], Home], homes: Mapping[Home, list[str]], check: Callable[[], None]) -> None:
        """Until all have answered; the first that cannot ends it."""
        waiting = set(calls)
        while True:
            done, waiting = concurrent.futures.wait(waiting, CHECK_SECONDS, concurrent.futures.FIRST_COMPLETED)
            for call in done:
                if isinstance(found := call.result(), Failed):
                    raise EvaluatorError(Code(found.code), found.reason, found.message, found.remedy)
            if not waiting:
                return
            try:
                check()
            except EvaluatorError as error:
                home = calls[next(iter(waiting))]
                raise _explained(error, home, ", ".join(homes[home])) from None

    async def _ask(self, home: Home, values: Any, names: list[str]) -> Any:
        response = home.handle.together.remote(names, values)
        try:
            return await response
        except asyncio.CancelledError:
            response.cancel()
            raise
        except Exception as error:
            raise _unavailable(error, ", ".join(names)) from None


def _stored(values: list[Any]) -> Any:
    import ray

    return ray.put(values)


def _explained(error: EvaluatorError, home: Home, names: str) -> EvaluatorError:
    """Smaller shards do not help where no network has started at all: then another try may."""
    if error.code is not Code.DEADLINE_EXCEEDED or home.handle.running_replicas_populated():
        return error
    return EvaluatorError(
        Code.UNAVAILABLE, "BACKBONES_NOT_STARTED", f"no replica of {home.handle.deployment_name} with backbone {names} has started in the time of the call",
        "see why its pods do not start (`kubectl get pods`: no GPU node, image missing), or give calls a larger budget",
    )


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
    if isinstance(value, tuple) and any(isinstance(item, Blob) for item in value):
        changed_items = tuple(portable(item) for item in value)
        return changed_items if any(new is not old for new, old in zip(changed_items, value, strict=True)) else value
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: portable(getattr(value, f.name)) for f in fields(value) if f.init}
        if any(changed[name] is not getattr(value, name) for name in changed):
            return replace(value, **changed)
    return value
