"""The cache of fetched files: bounded, shared between threads, never without a file that is in use."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from genlevel_evaluator import media_cache
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.media_cache import Key, MediaCache


def key(number: int, size: int = 10) -> Key:
    return f"{number:064x}", size


def get(cache: MediaCache, wanted: Key) -> Path:
    return cache.file(wanted, lambda part: part.write_bytes(b"x" * wanted[1]) and None)


def there(cache: MediaCache) -> list[int]:
    return sorted(int(path.name, 16) for path in cache.folder.iterdir() if path.name != "lock")


@pytest.fixture
def cache(tmp_path: Path) -> MediaCache:
    return MediaCache(30, tmp_path)


def test_the_least_recently_used_leaves(cache: MediaCache) -> None:
    for number in (1, 2, 3, 1, 4):
        with cache.hold([key(number)]):
            assert get(cache, key(number)).read_bytes() == b"x" * 10
    assert there(cache) == [1, 3, 4]


def test_a_file_in_use_stays(cache: MediaCache) -> None:
    with cache.hold([key(1), key(2)]):
        held = get(cache, key(1))
        for number in (3, 4, 5):
            with cache.hold([key(number)]):
                get(cache, key(number))
        assert held.exists()
        assert there(cache) == [1, 5]


def test_more_than_it_holds_is_refused_so_that_the_shard_is_halved(cache: MediaCache) -> None:
    with pytest.raises(EvaluatorError) as caught, cache.hold([key(1), key(2), key(3), key(4)]):
        pass
    assert (caught.value.code.value, caught.value.reason) == ("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE")
    assert media_cache.VARIABLE in caught.value.remedy


def test_who_finds_no_room_waits_and_stops_when_its_budget_ends(cache: MediaCache) -> None:
    order: list[str] = []

    def second() -> None:
        with cache.hold([key(3), key(4)]):
            order.append("second")

    with cache.hold([key(1), key(2)]):
        thread = threading.Thread(target=second)
        thread.start()

        def late() -> None:
            raise EvaluatorError(media_cache.Code.DEADLINE_EXCEEDED, "BUDGET_USED_UP", "late")

        with pytest.raises(EvaluatorError, match="late"), cache.hold([key(5), key(6)], late):
            pass
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_one_fetch_for_all_threads(cache: MediaCache) -> None:
    fetches: list[int] = []
    barrier = threading.Barrier(4)

    def fetch(part: Path) -> None:
        fetches.append(1)
        time.sleep(0.05)
        part.write_bytes(b"x" * 10)

    def work() -> None:
        with cache.hold([key(1)]):
            barrier.wait(10)
            assert cache.file(key(1), fetch).read_bytes() == b"x" * 10

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(fetches) == 1


def test_a_failed_fetch_leaves_nothing_and_the_next_one_tries_again(cache: MediaCache) -> None:
    def fail(part: Path) -> None:
        part.write_bytes(b"half")
        raise OSError("gone")

    with cache.hold([key(1)]):
        with pytest.raises(OSError, match="gone"):
            cache.file(key(1), fail)
        assert there(cache) == []
        assert get(cache, key(1)).exists()
    with cache.hold([key(2, 30)]):
        get(cache, key(2, 30))
    assert there(cache) == [2]


def test_the_bound_is_set_by_the_environment_and_by_what_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(media_cache.VARIABLE, "7")
    with pytest.raises(EvaluatorError, match="holds 7"), MediaCache(None, tmp_path).hold([key(1, 8)]):
        pass
    monkeypatch.setenv(media_cache.VARIABLE, str(1 << 60))
    with pytest.raises(EvaluatorError), MediaCache(None, tmp_path).hold([key(1, 1 << 59)]):
        pass
    for wrong in ("many", "-1", "0", "1.5"):
        monkeypatch.setenv(media_cache.VARIABLE, wrong)
        with pytest.raises(ValueError, match=media_cache.VARIABLE):
            media_cache.configured_bytes()


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_has_is_not(tmp_path: Path, cache: MediaCache) -> None:
    living = cache.folder
    program = (
        "import os, pathlib, signal; from genlevel_evaluator.media_cache import MediaCache\n"
        f"cache = MediaCache(30, pathlib.Path({str(tmp_path)!r}))\n"
        "(cache.folder / 'left').write_text('x'); print(cache.folder, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    left = Path(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False).stdout.strip())
    assert (left / "left").exists()
    assert oct(os.stat(left).st_mode)[-3:] == "700"
    other = MediaCache(30, tmp_path)
    assert other.folder.exists()
    assert not left.exists()
    assert living.exists()


def test_it_goes_with_its_process(tmp_path: Path) -> None:
    program = f"import pathlib; from genlevel_evaluator.media_cache import MediaCache; print(MediaCache(30, pathlib.Path({str(tmp_path)!r})).folder)"
    folder = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert folder.startswith(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_another_process_removed_before_it_was_locked_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that start at once: one may take the other's new folder for that of a killed one."""
    lock, calls = fcntl.flock, []

    def late(handle: int, how: int) -> None:
        if not calls:
            calls.append(handle)
            media_cache._sweep(tmp_path)
        lock(handle, how)

    monkeypatch.setattr(media_cache.fcntl, "flock", late)
    cache = MediaCache(30, tmp_path)
    with cache.hold([key(1)]):
        assert get(cache, key(1)).exists()
    assert len(calls) == 1
