"""The two ends of split networks without a server: what travels, and what each failure becomes."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray.exceptions import ActorDiedError, ActorUnavailableError, OutOfMemoryError, RayTaskError
from ray.serve.exceptions import BackPressureError

from genlevel_evaluator import media
from genlevel_evaluator.backbones import Backbone
from genlevel_evaluator.engine import Budget
from genlevel_evaluator.errors import Code, EvaluatorError, SampleError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.serve.split import HandleFeatures, Home, Networks, portable


@dataclass(frozen=True)
class Clip:
    blob: media.Blob
    length: int = 3


class Doubling:
    """A network that refuses some values."""

    def extract(self, values: Sequence[Any]) -> list[Any]:
        if any(isinstance(value, str) for value in values):
            raise SampleError("NO_NUMBER", "not a number", remedy="give a number", side="prediction", pointer="/0")
        if any(value == 13 for value in values):
            raise EvaluatorError(Code.FAILED_PRECONDITION, "WEIGHTS_MISSING", "no weights", "fetch them")
        return [SampleError("NEGATIVE", "below zero") if value < 0 else np.float32(value) * 2 for value in values]


EVALUATOR = replace(Evaluator("test", "nowhere", (), True), _extractors={"n": Doubling()})
EVALUATOR.__dict__["backbones"] = {"n": Backbone("n", "w", "p", Doubling)}


class Handle:
    """Stands for a Serve handle. Everything passes through pickle, as between processes."""

    deployment_name = "test-backbones"

    def __init__(self, networks: Networks | None = None, failure: Exception | None = None, started: bool = True) -> None:
        self._networks, self._failure, self._started = networks, failure, started
        self.together = self
        self.cancelled = False

    def running_replicas_populated(self) -> bool:
        return self._started

    def remote(self, names: list[str], values: Any) -> Handle:
        self.names = names
        self._call = (names, pickle.loads(pickle.dumps(values)))
        return self

    def cancel(self) -> None:
        self.cancelled = True

    def __await__(self) -> Any:
        return self._answer().__await__()

    async def _answer(self) -> Any:
        if self._failure is not None:
            raise self._failure
        if self._networks is None:
            await asyncio.sleep(60)
        assert self._networks is not None
        return pickle.loads(pickle.dumps(await self._networks.together(*self._call)))


def asked(handle: Handle, values: list[Any], check: Callable[[], None] = lambda: None) -> list[Any]:
    async def main() -> list[Any]:
        provider = HandleFeatures(Home(handle))
        return await asyncio.to_thread(provider.features, "n", values, check)

    return asyncio.run(main())


def test_features_and_refusals_arrive_in_their_places() -> None:
    found = asked(Handle(Networks(EVALUATOR)), [1, -1, 2])
    assert (found[0], found[2]) == (2, 4)
    assert isinstance(found[1], SampleError)
    assert (found[1].code, found[1].message) == ("NEGATIVE", "below zero")


def test_where_a_batch_is_refused_each_value_is_tried_alone() -> None:
    first, second = asked(Handle(Networks(EVALUATOR)), [1, "x"])
    assert first == 2
    assert isinstance(second, SampleError)
    assert (second.code, second.remedy, second.side, second.pointer) == ("NO_NUMBER", "give a number", "prediction", "/0")


def test_missing_weights_keep_their_reason() -> None:
    with pytest.raises(EvaluatorError) as caught:
        asked(Handle(Networks(EVALUATOR)), [13])
    assert (caught.value.code, caught.value.reason, caught.value.remedy) == (Code.FAILED_PRECONDITION, "WEIGHTS_MISSING", "fetch them")


@pytest.mark.parametrize(
    ("failure", "code", "reason"),
    [
        (ActorDiedError(), Code.UNAVAILABLE, "BACKBONES_DIED"),
        (ActorUnavailableError("gone", None), Code.UNAVAILABLE, "BACKBONES_DIED"),
        (BackPressureError(1, 1), Code.RESOURCE_EXHAUSTED, "BACKBONES_BUSY"),
        (OutOfMemoryError("killed"), Code.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY"),
        (RayTaskError("features", "trace", ValueError("x")), Code.INTERNAL, "EVALUATOR_FAULT"),
    ],
)
def test_what_ray_raises_is_said_in_words_of_the_contract(failure: Exception, code: Code, reason: str) -> None:
    with pytest.raises(EvaluatorError) as caught:
        asked(Handle(failure=failure), [1])
    assert (caught.value.code, caught.value.reason) == (code, reason)
    assert caught.value.remedy


def test_the_orchestrator_tries_again_after_a_death() -> None:
    from genlevel_evaluator.handlers import fail
    from genlevel_orchestrator.failures import classify

    class Context:
        def set_code(self, code: Any) -> None:
            self.code = lambda: code

        def set_details(self, details: str) -> None:
            self.details = lambda: details

        def set_trailing_metadata(self, trailer: Any) -> None:
            self.trailing_metadata = lambda: trailer

    for failure, retryable in ((ActorDiedError(), True), (BackPressureError(1, 1), True), (RayTaskError("f", "t", ValueError("x")), False)):
        context = Context()
        with pytest.raises(EvaluatorError) as caught:
            asked(Handle(failure=failure), [1])
        fail(context, caught.value)
        assert classify(context).kind.retryable is retryable  # type: ignore[arg-type]


@pytest.mark.parametrize(("started", "code"), [(True, Code.DEADLINE_EXCEEDED), (False, Code.UNAVAILABLE)])
def test_a_used_up_budget_ends_the_wait(started: bool, code: Code) -> None:
    handle = Handle(started=started)
    with pytest.raises(EvaluatorError) as caught:
        asked(handle, [1], Budget(300).check)
    assert caught.value.code is code
    assert handle.cancelled
    assert ("kubectl get pods" in caught.value.remedy) is not started


def test_a_caller_that_leaves_ends_the_wait() -> None:
    budget = Budget()
    budget.cancelled = True
    handle = Handle()
    with pytest.raises(EvaluatorError, match="cancelled"):
        asked(handle, [1], budget.check)
    assert handle.cancelled


def test_files_travel_as_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"frames")
    clip = Clip(media.from_path(path))
    sent = portable(Clip(replace(clip.blob, name="")))
    assert (sent.blob.data, sent.blob.path, sent.blob.suffix, sent.blob.sha256) == (b"frames", None, ".mp4", clip.blob.sha256)
    assert sent.length == 3
    inline = Clip(media.from_bytes(b"x", "x.gif"))
    assert portable(inline) is inline
    assert portable(7) == 7


def test_a_file_that_is_gone_is_an_issue_of_its_sample(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"frames")
    clip = Clip(media.from_path(path))
    path.unlink()
    first, second = asked(Handle(Networks(EVALUATOR)), [clip, 4])
    assert isinstance(first, SampleError)
    assert first.code == "MEDIA_MISSING"
    assert second == 8


class Several(Handle):
    """A deployment that answers for any of the networks, and notes its calls."""

    def __init__(self, networks: Networks | None = None, failure: Exception | None = None) -> None:
        super().__init__(networks, failure)
        self.calls: list[list[str]] = []

    def remote(self, names: list[str], values: Any) -> Handle:
        self.calls.append(list(names))
        single = Handle(self._networks, self._failure)
        self.made = single
        return single.remote(names, values)


def one_pass(extractors: Sequence[Any], values: Sequence[Any]) -> list[list[Any]]:
    return [[extractor.extract([value])[0] for extractor in extractors] for value in values]


class Tripling:
    def extract(self, values: Sequence[Any]) -> list[Any]:
        return [np.float32(value) * 3 for value in values]


def several() -> Evaluator:
    networks = {"n": Doubling(), "m": Tripling(), "o": Tripling()}
    made = replace(Evaluator("test", "nowhere", (), True), _extractors=networks)
    made.__dict__["backbones"] = {name: Backbone(name, "w", "p", Doubling, together=one_pass) for name in networks}
    return made


def asked_together(shared: Handle, own: dict[str, Handle], values: list[Any], puts: list[Any]) -> list[Any]:
    def put(sent: list[Any]) -> list[Any]:
        puts.append(sent)
        return sent

    async def main() -> list[Any]:
        provider = HandleFeatures(Home(shared), {name: Home(handle, "cuda") for name, handle in own.items()}, put)
        assert [provider.device(name) for name in ("n", "m")] == ["cpu", "cuda" if own else "cpu"]
        return await asyncio.to_thread(provider.together, ["n", "m", "o"], values, lambda: None)

    return asyncio.run(main())


def test_networks_of_one_deployment_share_a_pass_and_others_are_asked_beside_them() -> None:
    shared, own, puts = Several(Networks(several())), Several(Networks(several())), []
    rows = asked_together(shared, {"m": own}, [1, -1, 2], puts)
    assert [row[1:] for row in rows] == [[3, 3], [-3, -3], [6, 6]]
    assert (rows[0][0], rows[2][0], rows[1][0].code) == (2, 4, "NEGATIVE")
    assert (shared.calls, own.calls) == ([["n", "o"]], [["m"]])
    assert puts == [[1, -1, 2]]  # once for both
    alone = Several(Networks(several()))
    assert [row[1:] for row in asked_together(alone, {}, [1, -1, 2], puts)] == [row[1:] for row in rows]
    assert (alone.calls, len(puts)) == ([["n", "m", "o"]], 1)


def test_one_deployment_that_died_ends_the_call_and_is_named() -> None:
    shared = Several()  # never answers
    with pytest.raises(EvaluatorError, match="backbone m") as caught:
        asked_together(shared, {"m": Several(failure=ActorDiedError())}, [1], [])
    assert caught.value.reason == "BACKBONES_DIED"


def test_pictures_of_a_list_travel_with_their_bytes(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Pictures:
        blobs: tuple[media.Blob, ...]

    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode())
    sent = portable(Pictures(tuple(media.from_path(tmp_path / name) for name in ("a", "b"))))
    assert [(blob.data, blob.path) for blob in sent.blobs] == [(b"a", None), (b"b", None)]
    assert portable(sent) is sent
