"""An evaluator of eight bytes a file, with a network that doubles them."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from genlevel_evaluator import features
from genlevel_evaluator.backbones import Backbone
from genlevel_evaluator.engine import Budget, RawSample, Scorer
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.kinds import Content, InputKind
from genlevel_evaluator.media import Blob
from genlevel_evaluator.metric import Metric, Presence, Sample, Score
from genlevel_evaluator.parameters import Parameters
from genlevel_evaluator.states import Column, Row, Rows

BATCH = 4


@dataclass(frozen=True)
class Waves:
    """A decoded file."""

    values: np.ndarray
    sha256: str


class Files:
    """Reads files, and notes what it read and how many of its values are alive."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.alive = self.most_alive = 0
        self.delay: Callable[[], float] = lambda: 0.0
        self._lock = threading.Lock()

    def __call__(self, content: Content, attributes: Mapping[str, Any]) -> Waves:
        blob = content.media
        assert blob is not None
        time.sleep(self.delay())
        text = blob.read().decode()
        with self._lock:
            self.read.append(text)
        if text.startswith("broken"):
            raise SampleError("UNREADABLE", f"{text} cannot be read")
        value = Waves(np.frombuffer(text.encode().ljust(8), np.uint8)[:8].astype(np.float32), blob.sha256)
        with self._lock:
            self.alive += 1
            self.most_alive = max(self.alive, self.most_alive)
        import weakref

        weakref.finalize(value, self._gone)
        return value

    def _gone(self) -> None:
        with self._lock:
            self.alive -= 1


class Network:
    """Notes what it was given; `prepare` makes a list of one file's values."""

    def __init__(self) -> None:
        self.runs: list[int] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def extract(self, values: Sequence[Waves]) -> list[Any]:
        return self.run([self.prepare(value) for value in values])

    def prepare(self, value: Waves) -> np.ndarray:
        if value.values[0] == ord("!"):
            raise SampleError("REFUSED", "the network refuses this file", remedy="give another")
        return value.values.copy()

    def run(self, prepared: Sequence[np.ndarray]) -> list[Any]:
        self.runs.append(len(prepared))
        self.meanwhile()
        return [values * 2 for values in prepared]


def observe(sample: Sample, parameters: Parameters) -> Row:
    none = np.zeros((0, 8))
    return {side: sample.features[("n", side)][None] if ("n", side) in sample.features else none for side in ("prediction", "reference")}


@pytest.fixture
def files() -> Files:
    return Files()


@pytest.fixture
def network() -> Network:
    return Network()


METRIC = Metric(
    id="near", version=1, input_kind="waves", unit="absolute", higher_is_better=False, value_range=(0.0, 1.0), pooling="set", parameters=Parameters,
    columns={side: Column("f4", (8,), ragged=True) for side in ("prediction", "reference")},
    observe=observe, score=lambda rows, _: Score(float(len(rows))), backbones=lambda _: ("n",), reads=(), set_metric=True,
)


@pytest.fixture
def evaluator(files: Files, network: Network, monkeypatch: pytest.MonkeyPatch) -> Evaluator:
    monkeypatch.setattr("genlevel_evaluator.features.CACHE", features.FeatureCache())
    return owner(files, network)


def owner(files: Files, network: Any, provider: Any = None, **changes: Any) -> Evaluator:
    made = replace(Evaluator("test", "nowhere", (), True, provider), _extractors={"n": network})
    made.__dict__["backbones"] = {"n": replace(Backbone("n", "vggish", "p", lambda: network, batch=BATCH, uses_gpu=False), **changes)}
    made.__dict__["kinds"] = {"waves": InputKind("waves", True, files)}
    return made


def file_of(text: str, name: str = "a.wav") -> Content:
    data = text.encode()
    return Content(media=Blob(hashlib.sha256(data).hexdigest(), name, data=data))


def sample(number: int, prediction: str | None = None, reference: str | None = None) -> RawSample:
    return RawSample(
        f"s{number:03}", file_of(prediction or f"p{number}"), (file_of(reference or f"r{number}"),), Presence.BOTH,
    )


def observed(owner: Evaluator, samples: Sequence[RawSample], budget: Budget | None = None, metric: Metric[Any] = METRIC) -> tuple[Rows, list[Any]]:
    return Scorer(owner, metric, Parameters()).observe(samples, budget)


def bits(rows: Rows) -> dict[str, Any]:
    return {name: rows.column(name).tobytes() for name in ("_flags", "prediction", "reference")}


@pytest.fixture
def mixed() -> list[RawSample]:
    """More than one chunk, with files that cannot be read and files that the network refuses on either side."""
    faults = {3: ("broken3", None), 5: ("!5", None), 7: (None, "broken7"), 9: (None, "!9"), 11: ("!11", "!11r"), 12: ("broken", "broken"), 40: ("!40", None)}
    return [sample(number, *faults.get(number, (None, None))) for number in range(45)]
