"""The media store and the store of states on a real S3 server and on a folder."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from genlevel_orchestrator.bundle.content import Content, Sample
from genlevel_orchestrator.bundle.media import MediaFile
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs import media_store, storage
from genlevel_orchestrator.runs.carriage import SHARD_INLINE_BYTES, SMALL_BYTES, Carriage, by_reference
from genlevel_orchestrator.runs.media_store import FileChanged, MediaStore
from genlevel_orchestrator.runs.storage import PART_BYTES, Storage, StorageError
from genlevel_orchestrator.runs.store import StateStore
from genlevel_orchestrator.settings import Settings, load_settings

KEY = "ab" * 32


@pytest.fixture(scope="module")
def servers(load_module: Callable[[Path], ModuleType]) -> ModuleType:
    return load_module(Path(__file__).parents[2] / "s3_servers.py")


@pytest.fixture(scope="module")
def bucket(servers: ModuleType) -> Iterator[Any]:
    with servers.moto() as files:
        yield files


@pytest.fixture(params=["s3", "folder"])
def url(request: pytest.FixtureRequest, tmp_path: Path, bucket: Any) -> str:
    """A store that is empty."""
    del bucket
    return f"s3://bucket/{tmp_path.name}" if request.param == "s3" else (tmp_path / "a store").as_uri()


def file(folder: Path, name: str, size: int) -> MediaFile:
    data = (name.encode() * (size // len(name) + 1))[:size]
    (folder / name).write_bytes(data)
    return MediaFile(name, hashlib.sha256(data).hexdigest(), size, path=folder / name)


@pytest.fixture
def files(tmp_path: Path) -> list[MediaFile]:
    """Small, of exactly one part, and of several parts; and one whose bytes came in the bundle."""
    data = b"in place"
    made = [file(tmp_path, f"{size}.bin", size) for size in (1, 100_000, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 9)]
    return [*made, MediaFile("inline.bin", hashlib.sha256(data).hexdigest(), len(data), data=data)]


def put(store: MediaStore, *shards: list[MediaFile]) -> list[dict[str, str]]:
    async def all_at_once() -> list[dict[str, str]]:
        return list(await asyncio.gather(*(store.put(shard) for shard in shards)))

    return asyncio.run(all_at_once())


def test_each_file_is_put_once_under_its_digest(url: str, files: list[MediaFile]) -> None:
    async def run() -> None:
        store = MediaStore(url)
        found = await asyncio.gather(store.put(files), store.put(files[::-1]), store.put(files[:2]))
        again = await store.put(files)
        assert store.uploads == len(files)
        assert found[0] == found[1] == again
        for item in files:
            assert found[0][item.sha256] == f"{store.url}/{item.sha256[:2]}/{item.sha256}"
            data = Storage(url, "media_store").read(f"{item.sha256[:2]}/{item.sha256}")
            assert data == (item.data if item.path is None else item.path.read_bytes())
        other = MediaStore(url)
        await other.put(files)
        assert other.uploads == 0

    asyncio.run(run())


def test_uploads_at_a_time_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, lock = 0, 0, threading.Lock()
    original = Storage.write

    def write(self: Storage, name: str, data: bytes) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        original(self, name, data)
        with lock:
            running -= 1

    monkeypatch.setattr(Storage, "write", write)
    put(MediaStore(str(tmp_path / "s")), [file(tmp_path, f"{index}.bin", 200_000) for index in range(40)])
    assert 1 <= most <= media_store.PARALLEL


@pytest.mark.parametrize("index", [1, 4])
def test_a_file_that_changed_is_not_published(url: str, files: list[MediaFile], index: int) -> None:
    chosen = files[index]
    assert chosen.path is not None
    chosen.path.write_bytes(b"z" * chosen.size)
    store = Storage(url, "media_store")
    with pytest.raises(FileChanged, match=chosen.name):
        put(MediaStore(url), [files[0], chosen])
    assert store.size(f"{chosen.sha256[:2]}/{chosen.sha256}") is None
    chosen.path.unlink()
    with pytest.raises(FileChanged, match=chosen.name):
        put(MediaStore(url), [chosen])


def test_what_was_cut_off_there_is_put_again(url: str, files: list[MediaFile]) -> None:
    name = f"{files[1].sha256[:2]}/{files[1].sha256}"
    Storage(url, "media_store").write(name, b"half")
    put(MediaStore(url), [files[1]])
    assert Storage(url, "media_store").size(name) == files[1].size


def test_a_store_that_comes_back_is_waited_for(url: str, files: list[MediaFile], monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that stays away is not waited for by every file."""
    monkeypatch.setattr(storage, "PAUSES", (0.01, 0.01))
    away = [2]
    original = storage._bounded

    def bounded(*arguments: Any) -> dict[str, float]:
        if away[0]:
            away[0] -= 1
            raise ConnectionResetError
        return original(*arguments)

    monkeypatch.setattr(storage, "_bounded", bounded)
    put(MediaStore(url), [files[0]])
    store = MediaStore(url)
    away[0] = 3
    with pytest.raises(StorageError) as caught:
        put(store, [files[0]])
    assert (away[0], caught.value.reason) == (0, "STORAGE_UNREACHABLE")
    with pytest.raises(StorageError):
        put(store, [files[1]])


