"""The orchestrator's server: a plain grpc.aio server with TLS, token, health and reflection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from genlevel.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from genlevel_orchestrator.api.auth import TokenInterceptor, is_loopback
from genlevel_orchestrator.api.backend import RunBackend
from genlevel_orchestrator.api.health import Health
from genlevel_orchestrator.api.service import MAX_MESSAGE_BYTES, OrchestratorService
from genlevel_orchestrator.api.uploads import UploadStore
from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.errors import ExitCode, UserError

SERVICE = orchestrator_pb2.DESCRIPTOR.services_by_name["OrchestratorService"].full_name
OPTIONS = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.so_reuseport", 0),  # two servers never share a port in silence
    # Clients ask on idle connections whether we still live (their watch of a long run has nothing else to say).
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
]


@dataclass(frozen=True)
class ServerOptions:
    """How to listen. ``client_authority`` demands certificates of clients (mutual TLS)."""

    host: str = "127.0.0.1"
    port: int = 0
    token: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    client_authority: Path | None = None
    reflection: bool = True


class OrchestratorServer:
    """A server over a backend: start it, then wait or stop."""

    def __init__(
        self, backend: RunBackend, roots: Sequence[Path], options: ServerOptions, catalogue: Catalogue | None = None,
        uploads: UploadStore | None = None,
    ) -> None:  # fmt: skip
        check_options(options)
        self._options = options
        self._backend = backend
        interceptors = [TokenInterceptor(options.token)] if options.token else []
        self._server = grpc.aio.server(options=OPTIONS, interceptors=interceptors)
        self._health = Health()
        service = OrchestratorService(backend, catalogue or Catalogue.load(), roots, uploads)
        orchestrator_pb2_grpc.add_OrchestratorServiceServicer_to_server(service, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health.servicer, self._server)
        if options.reflection:
            names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self._server)

    async def start(self) -> str:
        """Listen, and return the address.

        Raises:
            UserError: When the port is taken or the TLS files are wrong.
        """
        options = self._options
        wanted = f"{options.host}:{options.port}"
        try:
            port = self._bind(wanted)
        except RuntimeError:
            port = 0
        if not port:
            raise UserError(f"cannot listen on {wanted}", "Stop what uses the port, or choose another with --port.")
        await self._server.start()
        await self.set_ready(True)
        return f"{options.host}:{port}"

    async def set_ready(self, serving: bool) -> None:
        """Tell health checks whether calls can be served."""
        await self._health.set(("", SERVICE), serving)

    def _bind(self, address: str) -> int:
        credentials = _credentials(self._options)
        if credentials is None:
            return int(self._server.add_insecure_port(address))
        return int(self._server.add_secure_port(address, credentials))

    async def stop(self, grace: float = 5.0) -> None:
        """Say so to health checks, let calls finish, then stop the runs at work."""
        await self._health.servicer.enter_graceful_shutdown()
        await self._backend.close()
        await self._server.stop(grace)


def check_options(options: ServerOptions) -> None:
    """Refuse what would open the orchestrator to a network without a token.

    Raises:
        UserError: With the remedy.
    """
    if not options.token and not is_loopback(options.host):
        raise UserError(
            f"{options.host} is reached from other machines, and there is no token",
            "Set GENLEVEL_TOKEN or GENLEVEL_TOKEN_FILE, or serve on 127.0.0.1.",
        )
    if (options.certificate is None) != (options.key is None):
        raise UserError("TLS needs a certificate and its key", "Give both --tls-certificate and --tls-key.")
    if options.client_authority is not None and options.certificate is None:
        raise UserError("client certificates need TLS", "Give --tls-certificate and --tls-key too.")


def _credentials(options: ServerOptions) -> Any:
    if options.certificate is None or options.key is None:
        return None
    try:
        pair = (options.key.read_bytes(), options.certificate.read_bytes())
        authority = options.client_authority.read_bytes() if options.client_authority else None
    except OSError as error:
        raise UserError(f"a TLS file cannot be read ({error})", "Check the paths.", ExitCode.BAD_INPUT) from None
    return grpc.ssl_server_credentials([pair], authority, require_client_auth=authority is not None)
