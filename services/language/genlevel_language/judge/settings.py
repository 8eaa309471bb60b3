"""Where the judge is: environment variables, read anew for each shard so that a key can be changed while an evaluator runs."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.weights import cache_root

URL = "GENLEVEL_JUDGE_URL"
MODEL = "GENLEVEL_JUDGE_MODEL"
KEY = "GENLEVEL_JUDGE_KEY"
KEY_FILE = "GENLEVEL_JUDGE_KEY_FILE"
TIMEOUT = "GENLEVEL_JUDGE_TIMEOUT_SECONDS"
RETRY = "GENLEVEL_JUDGE_RETRY_SECONDS"
CONCURRENCY = "GENLEVEL_JUDGE_CONCURRENCY"
PRICE_IN = "GENLEVEL_JUDGE_PRICE_IN"
PRICE_OUT = "GENLEVEL_JUDGE_PRICE_OUT"
CACHE_DIR = "GENLEVEL_JUDGE_CACHE_DIR"
MOST_AT_ONCE = 256


@dataclass(frozen=True)
class JudgeSettings:
    """A judge.

    Attributes:
        url: base URL; `/chat/completions` is added.
        model: as the endpoint calls it.
        key: sent as bearer token; empty sends none.
        timeout_seconds: of one request, from its first byte to the last of the reply.
        retry_seconds: how long a question is tried again before it stays without an answer.
        concurrency: requests of this process in flight.
        cache_folder: where answers are kept.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    timeout_seconds: float = 60.0
    retry_seconds: float = 120.0
    concurrency: int = 8
    cache_folder: Path = Path()

    @property
    def place(self) -> str:
        """Host and port, for messages."""
        return urlsplit(self.url).netloc


def configured_model(environment: Mapping[str, str] = os.environ) -> str:
    """Name of the judge model; empty when no judge is configured."""
    return _value(environment, MODEL) if _value(environment, URL) else ""


def judge_settings(environment: Mapping[str, str] = os.environ) -> JudgeSettings:
    """The judge that the environment names.

    Raises:
        EvaluatorError: FAILED_PRECONDITION when there is none, or a variable cannot be used.
    """
    absent = [name for name in (URL, MODEL) if not _value(environment, name)]
    if absent:
        raise EvaluatorError(
            Code.FAILED_PRECONDITION, "JUDGE_NOT_CONFIGURED", f"gpt_score needs a judge, and {' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not set",
            f"set {URL} (base URL of an OpenAI-compatible endpoint), {MODEL} and, where it asks for one, {KEY} or {KEY_FILE} where the "
            "language evaluator runs, or give verdicts instead of answers (docs/formats.md, kind verdict)",
        )
    folder = _value(environment, CACHE_DIR)
    return JudgeSettings(
        url=_url(_value(environment, URL)),
        model=_value(environment, MODEL),
        key=_key(environment),
        timeout_seconds=_number(environment, TIMEOUT, 60.0, 0.05, 3600.0),
        retry_seconds=_number(environment, RETRY, 120.0, 0.0, 3600.0),
        concurrency=int(_number(environment, CONCURRENCY, 8, 1, MOST_AT_ONCE)),
        cache_folder=Path(folder).expanduser() if folder else cache_root() / "judge",
    )


def prices(environment: Mapping[str, str] = os.environ) -> tuple[float, float] | None:
    """Price of a million tokens in and out, in whatever currency; None unless both are set."""
    if not (_value(environment, PRICE_IN) and _value(environment, PRICE_OUT)):
        return None
    return _number(environment, PRICE_IN, 0.0, 0.0, 1e9), _number(environment, PRICE_OUT, 0.0, 0.0, 1e9)


def _value(environment: Mapping[str, str], name: str) -> str:
    return environment.get(name, "").strip()


def _bad(name: str, what: str, remedy: str) -> EvaluatorError:
    return EvaluatorError(Code.FAILED_PRECONDITION, "JUDGE_MISCONFIGURED", f"{name} {what}", remedy)


def _url(text: str) -> str:
    remedy = f"set {URL} to a base URL such as https://judge.example.com/v1"
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0) and len(text.split()) == 1
    except ValueError:
        usable = False
    if not usable:
        raise _bad(URL, "is not an http or https URL", remedy)
    if parts.username or parts.password or parts.query or parts.fragment:  # secrets in a URL end up in logs
        raise _bad(URL, "holds a user, a query or a fragment", f"{remedy}, and the key in {KEY} or {KEY_FILE}")
    return text.rstrip("/").removesuffix("/chat/completions")


def _key(environment: Mapping[str, str]) -> str:
    name, key = KEY, _value(environment, KEY)
    if path := _value(environment, KEY_FILE):
        name = KEY_FILE
        try:
            key = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise _bad(KEY_FILE, f"names {path}, which cannot be read ({type(error).__name__})", "correct it, or its permissions") from None
    if not key.isascii() or any(character.isspace() or not character.isprintable() for character in key):
        raise _bad(name, "holds something that is not a key", "give the key alone, in one line")
    return key


def _number(environment: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = _value(environment, name)
    try:
        number = float(text) if text else default
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise _bad(name, "is not a number in its range", f"give a number from {low:g} to {high:g}, or unset it")
    return number
