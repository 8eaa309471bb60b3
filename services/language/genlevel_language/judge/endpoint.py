"""One request to a judge, and what its failure means.

The key goes in a header to the configured host and nowhere else: redirects are not followed, and no text of the other side is quoted
in an error, since some endpoints repeat the key in theirs.
"""

from __future__ import annotations

import contextlib
import email.utils
import json
import re
import ssl
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import aiohttp

from genlevel_evaluator.errors import Code, EvaluatorError, SampleError
from genlevel_language.judge import settings as names
from genlevel_language.judge.settings import JudgeSettings

MOST_BYTES = 1 << 20
MOST_TOKENS = 1024
_OPTIONAL = ("seed", "max_tokens")
"""What a request may go without, where the endpoint does not know it."""
_PASSING = frozenset({408, 409, 425, 429})
_WORD = re.compile(r"[a-z][a-z0-9_.]{0,59}")


@dataclass(frozen=True)
class Completion:
    """A reply. `text` is None where there was none, and `fault` says why; tokens are None where they were not said."""

    text: str | None
    tokens_in: int | None = None
    tokens_out: int | None = None
    fault: str = ""


class Passing(Exception):
    """A failure that may pass. `wait` is how many seconds the endpoint asked for."""

    def __init__(self, what: str, wait: float = 0.0) -> None:
        super().__init__(what)
        self.what = what
        self.wait = wait


class Endpoint:
    """An OpenAI-compatible endpoint. Lives on one event loop; connections are kept while someone is inside `async with`."""

    def __init__(self, settings: JudgeSettings) -> None:
        self._settings = settings
        self._without: set[str] = set()
        self._session: aiohttp.ClientSession | None = None
        self._users = 0
        self._proxy = _proxy(settings.url)

    async def __aenter__(self) -> Endpoint:
        self._users += 1
        if self._session is None:
            # Proxies are ours to choose: with trust_env the session would also read ~/.netrc and send what it finds there.
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._settings.timeout_seconds),
                connector=aiohttp.TCPConnector(limit=self._settings.concurrency),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._users -= 1
        if not self._users and self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def ask(self, messages: Sequence[Mapping[str, str]], seed: int) -> Completion:
        """One request.

        Raises:
            Passing: it may work later.
            SampleError: this question is refused.
            EvaluatorError: every question would be.
        """
        while True:
            body = {"model": self._settings.model, "messages": list(messages), "temperature": 0, "seed": seed, "max_tokens": MOST_TOKENS}
            sent = {name: value for name, value in body.items() if name not in self._without}
            status, headers, data = await self._post(sent)
            if status == 200:
                return _completion(data)
            word, unknown = _said(data, self._settings.key)
            if status in (400, 422) and unknown & sent.keys():
                self._without |= unknown
                continue
            self._refuse(status, headers, word)

    async def _post(self, body: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes | None]:
        assert self._session is not None
        # Nothing is unpacked, so the bound on a reply's size is one on what it becomes.
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
        if self._settings.key:
            headers["Authorization"] = f"Bearer {self._settings.key}"
        url = f"{self._settings.url}/chat/completions"
        data = json.dumps(body).encode()
        try:
            async with self._session.post(url, data=data, headers=headers, allow_redirects=False, proxy=self._proxy) as response:
                return response.status, response.headers, await _bounded(response)
        except TimeoutError:
            raise Passing(f"no reply within {self._settings.timeout_seconds:g} s") from None
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            raise EvaluatorError(
                Code.FAILED_PRECONDITION, "JUDGE_CERTIFICATE", f"no trusted TLS connection to the judge at {self._settings.place} ({type(error).__name__})",
                f"correct {names.URL}, or name the authority's certificate in SSL_CERT_FILE",
            ) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Passing(f"connection failed ({type(error).__name__})") from None

    def _refuse(self, status: int, headers: Mapping[str, str], word: str) -> NoReturn:
        """Raises what a status other than 200 means."""
        told = f"HTTP {status}{f', {word}' if word else ''}"
        self._refuse_for_good(status, told, word)
        if status in _PASSING or status >= 500:
            raise Passing(told, _retry_after(headers.get("Retry-After", "")))
        raise SampleError(
            "JUDGE_REFUSED", f"the judge refuses this question ({told})", remedy="see what the endpoint allows in length and content", side="infrastructure"
        )

    def _refuse_for_good(self, status: int, told: str, word: str) -> None:
        place, model = self._settings.place, self._settings.model
        reason, what, remedy = "", "", ""
        if status in (401, 403):
            reason, what, remedy = "JUDGE_KEY_REFUSED", "refuses the key", f"correct {names.KEY} or the file that {names.KEY_FILE} names"
        elif status in (404, 405):
            reason, what, remedy = "JUDGE_NOT_FOUND", f"knows no model {model}, or no /chat/completions", f"correct {names.MODEL} and {names.URL}"
        elif status == 402 or (status == 429 and word == "insufficient_quota"):
            reason, what, remedy = "JUDGE_QUOTA", "says that the account has nothing left", "raise its quota, then resume the run"
        elif 300 <= status < 400:
            reason, what, remedy = "JUDGE_REDIRECTS", "answers with a redirect, which is not followed", f"set {names.URL} to the address it leads to"
        elif status == 400 and "temperature" in word:
            reason, what, remedy = "JUDGE_TEMPERATURE", f"does not take temperature 0 for {model}", f"choose another model in {names.MODEL}"
        if reason:
            raise EvaluatorError(Code.FAILED_PRECONDITION, reason, f"the judge at {place} {what} ({told})", remedy)


