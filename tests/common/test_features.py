"""Features in the engine: the same however the work is cut, read ahead while networks run, and computed once."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genlevel_evaluator import feature_keys, feature_pipeline, feature_store, features, states
from genlevel_evaluator.backbones import Backbone
from genlevel_evaluator.engine import Budget, RawSample, Scorer
from genlevel_evaluator.errors import Code, EvaluatorError, SampleError
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
    monkeypatch.setattr("genlevel_evaluator.feature_pipeline.CACHE", features.FeatureCache())
    return owner(files, network)


def owner(files: Files, network: Any, **changes: Any) -> Evaluator:
    made = replace(Evaluator("test", "nowhere", (), True), _extractors={"n": network})
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


def expected_issues() -> list[tuple[str, str, str]]:
    first = [("s003", "UNREADABLE", "prediction"), ("s007", "UNREADABLE", "reference"), ("s012", "UNREADABLE", "reference"), ("s012", "UNREADABLE", "prediction")]
    first += [("s005", "REFUSED", "prediction"), ("s009", "REFUSED", "reference"), ("s011", "REFUSED", "prediction"), ("s011", "REFUSED", "reference")]
    return [*first, ("s040", "REFUSED", "prediction")]


@pytest.mark.parametrize("batch", [1, 3, 4, 16, 1000])
@pytest.mark.parametrize("processors", [1, 8])
def test_rows_and_issues_depend_neither_on_batches_nor_on_threads(
    files: Files, network: Network, evaluator: Evaluator, mixed: list[RawSample], batch: int, processors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_pipeline, "count", lambda: processors)
    source = random.Random(batch)
    files.delay = lambda: source.random() * 0.002
    rows, issues = observed(owner(files, network, batch=batch), mixed)
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == expected_issues()
    for number in (0, 20, 44):
        of_one = rows.take(np.arange(len(rows)) == number)
        assert of_one.column("prediction").tolist() == [(network.prepare(files(file_of(f"p{number}"), {})) * 2).tolist()]
    assert rows.column("_flags")[[3, 5, 7, 9, 11, 12, 40]].tolist() == [5, 5, 8, 8, 8, 8, 5]


def test_however_a_task_is_cut_its_state_is_the_same(evaluator: Evaluator, files: Files, network: Network, mixed: list[RawSample], monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = observed(evaluator, mixed)
    for size in (1, 7, 32):
        monkeypatch.setattr("genlevel_evaluator.feature_pipeline.CACHE", features.FeatureCache())
        parts = [observed(owner(files, network), mixed[start : start + size])[0] for start in range(0, len(mixed), size)]
        assert bits(states.combine(parts)) == bits(whole)


def test_files_are_read_while_the_network_runs(files: Files, network: Network, evaluator: Evaluator) -> None:
    seen: list[int] = []

    def until_more_was_read() -> None:
        before = len(files.read)
        deadline = time.monotonic() + 10
        while len(files.read) <= before and time.monotonic() < deadline:
            time.sleep(0.001)
        seen.append(len(files.read) - before)

    network.meanwhile = lambda: until_more_was_read() if len(network.runs) in (1, 8) else None
    observed(evaluator, [sample(number) for number in range(64)])
    assert len(seen) == 2
    assert min(seen) > 0


def test_what_is_decoded_is_let_go_however_many_samples_there_are(files: Files, evaluator: Evaluator) -> None:
    observed(evaluator, [sample(number) for number in range(200)])
    assert len(files.read) == 400
    assert files.most_alive <= 2 * feature_pipeline.MOST_THREADS
    assert files.alive == 0


def test_a_metric_that_reads_its_media_gets_them(evaluator: Evaluator, files: Files) -> None:
    seen: list[Any] = []

    def look(one: Sample, parameters: Parameters) -> Row:
        seen.append((one.prediction, one.references))
        return observe(one, parameters)

    observed(evaluator, [sample(0)], metric=replace(METRIC, observe=look, reads=("prediction",)))
    (prediction, references), = seen
    assert prediction.values.shape == (8,)
    assert references == (feature_pipeline.RELEASED,)


def test_a_caller_who_left_is_seen_while_files_are_read(evaluator: Evaluator, files: Files) -> None:
    budget = Budget()
    files.delay = lambda: 0.05
    timer = threading.Timer(0.3, lambda: setattr(budget, "cancelled", True))
    timer.start()
    began = time.monotonic()
    with pytest.raises(EvaluatorError) as caught:
        observed(evaluator, [sample(number) for number in range(500)], budget)
    assert caught.value.code is Code.CANCELLED
    assert time.monotonic() - began < 5
    read = len(files.read)
    assert read < 200
    time.sleep(0.15)
    assert len(files.read) == read
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("genlevel-read")]


def test_a_deadline_ends_the_wait_for_a_slow_file(evaluator: Evaluator, files: Files) -> None:
    files.delay = lambda: 1.0
    with pytest.raises(EvaluatorError) as caught:
        observed(evaluator, [sample(0)], Budget(100))
    assert caught.value.code is Code.DEADLINE_EXCEEDED


@pytest.mark.parametrize("place", ["prepare", "run"])
def test_a_network_that_is_not_to_be_had_fails_the_call(evaluator: Evaluator, network: Network, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    def missing(*_: Any) -> Any:
        raise EvaluatorError(Code.FAILED_PRECONDITION, "WEIGHTS_MISSING", "no weights", "fetch them")

    monkeypatch.setattr(network, place, missing)
    with pytest.raises(EvaluatorError, match="no weights"):
        observed(evaluator, [sample(number) for number in range(40)])


def test_a_file_that_many_samples_share_goes_through_once(evaluator: Evaluator, network: Network) -> None:
    rows, _ = observed(evaluator, [sample(number, reference="shared") for number in range(40)])
    assert sum(network.runs) == 41
    assert len(set(map(tuple, rows.column("reference").tolist()))) == 1


def test_two_metrics_and_two_sides_share_what_is_known(evaluator: Evaluator, files: Files, network: Network) -> None:
    first, _ = observed(evaluator, [sample(1, "same", "other")])
    done = (sum(network.runs), len(files.read))
    second, _ = observed(evaluator, [sample(1, "other", "same")], metric=replace(METRIC, id="far"))
    assert (sum(network.runs), len(files.read)) == done == (2, 2)
    assert first.column("prediction").tobytes() == second.column("reference").tobytes()


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """A folder for features; calling it forgets what is in memory, as a new process has."""
    monkeypatch.setenv(feature_store.DIRECTORY, str(tmp_path / "features"))
    monkeypatch.setenv(feature_store.BYTES, str(64 << 20))

    def forget() -> None:
        monkeypatch.setattr("genlevel_evaluator.feature_pipeline.CACHE", features.FeatureCache())
        feature_store._open.clear()

    yield forget
    feature_store._open.clear()


def test_a_new_process_neither_reads_nor_computes_what_is_on_disk(
    disk: Callable[[], None], evaluator: Evaluator, files: Files, network: Network, mixed: list[RawSample]
) -> None:
    first, issues = observed(evaluator, mixed)
    disk()
    files.read.clear()
    network.runs.clear()
    second, again = observed(owner(files, network), mixed)
    assert network.runs == []
    assert sorted(files.read) == ["!11", "!11r", "!40", "!5", "!9", "broken", "broken", "broken3", "broken7", "p7"]  # faults are found out anew
    assert bits(first) == bits(second)
    assert again == issues


def test_a_metric_that_reads_its_media_still_runs_no_network(disk: Callable[[], None], evaluator: Evaluator, files: Files, network: Network) -> None:
    observed(evaluator, [sample(number) for number in range(5)])
    disk()
    network.runs.clear()
    observed(evaluator, [sample(number) for number in range(5)], metric=replace(METRIC, reads=("prediction", "reference")))
    assert network.runs == []
    assert len(files.read) == 20


def test_whatever_changes_a_feature_changes_its_key(
    disk: Callable[[], None], evaluator: Evaluator, files: Files, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def computed(owner: Evaluator, content: Content) -> int:
        disk()
        before = sum(network.runs)
        observed(owner, [RawSample("s", content, (), Presence.PREDICTION_ONLY)])
        return sum(network.runs) - before

    content = file_of("text")
    assert [computed(evaluator, content) for _ in range(2)] == [1, 0]
    assert computed(owner(files, network, preprocessing="q"), content) == 1
    assert computed(owner(files, network, weights="r3d-18"), content) == 1
    assert computed(owner(files, network, also=("r3d-18",)), content) == 1
    assert computed(evaluator, file_of("text", "a.npz")) == 1  # the extension may choose the reader
    assert computed(evaluator, file_of("texts")) == 1
    monkeypatch.setattr(feature_keys, "torch_device", lambda: "cuda")
    assert computed(owner(files, network, uses_gpu=True), content) == 1
    monkeypatch.setattr(feature_keys, "code", lambda package: ("changed", "torch==9"))
    assert computed(evaluator, content) == 1
    assert computed(evaluator, content) == 0


def test_the_code_that_reads_files_is_part_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "genlevel_made_up"
    (package / "metrics").mkdir(parents=True)
    for name in ("__init__.py", "pictures.py", "metrics/fid.py"):
        (package / name).write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = feature_keys._sources("genlevel_made_up")
    (package / "metrics" / "fid.py").write_text("x = 2\n")
    assert feature_keys._sources("genlevel_made_up") == before
    (package / "pictures.py").write_text("x = 2\n")
    assert feature_keys._sources("genlevel_made_up") != before
    versions = " ".join(feature_keys._versions("genlevel-image"))
    assert "pillow==" in versions
    assert "torch==" in versions


def test_a_damaged_entry_is_computed_again(disk: Callable[[], None], evaluator: Evaluator, network: Network, tmp_path: Path) -> None:
    first, _ = observed(evaluator, [sample(1)])
    for path in (tmp_path / "features").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-1])
    disk()
    second, _ = observed(evaluator, [sample(1)])
    assert sum(network.runs) == 4
    assert bits(first) == bits(second)
