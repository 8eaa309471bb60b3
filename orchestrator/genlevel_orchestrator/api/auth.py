"""Who may call: a bearer token from the environment or a file, compared in constant time."""

from __future__ import annotations

import hmac
import ipaddress
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import grpc

from genlevel_orchestrator.api.errors import ApiError, abort
from genlevel_orchestrator.errors import UserError

TOKEN_VARIABLE = "GENLEVEL_TOKEN"
TOKEN_FILE_VARIABLE = "GENLEVEL_TOKEN_FILE"
# Probes of Kubernetes cannot send metadata.
OPEN_SERVICES = ("/grpc.health.v1.Health/",)
SHORTEST_TOKEN = 16


def read_token(token_file: Path | None = None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the token of a file, else of the environment, else None. A token is never taken from the command line.

    Raises:
        UserError: When the file cannot be read or the token is too short to be one.
    """
    named = environment.get(TOKEN_FILE_VARIABLE)
    path = token_file or (Path(named) if named else None)
    if path is not None:
        try:
            token = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"the token file {path} cannot be read ({error})", "Write the token into it as one line.") from None
    else:
        token = environment.get(TOKEN_VARIABLE, "").strip()
        if not token:
            return None
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise UserError(
            f"the token is not at least {SHORTEST_TOKEN} printable ASCII characters without a space",
            "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
    return token


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a host.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0"), is_loopback("[::1]")
    (True, True, False, True)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class TokenInterceptor(grpc.aio.ServerInterceptor):
    """Refuses calls without the token; health checks pass."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Return the handler of a call, or one that refuses it."""
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method.startswith(OPEN_SERVICES):
            return handler
        given = [value for key, value in handler_call_details.invocation_metadata or () if key == "authorization"]
        sent = given[0] if len(given) == 1 else ""
        # Bytes, as compare_digest takes no other text than ASCII.
        if hmac.compare_digest(str(sent).encode(), self._expected):
            return handler
        return _refusing(handler)


def _refusing(handler: Any) -> Any:
    error = ApiError(
        grpc.StatusCode.UNAUTHENTICATED, "NO_VALID_TOKEN", "this server needs a bearer token, and the call carries no valid one",
        f"set {TOKEN_VARIABLE} or {TOKEN_FILE_VARIABLE}",
    )  # fmt: skip

    async def refuse(request: Any, context: Any) -> None:
        await abort(context, error)

    makers = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    make = makers[handler.request_streaming, handler.response_streaming]
    return make(refuse, handler.request_deserializer, handler.response_serializer)
