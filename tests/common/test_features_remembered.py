"""Features are computed once: later processes find them on disk, under all that decides them."""

from __future__ import annotations

import asyncio
import pickle
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genlevel_evaluator import feature_keys, feature_store, features
from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_evaluator.serve.split import HandleFeatures, Home, Networks
from genlevel_evaluator.states import Rows
from tests.common.feature_fakes import (
    METRIC,
    Files,
    Network,
    bits,
    file_of,
    observed,
    owner,
    sample,
)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """A folder for features; calling it forgets what is in memory, as a new process has."""
    monkeypatch.setenv(feature_store.DIRECTORY, str(tmp_path / "features"))
    monkeypatch.setenv(feature_store.BYTES, str(64 << 20))

    def forget() -> None:
        monkeypatch.setattr("genlevel_evaluator.features.CACHE", features.FeatureCache())
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


class Handle:
    """Stands for a Serve handle; counts the values that are sent."""

    deployment_name = "test-backbones"

    def __init__(self, networks: Networks) -> None:
        self.together = self
        self.sent: list[int] = []
        self._networks = networks

    def remote(self, names: list[str], values: Any) -> Any:
        self.sent.append(len(values))
        return self._networks.together(names, pickle.loads(pickle.dumps(values)))


def test_networks_that_are_split_off_are_asked_for_what_is_not_remembered(
    disk: Callable[[], None], evaluator: Evaluator, files: Files, network: Network, mixed: list[RawSample]
) -> None:
    whole, issues = observed(evaluator, mixed)
    shutil.rmtree(feature_store.configured_folder())
    handle = Handle(Networks(owner(files, network)))

    async def again() -> tuple[Rows, list[Any]]:
        provided = owner(files, network, provider=HandleFeatures(Home(handle)))
        return await asyncio.to_thread(observed, provided, mixed)

    sent = []
    for _ in range(2):
        disk()
        handle.sent.clear()
        rows, found = asyncio.run(again())
        assert bits(rows) == bits(whole)
        assert [issue.sample_id for issue in found] == [issue.sample_id for issue in issues]
        sent.append(sum(handle.sent))
    assert sent == [85, 5]  # of 90 sides 5 are not read; those that the network refuses are asked about again