@pytest.mark.parametrize("size", [100, 5000])
def test_states_in_a_bucket_and_in_a_folder(url: str, size: int) -> None:
    store = StateStore(url, 1000)
    state = bytes(size)
    inline, name = store.save(KEY, state)
    if size <= 1000:
        assert (inline, name) == (state, None)
        return
    assert inline is None
    assert name is not None
    assert store.save(KEY, state) == (None, name)
    assert store.has(name)
    assert StateStore(url, 1000).load(name) == state
    Storage(url, "state_store").write(name, b"damaged")
    assert store.load(name) is None
    store.save(KEY, state)
    assert store.load(name) == state
    store.remove(name)
    store.remove(name)
    assert not store.has(name)
    assert store.load(name) is None


def test_a_state_is_one_put_and_no_move(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A move on S3 is a copy and a removal: two writers of one state would take each other's parts away."""
    calls: list[str] = []
    kind = type(bucket)
    original = kind._call_s3

    async def call(self: Any, method: str, *arguments: Any, **named: Any) -> Any:
        calls.append(method)
        return await original(self, method, *arguments, **named)

    monkeypatch.setattr(kind, "_call_s3", call)
    StateStore("s3://bucket/one-put", 10).save(KEY, bytes(100))
    assert calls.count("put_object") == 1
    assert not {"copy_object", "delete_object", "delete_objects", "create_bucket"} & set(calls)


def test_writers_of_one_state_do_not_meet(tmp_path: Path) -> None:
    url = str(tmp_path / "states")
    faults: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(5):
                StateStore(url, 10).save(KEY, bytes(50_000))
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert faults == []
    _, name = StateStore(url, 10).save(KEY, bytes(50_000))
    assert name is not None
    assert StateStore(url, 10).load(name) == bytes(50_000)
    assert not list((tmp_path / "states").rglob("*.part"))


def test_storage_that_cannot_be_used_says_why(servers: ModuleType, bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del bucket
    (tmp_path / "file").write_text("x")

    def reason(url: str, write: bool = False) -> str:
        store = Storage(url, "state_store")
        with pytest.raises(UserError) as caught:
            store.write("a/b", b"x") if write else store.read("a/b")
        assert isinstance(caught.value, StorageError)
        assert "state_store" in caught.value.message
        assert caught.value.remedy
        assert servers.SECRET not in f"{caught.value.message} {caught.value.remedy}"
        return caught.value.reason

    assert reason("s3://nosuchbucket/x") == reason("s3://nosuchbucket/x", write=True) == "STORAGE_MISSING"
    assert reason(str(tmp_path / "file"), write=True) == "STORAGE_REFUSED"
    assert reason("nosuchscheme://x") == "STORAGE_REFUSED"
    with servers.refusing("InvalidAccessKeyId"):
        assert reason("s3://bucket/x") == reason("s3://bucket/x", write=True) == "STORAGE_DENIED"
    with servers.closed():
        assert reason("s3://bucket/x") == "STORAGE_UNREACHABLE"
    monkeypatch.setattr(storage, "_CALL_SECONDS", 2.0)
    monkeypatch.setattr(storage, "PAUSES", (0.01,))
    with servers.silent():
        assert reason("s3://bucket/x", write=True) == "STORAGE_UNREACHABLE"


def sample(key: str, *files: MediaFile, inside: bool = False) -> Sample:
    return Sample(key, Content(json={"masks": list(files)}) if inside else Content(media=files[0]), ())


def sized(size: int, name: str = "x") -> MediaFile:
    return MediaFile(name, hashlib.sha256(f"{name}{size}".encode()).hexdigest(), size, data=b"")


def test_what_goes_inline_and_what_does_not() -> None:
    small, large = sized(SMALL_BYTES), sized(SMALL_BYTES + 1)
    assert list(by_reference([sample("1", small), sample("2", large)]).values()) == [large]
    assert list(by_reference([sample("1", small, large, inside=True)]).values()) == [large]


@pytest.mark.parametrize("inside", [True, False])
def test_many_small_files_do_not_make_a_message_too_large(inside: bool) -> None:
    many = [sized(SMALL_BYTES, f"f{index}") for index in range(1000)]
    samples = [sample("1", *many, inside=True)] if inside else [sample(item.name, item) for item in many]
    away = by_reference(samples)
    inline = sum(item.size for item in many if item.sha256 not in away) * 4 / 3
    assert SHARD_INLINE_BYTES / 2 < inline <= SHARD_INLINE_BYTES


def test_a_file_that_changed_does_not_go_inline(tmp_path: Path) -> None:
    item = file(tmp_path, "a.bin", 1000)
    assert Carriage(False).media(item).inline == (tmp_path / "a.bin").read_bytes()
    (tmp_path / "a.bin").write_bytes(b"q" * 1000)
    for read in (Carriage(False).media, Carriage(False).in_json):
        with pytest.raises(FileChanged, match=r"a\.bin"):
            read(item)


@pytest.mark.parametrize("url", ["simplecache::s3://bucket", "ftp://user:hunter2@host/x"])
def test_settings_refuse_what_is_no_plain_url(url: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f'media_store = "{url}"\n')
    with pytest.raises(UserError, match="media_store") as caught:
        load_settings({"GENLEVEL_CONFIG": str(tmp_path / "config.toml")})
    assert "hunter2" not in str(caught.value)
    assert Settings(media_store="s3://bucket/x").media_store == "s3://bucket/x"
