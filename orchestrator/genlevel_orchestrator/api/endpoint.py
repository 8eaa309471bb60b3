"""Where an orchestrator is, and how it is spoken to: addresses, authorities, certificates."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any

import grpc

from genlevel_orchestrator.api.auth import is_loopback
from genlevel_orchestrator.errors import UserError

AUTHORITY_VARIABLE = "GENLEVEL_TLS_AUTHORITY"
CLIENT_CERTIFICATE_VARIABLE = "GENLEVEL_TLS_CLIENT_CERTIFICATE"
CLIENT_KEY_VARIABLE = "GENLEVEL_TLS_CLIENT_KEY"


def parse_endpoint(endpoint: str, authority: Path | None = None) -> tuple[str, Any]:
    """Return the address of an endpoint, and its TLS credentials or None.

    >>> parse_endpoint("grpc://127.0.0.1:9100")
    ('127.0.0.1:9100', None)

    Raises:
        UserError: It is none.
    """
    scheme, _, address = endpoint.rpartition("://")
    if scheme not in ("", "grpc", "grpcs") or ":" not in address:
        raise UserError(f"{endpoint!r} is no endpoint", "Write host:port, or grpcs://host:port for TLS.")
    return address, grpc.ssl_channel_credentials(read_authority(authority), *_client_certificate()) if scheme == "grpcs" else None


def read_authority(path: Path | None) -> bytes | None:
    """The authorities to trust. gRPC by itself would take those it brings along, not the machine's."""
    named = os.environ.get(AUTHORITY_VARIABLE)
    chosen = path or (Path(named) if named else None)
    if chosen is None:
        system = ssl.get_default_verify_paths().cafile
        return Path(system).read_bytes() if system and os.path.exists(system) else None
    found = _read(chosen, f"the authority {chosen}", AUTHORITY_VARIABLE)
    try:
        ssl.create_default_context(cadata=found.decode("ascii", "ignore") or "empty")
    except ssl.SSLError:
        raise UserError(f"the authority {chosen} holds no certificate in PEM", f"Name the PEM file of the authority in {AUTHORITY_VARIABLE}.") from None
    return found


def _client_certificate() -> tuple[bytes | None, bytes | None]:
    """Key and certificate of this client, for servers that ask for them."""
    pair = os.environ.get(CLIENT_KEY_VARIABLE), os.environ.get(CLIENT_CERTIFICATE_VARIABLE)
    if not any(pair):
        return None, None
    if not all(pair):
        raise UserError("a client certificate needs its key", f"Set both {CLIENT_CERTIFICATE_VARIABLE} and {CLIENT_KEY_VARIABLE}.")
    key, certificate = (Path(str(name)) for name in pair)
    return _read(key, f"the key {key}", CLIENT_KEY_VARIABLE), _read(certificate, f"the certificate {certificate}", CLIENT_CERTIFICATE_VARIABLE)


def on_this_machine(endpoint: str) -> bool:
    """Whether an orchestrator is reached over loopback, so that it most likely sees our files.

    >>> on_this_machine("grpcs://localhost:9100"), on_this_machine("genlevel.example.org:443")
    (True, False)
    """
    return is_loopback(endpoint.rpartition("://")[2].rpartition(":")[0])


def _read(path: Path, what: str, variable: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{what} cannot be read ({error})", f"Check {variable}.") from None