async def _bounded(response: aiohttp.ClientResponse) -> bytes | None:
    """The body; None where it is larger than MOST_BYTES."""
    data = bytearray()
    async for part in response.content.iter_chunked(1 << 16):
        data += part
        if len(data) > MOST_BYTES:
            response.close()
            return None
    return bytes(data)


def _json(data: bytes | None) -> Any:
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(data or b"")
    return None


def _completion(data: bytes | None) -> Completion:
    if data is None:
        return Completion(None, fault=f"a reply of more than {MOST_BYTES} bytes")
    table = _json(data)
    if not isinstance(table, dict):
        return Completion(None, fault="a reply that is not a JSON object")
    usage = table.get("usage")
    tokens_in, tokens_out = (_count(usage.get(name)) if isinstance(usage, dict) else None for name in ("prompt_tokens", "completion_tokens"))
    try:
        text = table["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return Completion(None, tokens_in, tokens_out, "a reply without a choice")
    if not isinstance(text, str):
        return Completion(None, tokens_in, tokens_out, "a choice without text")
    return Completion(text, tokens_in, tokens_out)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40 else None


def _said(data: bytes | None, key: str) -> tuple[str, set[str]]:
    """The endpoint's own word for an error, and which optional parts of the request its text names."""
    table = _json(data)
    error = table.get("error") if isinstance(table, dict) else None
    if not isinstance(error, dict):
        return "", set()
    words = [value for value in (error.get("code"), error.get("type")) if isinstance(value, str) and _WORD.fullmatch(value)]
    words = [word for word in words if not key or key not in word]
    about = f"{error.get('param')} {error.get('message')}"
    if error.get("param") == "temperature":
        words.insert(0, "temperature")
    return (words or [""])[0], {name for name in _OPTIONAL if re.search(rf"\b{name}\b", about)}


def _retry_after(text: str) -> float:
    """Seconds that a Retry-After asks for, given as a number or as a date."""
    try:
        return max(0.0, float(text)) if text else 0.0
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for this URL."""
    request = urllib.request.Request(url)
    if not request.host or urllib.request.proxy_bypass(request.host):
        return None
    return urllib.request.getproxies().get(request.type)


