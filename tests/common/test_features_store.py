"""Features on disk: whole or not there, shared by processes, bounded, and never in the way."""

from __future__ import annotations

import io
import logging
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from genlevel_evaluator import feature_store
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.feature_store import FeatureStore

KEY = ("network", "weights", "file")


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@given(
    st.one_of(
        st.text(max_size=50),
        arrays.arrays(st.sampled_from([np.float32, np.float64, np.int64, np.bool_]), arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)),
    )
)
def test_what_is_put_is_found_in_the_same_bits(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    folder = tmp_path_factory.mktemp("store")
    FeatureStore(folder).put(KEY, value)
    found = FeatureStore(folder).get(KEY)
    if isinstance(value, str):
        assert found == value
    else:
        assert (found.dtype, found.shape, found.tobytes()) == (value.dtype, value.shape, value.tobytes())


def test_another_key_has_another_entry_however_its_parts_are_cut(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    store.put(("ab", "c"), "first")
    assert store.get(("a", "bc")) is None
    assert store.get(("ab", "c", "")) is None
    store.put(("a", "bc"), "second")
    assert (store.get(("ab", "c")), store.get(("a", "bc"))) == ("first", "second")


@pytest.mark.parametrize("damage", ["empty", "cut", "bit", "longer", "other entry", "no file of ours"])
def test_a_damaged_entry_is_none_is_said_once_and_makes_room(tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str) -> None:
    store = FeatureStore(tmp_path)
    store.put(KEY, np.arange(100.0))
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    store.put(("another",), np.ones(100))
    (other,) = (found for found in files(tmp_path) if found != path)
    bit = bytearray(whole)
    bit[-1] ^= 1
    bad = {"empty": b"", "cut": whole[:-8], "bit": bytes(bit), "longer": whole + b"x", "other entry": other.read_bytes(), "no file of ours": b"\x80\x04."}
    for _ in range(2):
        path.write_bytes(bad[damage])
        assert store.get(KEY) is None
        assert not path.exists()
    (line,) = warned(caplog)
    assert str(path) in line
    assert "damaged" in line
    store.put(KEY, np.arange(100.0))
    assert store.get(KEY).sum() == 4950


def test_objects_are_neither_written_nor_unpickled(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    for value in (np.array([object()]), {"a": 1}, None):
        store.put(KEY, value)
    assert files(tmp_path) == []
    store.put(KEY, "text")
    (path,) = files(tmp_path)
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    body = b"A" + buffer.getvalue()
    path.write_bytes(b"GLF1" + feature_store._digest(path.name, body) + body)
    assert store.get(KEY) is None


def test_the_least_recently_used_leave_and_the_bound_holds(tmp_path: Path) -> None:
    limit = 256 * 20_000
    store = FeatureStore(tmp_path, limit)
    keys = [(str(number),) for number in range(5000)]
    for key in keys[:1000]:
        store.put(key, np.zeros(100))
    old = time.time() - 10 * 86_400
    for path in files(tmp_path):
        os.utime(path, (old, old))
    assert all(store.get(key) is not None for key in keys[:200])  # used again
    for key in keys[1000:]:
        store.put(key, np.zeros(100))
    size = sum(path.stat().st_size for path in files(tmp_path))
    assert 0.7 * limit < size <= limit
    groups = {"old": keys[200:1000], "used": keys[:200], "new": keys[1000:]}
    paths = {name: {store._path(feature_store._name(key)) for key in group} for name, group in groups.items()}
    there = set(files(tmp_path))
    gone = {name: {path.parent for path in group - there} for name, group in paths.items()}
    left = {name: {path.parent for path in group & there} for name, group in paths.items()}
    assert gone["old"]
    assert not gone["used"] & left["old"]
    assert not gone["new"] & (left["old"] | left["used"])


def test_what_is_too_large_for_its_share_is_left_out(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, 256 * 1000)
    store.put(KEY, np.zeros(1000))
    assert files(tmp_path) == []


def test_what_killed_writers_left_is_removed(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, 256 * 20_000)
    store.put(KEY, np.zeros(10))
    (entry,) = files(tmp_path)
    abandoned, current = entry.parent / ".part-1", entry.parent / ".part-2"
    for path in (abandoned, current):
        path.write_bytes(b"half")
    os.utime(abandoned, (0, 0))
    FeatureStore(tmp_path, 256 * 20_000).put(KEY, np.zeros(10))
    assert not abandoned.exists()
    assert current.exists()


_WRITER = """
import sys
import numpy as np
from genlevel_evaluator.feature_store import FeatureStore
store = FeatureStore(__import__("pathlib").Path(sys.argv[1]), 256 * 20_000)
for number in range(300):
    key = (str(number),)
    found = store.get(key)
    assert found is None or (found == number).all(), number
    store.put(key, np.full(50 + number, number))
"""


def test_what_is_no_entry_stays_and_is_not_in_the_way(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, limit=256 * 1000)
    part = tmp_path / feature_store._name(KEY)[:2]
    (part / "folder").mkdir(parents=True)
    (part / "thesis").write_bytes(bytes(5000))
    os.utime(part / "thesis", (1, 1))
    for number in range(1500):
        store.put((str(number),), np.zeros(60))
    store.put(KEY, "kept")
    assert store.get(KEY) == "kept"
    assert (part / "thesis").stat().st_size == 5000
    assert (part / "folder").is_dir()


def test_a_pipe_in_the_place_of_an_entry_is_not_waited_for(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    store.put(KEY, "value")
    (entry,) = files(tmp_path)
    entry.unlink()
    os.mkfifo(entry)
    assert store.get(KEY) is None
    store.put(KEY, "value")
    assert store.get(KEY) == "value"


def test_processes_share_a_folder(tmp_path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", _WRITER, str(tmp_path)], stderr=subprocess.PIPE) for _ in range(3)]
    for process in running:
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, b"")
    store = FeatureStore(tmp_path)
    assert all((store.get((str(number),)) == number).all() for number in range(300))
    assert len(files(tmp_path)) == 300


def test_a_folder_that_cannot_be_used_is_said_once_and_does_not_matter(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    store = FeatureStore(tmp_path / "file")
    for number in range(3):
        store.put((str(number),), "text")
    (line,) = warned(caplog)
    assert str(tmp_path / "file") in line
    assert feature_store.DIRECTORY in line
    assert store.get(KEY) is None


def test_a_full_disk_is_left_alone_until_it_has_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    now = [1000.0]
    monkeypatch.setattr(feature_store.time, "monotonic", lambda: now[0])
    store = FeatureStore(tmp_path)
    with monkeypatch.context() as full:
        full.setattr(feature_store.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 99, 1))
        store.put(KEY, "text")
    store.put(KEY, "text")
    assert store.get(KEY) is None
    assert ["256 MB" in line for line in warned(caplog)] == [True]
    now[0] += feature_store.PAUSE_SECONDS + 1
    store.put(KEY, "text")
    assert store.get(KEY) == "text"


def test_the_environment_says_where_and_how_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLEVEL_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv(feature_store.BYTES)
    store = feature_store.configured()
    assert store is not None
    assert store is feature_store.configured()
    store.put(KEY, "text")
    assert files(tmp_path / "features")
    monkeypatch.setenv(feature_store.DIRECTORY, str(tmp_path / "own"))
    assert feature_store.configured_folder() == tmp_path / "own"
    monkeypatch.setenv(feature_store.BYTES, "0")
    assert feature_store.configured() is None
    monkeypatch.setenv(feature_store.BYTES, "4 GiB")
    with pytest.raises(EvaluatorError, match="GENLEVEL_FEATURE_CACHE_BYTES=4 GiB") as caught:
        feature_store.configured()
    assert caught.value.code is Code.FAILED_PRECONDITION
