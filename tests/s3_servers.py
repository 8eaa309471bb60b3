"""Servers that speak S3 over real HTTP: moto's, one that refuses everybody, and one that never answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import fsspec
import pytest
from moto.server import ThreadedMotoServer

SECRET = "hunter2-this-must-not-be-seen"
BUCKET = "bucket"


@contextmanager
def environment(endpoint: str, **variables: str) -> Iterator[None]:
    """The usual variables of an S3 client, for as long as the context lasts."""
    values = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_DEFAULT_REGION": "us-east-1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**values, "AWS_EC2_METADATA_DISABLED": "true", **variables}.items():
            if value:
                patch.setenv(name, value)
            else:
                patch.delenv(name, raising=False)
        forget()
        try:
            yield
        finally:
            forget()


def forget() -> None:
    """Clients that fsspec keeps know the environment they were made in."""
    fsspec.get_filesystem_class("s3").clear_instance_cache()


@contextmanager
def moto() -> Iterator[Any]:
    """moto's server with one bucket, as a file system of fsspec."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        with environment(f"http://{host}:{port}"):
            files = fsspec.filesystem("s3", use_listings_cache=False)
            if not files.exists(BUCKET):  # moto's buckets outlive its servers
                files.mkdir(BUCKET)
            yield files
    finally:
        server.stop()


@contextmanager
def refusing(code: str = "AccessDenied", status: int = 403) -> Iterator[str]:
    """Endpoint that answers every request with an error of S3; its text holds what must not be passed on."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{SECRET}</Message></Error>".encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # with it a client that waits for "100 Continue" gets it

        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            del arguments

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with environment(f"http://127.0.0.1:{server.server_address[1]}"):
            yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def closed() -> Iterator[None]:
    """An endpoint where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with environment(f"http://127.0.0.1:{taken.getsockname()[1]}"):
            yield


@contextmanager
def silent() -> Iterator[None]:
    """An endpoint that takes connections and never answers."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        with environment(f"http://127.0.0.1:{listening.getsockname()[1]}"):
            yield
