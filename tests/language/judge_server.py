"""A judge for tests: a real HTTP server that speaks `/chat/completions`, well or badly, and notes what it was asked."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODEL = "judge-model"
KEY = "sk_test_5f0c2a"


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def document(self) -> dict[str, Any]:
        """The question, the accepted answers and the candidate's, out of the user's message."""
        found, _ = json.JSONDecoder().raw_decode(self.body["messages"][1]["content"])
        assert isinstance(found, dict)
        return found


@dataclass
class Reply:
    """What is sent back: `text` as a completion, or `raw` as it is.

    Attributes:
        sleep: seconds before anything is sent.
        drip: seconds between the bytes of the body.
        cut: bytes of the body after which the connection is closed.
    """

    text: str | None = '{"verdict": 1}'
    status: int = 200
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    usage: dict[str, Any] | None = field(default_factory=lambda: {"prompt_tokens": 100, "completion_tokens": 5})
    sleep: float = 0.0
    drip: float = 0.0
    cut: int | None = None

    def body(self) -> bytes:
        """The bytes of the body."""
        if self.raw is not None:
            return self.raw
        table: dict[str, Any] = {"choices": [{"index": 0, "message": {"role": "assistant", "content": self.text}}]}
        return json.dumps(table | ({"usage": self.usage} if self.usage is not None else {})).encode()


def error(status: int, code: str = "", message: str = "", param: str | None = None, **headers: str) -> Reply:
    """An error in the protocol's form."""
    table = {"error": {"code": code or None, "message": message, "param": param, "type": None}}
    return Reply(status=status, raw=json.dumps(table).encode(), headers={name.replace("_", "-"): value for name, value in headers.items()})


def grade(request: Request) -> Reply:
    """A judge that accepts an answer that contains an accepted one."""
    document = request.document
    right = any(answer in document["candidate_answer"] for answer in document["accepted_answers"])
    return Reply(f'{{"verdict": {int(right)}}}')


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what some tests are about; other errors are shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class JudgeServer:
    """The server. `answer` says what to reply; `script` goes before it, one reply a request."""

    def __init__(self) -> None:
        self.answer: Callable[[Request], Reply] = grade
        self.script: list[Reply] = []
        self.requests: list[Request] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=lambda: self._server.serve_forever(poll_interval=0.02), daemon=True)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> JudgeServer:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                request = Request(self.path, dict(self.headers.items()), json.loads(self.rfile.read(length)))
                with server._counted(request) as reply, contextlib.suppress(OSError):
                    server._closing.wait(reply.sleep) if reply.sleep else None
                    self._send(reply)

            def _send(self, reply: Reply) -> None:
                body = reply.body()
                self.send_response(reply.status)
                for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if reply.drip:
                    for place in range(len(body)):
                        if server._closing.is_set():
                            break
                        self.wfile.write(body[place : place + 1])
                        time.sleep(reply.drip)
                else:
                    self.wfile.write(body[: reply.cut])
                self.close_connection = reply.cut is not None

            def do_GET(self) -> None:
                raise AssertionError("a judge is only asked by POST")

            def log_message(self, *arguments: object) -> None:
                pass

        return Handler

    @contextmanager
    def _counted(self, request: Request) -> Iterator[Reply]:
        with self._lock:
            self.requests.append(request)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            scripted = self.script.pop(0) if self.script else None
        try:
            yield scripted or self.answer(request)
        finally:
            with self._lock:
                self._at_once -= 1
