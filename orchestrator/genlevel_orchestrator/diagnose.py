"""Why a server cannot be reached, found out with plain sockets: gRPC says UNAVAILABLE to all of it."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

SECONDS = 3.0
_UNKNOWN_ISSUER = (18, 19, 20, 21)  # X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT and its like
_WRONG_NAME = (62, 64)  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong with a connection.

    Attributes:
        final: waiting does not mend it.
    """

    cause: str
    remedy: str
    final: bool = False


def diagnose(address: str, tls: bool, authority: bytes | None = None) -> Diagnosis:
    """Why nobody answers at ``host:port``."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        with socket.create_connection((host, int(port)), SECONDS) as connection:
            connection.settimeout(SECONDS)
            return _tls(connection, host, address, authority) if tls else _plain(connection, address)
    except socket.gaierror:
        return Diagnosis(f"{host} has no address here", "Correct the name, or check the name service.")
    except ConnectionRefusedError:
        return Diagnosis("nobody listens there", "Start one with `genlevel serve`, or check --endpoint.")
    except TimeoutError:
        remedy = "Check the address, that its machine runs, and that no firewall or network policy drops the connection."
        return Diagnosis(f"nothing answers within {SECONDS:.0f} s", remedy)
    except (OSError, ValueError) as error:
        return Diagnosis(str(error), "Check --endpoint, and see the orchestrator's log.")


_BROKEN = Diagnosis("the connection breaks off", "See the orchestrator's log: it may just be starting or stopping.")


def _plain(connection: socket.socket, address: str) -> Diagnosis:
    try:
        with _context(None, verify=False).wrap_socket(connection):
            return Diagnosis("it speaks TLS, and the call was in plain text", f"Write grpcs://{address}.", final=True)
    except OSError:
        return _BROKEN


def _tls(connection: socket.socket, host: str, address: str, authority: bytes | None) -> Diagnosis:
    try:
        with _context(authority, verify=True).wrap_socket(connection, server_hostname=host) as secured:
            return _after_handshake(secured)
    except ssl.SSLCertVerificationError as error:
        return _certificate(error, host)
    except ssl.SSLError as error:
        if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"):
            return Diagnosis("it does not speak TLS", f"Write {address} without grpcs://, or start it with --tls-certificate.", final=True)
        return Diagnosis(f"TLS fails ({error.reason})", "See the orchestrator's log.")


def _after_handshake(secured: ssl.SSLSocket) -> Diagnosis:
    """In TLS 1.3 a server refuses a missing client certificate only after the handshake; one that takes us speaks first."""
    try:
        if secured.recv(1):
            return _BROKEN
    except TimeoutError:
        return _BROKEN
    except OSError:
        pass  # gRPC's servers end the connection with or without an alert
    remedy = "Name yours in GENLEVEL_TLS_CLIENT_CERTIFICATE and its key in GENLEVEL_TLS_CLIENT_KEY."
    return Diagnosis("it ends the connection after the TLS handshake: most likely it wants a client certificate of its authority", remedy)


def _certificate(error: ssl.SSLCertVerificationError, host: str) -> Diagnosis:
    if error.verify_code in _UNKNOWN_ISSUER:
        remedy = "Name the PEM file of the authority that signed it in GENLEVEL_TLS_AUTHORITY."
        return Diagnosis("its certificate is of an authority that is not trusted here", remedy, final=True)
    if error.verify_code in _WRONG_NAME:
        return Diagnosis(f"its certificate is not for {host}", "Write the name in its certificate, or have one made for this name.", final=True)
    return Diagnosis(f"its certificate is refused: {error.verify_message}", "Renew the certificate.", final=True)


def _context(authority: bytes | None, verify: bool) -> ssl.SSLContext:
    # Bundles of authorities have names in other alphabets as comments, which Python would refuse.
    context = ssl.create_default_context(cadata=authority.decode("ascii", "ignore") if authority else None)
    context.set_alpn_protocols(["h2"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
