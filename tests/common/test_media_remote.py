"""Media in a bucket, over a real S3 server: what is read, what is an issue of a sample, and what is the fault of the storage."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import evaluator_pb2_grpc, sample_pb2
from genlevel_evaluator import remote_media
from genlevel_evaluator.errors import EvaluatorError, SampleError
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.media_cache import MediaCache
from genlevel_evaluator.media_messages import remote_file
from genlevel_evaluator.media_roots import MediaRoots
from genlevel_evaluator.remote_media import BLOCK_BYTES, RemoteFile, RemoteMedia
from genlevel_evaluator.serve import bare

ROOT = "s3://bucket/media"
SIZES = [0, 1, 300_000, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES + 5]


@pytest.fixture(scope="module")
def servers(load_module: Callable[[Path], ModuleType]) -> ModuleType:
    return load_module(Path(__file__).parents[1] / "s3_servers.py")


@pytest.fixture(scope="module")
def bucket(servers: ModuleType) -> Iterator[dict[int, bytes]]:
    """Objects `media/SIZE` of the sizes above."""
    with servers.moto() as files:
        contents = {size: os.urandom(size) for size in SIZES}
        for size, data in contents.items():
            files.pipe_file(f"bucket/media/{size}", data)
        files.pipe_file("bucket/other/secret", b"secret")
        yield contents


@pytest.fixture
def media(tmp_path: Path) -> RemoteMedia:
    return RemoteMedia(MediaCache(64 << 20, tmp_path))


def named(key: str | int, data: bytes, size: int | None = None, root: str = ROOT) -> RemoteFile:
    digest = hashlib.sha256(data).hexdigest()
    return remote_file(MediaRoots.of([root]), f"{root}/{key}", digest, len(data) if size is None else size, f"pictures/{key}.png")


def test_files_of_every_size_are_read_whole(bucket: dict[int, bytes], media: RemoteMedia) -> None:
    files = {named(size, data): data for size, data in bucket.items()}
    with media.fetched(set(files)) as found:
        for file, data in files.items():
            blob = found[file]
            assert not isinstance(blob, SampleError)
            assert blob.read() == data
            assert (blob.suffix, blob.sha256) == (".png", file.sha256)
    with media.fetched(set(files)):
        assert media.fetches == len(files)


@pytest.mark.parametrize(
    ("key", "announced", "data", "code"),
    [
        (9, None, b"x", "MEDIA_MISSING"), (300_000, 299_999, None, "MEDIA_TRUNCATED"), (300_000, 300_001, None, "MEDIA_TRUNCATED"),
        (BLOCK_BYTES, 2 * BLOCK_BYTES + 1, None, "MEDIA_TRUNCATED"), (2 * BLOCK_BYTES + 5, BLOCK_BYTES, None, "MEDIA_TRUNCATED"),
        (0, 5, None, "MEDIA_TRUNCATED"), (1, 300_000, None, "MEDIA_TRUNCATED"), (300_000, 300_000, b"other", "MEDIA_DIGEST_MISMATCH"), (300_000, 0, b"other", "MEDIA_DIGEST_MISMATCH"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file(
    bucket: dict[int, bytes], media: RemoteMedia, key: int, announced: int | None, data: bytes | None, code: str
) -> None:
    file = named(key, bucket[key] if data is None else data, announced)
    good = named(1, bucket[1])
    with media.fetched({file, good}) as found:
        fault = found[file]
        assert isinstance(fault, SampleError)
        assert fault.code == code
        assert fault.remedy
        assert not isinstance(found[good], SampleError)
    assert sorted(path.name for path in media.cache.folder.iterdir()) == sorted(["lock", good.sha256])


def test_a_digest_is_needed_before_it_becomes_a_name(bucket: dict[int, bytes]) -> None:
    del bucket
    for digest in ("", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"):
        with pytest.raises(SampleError) as caught:
            RemoteFile(f"{ROOT}/1", digest, 1, "x")
        assert caught.value.code == "MEDIA_NO_DIGEST"


def test_one_fetch_however_many_shards_and_names(bucket: dict[int, bytes], media: RemoteMedia) -> None:
    digest = hashlib.sha256(bucket[300_000]).hexdigest()
    files = {RemoteFile(f"{ROOT}/300000", digest, 300_000, f"{name}.png") for name in "abcdef"}

    def work() -> None:
        with media.fetched(files) as found:
            assert len(found) == 6

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert media.fetches == 1


def test_a_budget_that_ends_ends_the_fetching(bucket: dict[int, bytes], media: RemoteMedia) -> None:
    def check() -> None:
        raise EvaluatorError(remote_media.Code.CANCELLED, "CALLER_LEFT", "gone")

    with pytest.raises(EvaluatorError, match="gone"), media.fetched({named(300_000, bucket[300_000])}, check):
        pass


@pytest.mark.parametrize("size", [300_000, 5_000])
def test_a_disk_that_is_full_is_told_as_such(size: int, tmp_path: Path) -> None:
    """Of a small file, which a buffered writer would write when it is closed, as of a large one."""
    folder = tmp_path / "there"
    folder.mkdir()
    data = os.urandom(size)
    (folder / "a").write_bytes(data)
    media = RemoteMedia(MediaCache(64 << 20, tmp_path))
    file = RemoteFile(f"file://{folder}/a", hashlib.sha256(data).hexdigest(), size, "a.png")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        with pytest.raises(EvaluatorError, match="the media cache cannot be written: File too large") as caught, media.fetched([file]):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.reason == "MESSAGE_TOO_LARGE"
    assert not list(media.cache.folder.glob("*.part"))


def failing(media: RemoteMedia, root: str = ROOT) -> tuple[str, str, str, float]:
    begun = time.monotonic()
    with pytest.raises(EvaluatorError) as caught, media.fetched({named(number, b"%d" % number, root=root) for number in range(1, 12)}):
        pass
    error = caught.value
    return error.code.value, error.reason, f"{error.message}; {error.remedy}", time.monotonic() - begun


def test_storage_that_is_not_there(servers: ModuleType, bucket: dict[int, bytes], media: RemoteMedia, caplog: pytest.LogCaptureFixture) -> None:
    del bucket
    caplog.set_level(logging.DEBUG, "genlevel_evaluator")
    assert failing(media, "s3://nosuchbucket/media")[:2] == ("FAILED_PRECONDITION", "MEDIA_STORE_MISSING")
    with servers.closed():
        code, reason, text, seconds = failing(RemoteMedia(media.cache))
        assert (code, reason) == ("UNAVAILABLE", "MEDIA_STORE_UNREACHABLE")
        assert seconds < 20
        assert "s3://bucket" in text
        assert "127.0.0.1" in text
    with servers.environment("", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", AWS_SHARED_CREDENTIALS_FILE="/none", AWS_CONFIG_FILE="/none"):
        assert failing(RemoteMedia(media.cache))[:2] == ("FAILED_PRECONDITION", "MEDIA_STORE_NO_CREDENTIALS")


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("AccessDenied", 403, ("FAILED_PRECONDITION", "MEDIA_STORE_DENIED")), ("ExpiredToken", 400, ("FAILED_PRECONDITION", "MEDIA_STORE_DENIED")),
        ("SlowDown", 503, ("UNAVAILABLE", "MEDIA_STORE_UNREACHABLE")), ("InvalidBucketName", 400, ("FAILED_PRECONDITION", "MEDIA_STORE_REFUSED")),
    ],
)  # fmt: skip
def test_storage_that_refuses(servers: ModuleType, media: RemoteMedia, code: str, status: int, expected: tuple[str, str]) -> None:
    with servers.refusing(code, status):
        *found, text, seconds = failing(media)
    assert tuple(found) == expected
    assert code in text
    assert servers.SECRET not in text
    assert seconds < 30


def test_storage_that_never_answers_is_named_in_time(servers: ModuleType, media: RemoteMedia, monkeypatch: pytest.MonkeyPatch) -> None:
    assert remote_media._CALL_SECONDS <= 30
    monkeypatch.setattr(remote_media, "_CALL_SECONDS", 2.0)
    with servers.silent():
        code, reason, _, seconds = failing(media)
    assert (code, reason) == ("UNAVAILABLE", "MEDIA_STORE_UNREACHABLE")
    assert seconds < 20


def test_an_idle_evaluator_has_no_client_of_s3() -> None:
    program = (
        "import sys; from genlevel_evaluator.evaluator import load; from genlevel_evaluator.handlers import Handlers\n"
        "Handlers(load('language'), ['/data', 's3://bucket/p'])\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'s3fs', 'aiobotocore', 'botocore', 'aiohttp', 'boto3'}))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def evaluate(shard: list[sample_pb2.Sample], roots: list[str]) -> Any:
    """What a bare server of language answers, or the error of the call."""

    async def call() -> Any:
        server, port = await bare.start(load("language"), roots=roots)
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                header = pb.RequestHeader(evaluator="language", protocol_version=1)
                request = pb.EvaluateShardRequest(header=header, metric=pb.MetricSpec(metric="accuracy"), samples=shard, finalize=True)
                return await evaluator_pb2_grpc.EvaluatorServiceStub(channel).EvaluateShard(request)
        finally:
            await server.stop(0)

    try:
        return asyncio.run(call())
    except grpc.aio.AioRpcError as error:
        return error


def by_uri(key: str, uri: str, data: bytes) -> sample_pb2.Sample:
    file = sample_pb2.Media(uri=uri, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data), name=f"{key}.txt")
    content = sample_pb2.Content(media=file)
    return sample_pb2.Sample(id=key, prediction=content, references=[content])


def test_a_shard_over_grpc(servers: ModuleType, bucket: dict[int, bytes]) -> None:
    del bucket
    secret = by_uri("outside", "s3://bucket/other/secret", b"secret")
    with servers.environment(os.environ["AWS_ENDPOINT_URL"]):
        import fsspec

        fsspec.filesystem("s3").pipe_file("bucket/media/text", b"a cat")
        response = evaluate([by_uri("good", f"{ROOT}/text", b"a cat"), by_uri("gone", f"{ROOT}/nothing", b"a dog"), secret], [ROOT])
        assert {(issue.sample_id, issue.code) for issue in response.issues} == {
            ("gone", "MEDIA_MISSING"), ("outside", "MEDIA_OUTSIDE_ROOT"),
        }  # fmt: skip
        # One file is the prediction and the reference: each side has its own fault.
        assert len([issue for issue in response.issues if issue.sample_id == "gone"]) == 2
        assert (response.value.value, response.value.excluded) == (100.0, 2)
        refused = evaluate([secret], ["/data"])
        assert {issue.code for issue in refused.issues} == {"MEDIA_SCHEME"}


def test_storage_that_is_away_is_a_failure_of_the_call(servers: ModuleType) -> None:
    with servers.closed():
        error = evaluate([by_uri("1", f"{ROOT}/text", b"a cat")], [ROOT])
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert "cannot be reached" in error.details()
    with servers.refusing():
        error = evaluate([by_uri("1", f"{ROOT}/text", b"a cat")], [ROOT])
    assert error.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert servers.SECRET not in f"{error.details()} {error.trailing_metadata()}"
