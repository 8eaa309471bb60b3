"""Submissions over the wire: sent once, checked before anything is made of them, and nothing kept of what is broken."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from genlevel.v1 import orchestrator_pb2 as pb
from genlevel.v1 import orchestrator_pb2_grpc
from genlevel_orchestrator.api import uploads as uploads_module
from genlevel_orchestrator.api.packing import Package
from genlevel_orchestrator.api.runs_backend import JournalBackend
from genlevel_orchestrator.api.server import OrchestratorServer, ServerOptions
from genlevel_orchestrator.api.uploads import UploadStore
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs.service import RunService
from genlevel_orchestrator.settings import Settings, Uploads

TOKEN = "0123456789abcdef-token"


def a_zip(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def messages(content: bytes, cut: int = 0, **start: Any) -> Iterator[pb.UploadBundleRequest]:
    """An upload; ``cut`` leaves bytes out at the end, ``start`` says other things than the truth."""
    told = {"file_name": "b.zip", "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), **start}
    yield pb.UploadBundleRequest(start=pb.UploadStart(**told))
    sent = content[: len(content) - cut]
    for place in range(0, len(sent), 1 << 20):
        yield pb.UploadBundleRequest(chunk=sent[place : place + (1 << 20)])


Visit = Callable[[Any, UploadStore], Any]


def with_server(tmp_path: Path, visit: Visit, limits: Uploads | None = None, token: str | None = None) -> Any:
    """A server with a store of uploads; the visit makes calls of its own."""

    async def main() -> Any:
        service = RunService(Settings(state=tmp_path / "state"))
        store = UploadStore(tmp_path / "state" / "uploads", limits or Uploads(keep_free_bytes=0))
        server = OrchestratorServer(JournalBackend(service), [], ServerOptions(token=token), service.catalogue, store)
        address = await server.start()
        try:
            async with grpc.aio.insecure_channel(address) as channel:
                return await asyncio.wait_for(visit(orchestrator_pb2_grpc.OrchestratorServiceStub(channel), store), 60)
        finally:
            await server.stop(0.2)
            service.close()

    return asyncio.run(main())


def left(store: UploadStore) -> list[str]:
    return [path.name for path in store.folder.rglob("*") if path.is_file()]


def test_an_upload_lies_here_by_its_digest_and_is_not_sent_twice(tmp_path: Path) -> None:
    content = a_zip(a=os.urandom(3 << 20))
    digest = hashlib.sha256(content).hexdigest()

    async def visit(stub: Any, store: UploadStore) -> None:
        asked = pb.CheckUploadRequest(sha256=digest, size_bytes=len(content))
        assert (await stub.CheckUpload(asked)).bundle_uri == ""
        uri = (await stub.UploadBundle(messages(content))).bundle_uri
        assert store.path(uri, "bundle_uri").read_bytes() == content
        assert (await stub.CheckUpload(asked)).bundle_uri == uri
        # The server answers a second one after its first message.
        assert (await stub.UploadBundle(messages(content, cut=len(content) - 1))).bundle_uri == uri
        assert left(store) == [f"{digest}.zip"]

    with_server(tmp_path, visit)


@pytest.mark.parametrize(
    ("make", "code", "reason", "words"),
    [
        (lambda c: messages(c, cut=5), grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST", "cut off"),
        (lambda c: messages(c, sha256="0" * 64), grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST", "digest"),
        (lambda c: messages(c, size_bytes=len(c) - 1), grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST", "announced"),
        (lambda c: messages(c, sha256="../../etc/passwd"), grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST", "no SHA-256"),
        (lambda c: messages(c, size_bytes=0), grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST", "zero"),
        (lambda c: messages(c, size_bytes=2 << 20), grpc.StatusCode.RESOURCE_EXHAUSTED, "UPLOAD_TOO_LARGE", "are taken"),
        (lambda c: list(messages(c))[1:], grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST", "first message"),
        (lambda c: [], grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST", "first message"),
        (lambda c: [*list(messages(c))[:1]] * 2, grpc.StatusCode.INVALID_ARGUMENT, "BAD_REQUEST", "chunk"),
        (lambda c: messages(b"no zip at all"), grpc.StatusCode.INVALID_ARGUMENT, "UNSAFE_ZIP", "no usable zip"),
        (lambda c: messages(a_zip(**{"../out": b"x"})), grpc.StatusCode.INVALID_ARGUMENT, "UNSAFE_ZIP", "leads out"),
    ],
)
def test_what_is_wrong_with_an_upload_is_told_and_nothing_of_it_stays(
    tmp_path: Path, calls: Any, make: Any, code: grpc.StatusCode, reason: str, words: str
) -> None:
    async def visit(stub: Any, store: UploadStore) -> None:
        call = stub.UploadBundle(iter(make(a_zip(a=b"content"))))
        found, info, _ = await calls.refused(call)
        assert (found, info.reason) == (code, reason)
        assert words in (await call.details())
        assert left(store) == []

    with_server(tmp_path, visit, Uploads(max_bytes=1 << 20, keep_free_bytes=0))


def test_a_full_disk_is_told_before_anything_is_sent(tmp_path: Path, calls: Any) -> None:
    async def visit(stub: Any, store: UploadStore) -> None:
        code, info, _ = await calls.refused(stub.UploadBundle(messages(a_zip(a=b"x"))))
        assert (code, info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "NO_SPACE")
        assert "prune" in info.metadata["remedy"]

    with_server(tmp_path, visit, Uploads(keep_free_bytes=1 << 60))


def test_an_upload_that_stalls_or_whose_sender_leaves_keeps_no_room(
    tmp_path: Path, calls: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads_module, "CHUNK_SECONDS", 0.5)

    async def half(then: float) -> AsyncIterator[pb.UploadBundleRequest]:
        for message in list(messages(a_zip(a=os.urandom(3 << 20))))[:2]:
            yield message
        await asyncio.sleep(then)

    async def visit(stub: Any, store: UploadStore) -> None:
        code, info, _ = await calls.refused(stub.UploadBundle(half(30)))
        assert (code, info.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "UPLOAD_STALLED")
        call = stub.UploadBundle(half(30))
        await asyncio.sleep(0.2)
        assert len(left(store)) == 1
        call.cancel()
        await asyncio.sleep(0.3)
        assert (left(store), store._reserved) == ([], 0)

    with_server(tmp_path, visit)


def test_uploads_need_the_token(tmp_path: Path) -> None:
    async def visit(stub: Any, store: UploadStore) -> None:
        for value in ("", "Bearer wrong"):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.UploadBundle(messages(a_zip(a=b"x")), metadata=(("authorization", value),) if value else ())
            assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
        right = (("authorization", f"Bearer {TOKEN}"),)
        assert (await stub.UploadBundle(messages(a_zip(a=b"x")), metadata=right)).bundle_uri

    with_server(tmp_path, visit, token=TOKEN)


@pytest.mark.parametrize("uri", ["upload:sha256:" + "0" * 64, "upload:sha256:../../x", "upload:other"])
def test_a_run_of_an_upload_that_is_not_here(tmp_path: Path, calls: Any, uri: str) -> None:
    async def visit(stub: Any, store: UploadStore) -> None:
        code, _, fields = await calls.refused(stub.CreateRun(pb.CreateRunRequest(model="m", bundle_uri=uri)))
        assert code in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED)
        assert fields == ["bundle_uri"]

    with_server(tmp_path, visit)


# What is sent of a folder


def test_a_folder_is_the_same_zip_anywhere(tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name / "bundle"
        (folder / "image" / "task").mkdir(parents=True)
        (folder / "image" / "task" / "annotation.json").write_text("[]" * 1000)
        (folder / "image" / "task" / "ä picture.png").write_bytes(bytes(range(256)) * 20_000)
        os.utime(folder / "image" / "task" / "annotation.json", (1, 1 if name == "one" else 10**9))
    one, two = (Package(tmp_path / name / "bundle").measure() for name in ("one", "two"))
    assert (one.size, one.sha256) == (two.size, two.sha256)
    chunks = list(one.chunks())
    assert max(map(len, chunks)) == 1 << 20
    with zipfile.ZipFile(io.BytesIO(b"".join(chunks))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["image/task/annotation.json", "image/task/ä picture.png"]


def test_links_are_followed_inside_and_left_out_where_they_lead_out(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "b"
    (folder / "real").mkdir(parents=True)
    (folder / "real" / "a.txt").write_text("a")
    (folder / "again").symlink_to("real")
    (folder / "real" / "loop").symlink_to("..")
    (folder / "out").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe")
    package = Package(folder).measure()
    with zipfile.ZipFile(io.BytesIO(b"".join(package.chunks()))) as archive:
        assert archive.namelist() == ["again/a.txt", "real/a.txt"]
    assert sorted(package.left_out) == ["again/loop", "out", "pipe", "real/loop"]


def test_a_folder_without_files_is_not_sent(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no file to send"):
        Package(tmp_path).measure()
