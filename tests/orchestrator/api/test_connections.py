"""What `--endpoint` says when the connection is wrong: the cause and the remedy, within seconds."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Any

import grpc
import pytest

from genlevel_orchestrator.api.client import OrchestratorClient
from genlevel_orchestrator.diagnose import diagnose
from genlevel_orchestrator.errors import ExitCode, UserError

TOKEN = "0123456789abcdef-token"


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Certificate and key for an address, made by openssl and signed by itself."""
    certificate_file, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=test",
         "-addext", f"subjectAltName={name}", "-keyout", str(key), "-out", str(certificate_file)], check=True, capture_output=True,
    )  # fmt: skip
    return certificate_file, key


@pytest.fixture
def server(threaded: Any) -> Any:
    """Starts a server that answers nothing but its handshake."""
    from contextlib import asynccontextmanager

    def serving(pair: tuple[Path, Path] | None, clients: Path | None = None) -> Any:
        @asynccontextmanager
        async def serve() -> Any:
            server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
            if pair is None:
                port = server.add_insecure_port("127.0.0.1:0")
            else:
                chain = [(pair[1].read_bytes(), pair[0].read_bytes())]
                authority = clients.read_bytes() if clients else None
                port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials(chain, authority, clients is not None))
            await server.start()
            try:
                yield f"127.0.0.1:{port}"
            finally:
                await server.stop(0)

        return threaded(serve)

    return serving


def refused(endpoint: str, authority: Path | None = None) -> tuple[str, str]:
    begun = time.monotonic()
    with OrchestratorClient(endpoint, token=TOKEN, authority=authority) as client, pytest.raises(UserError) as caught:
        client.get_run("x")
    assert time.monotonic() - begun < 20
    assert caught.value.exit_code == ExitCode.UNREACHABLE
    return caught.value.message, str(caught.value.remedy)


def test_plain_text_to_a_port_with_tls(tmp_path: Path, server: Any) -> None:
    with server(certificate(tmp_path, "IP:127.0.0.1")) as address:
        message, remedy = refused(address)
    assert "it speaks TLS" in message
    assert remedy == f"Write grpcs://{address}."


def test_tls_to_a_port_in_plain_text(server: Any) -> None:
    with server(None) as address:
        message, remedy = refused(f"grpcs://{address}")
    assert "does not speak TLS" in message
    assert "without grpcs://" in remedy


def test_an_authority_that_is_not_known(tmp_path: Path, server: Any) -> None:
    with server(certificate(tmp_path, "IP:127.0.0.1")) as address:
        message, remedy = refused(f"grpcs://{address}")
    assert "authority that is not trusted" in message
    assert "GENLEVEL_TLS_AUTHORITY" in remedy


def test_a_certificate_for_another_name(tmp_path: Path, server: Any) -> None:
    pair = certificate(tmp_path, "DNS:elsewhere.example")
    with server(pair) as address:
        message, _ = refused(f"grpcs://{address}", pair[0])
    assert "its certificate is not for 127.0.0.1" in message


def test_a_client_certificate_that_is_missing(tmp_path: Path, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = certificate(tmp_path, "IP:127.0.0.1")
    with server(pair, clients=pair[0]) as address:
        message, remedy = refused(f"grpcs://{address}", pair[0])
        assert "client certificate" in message
        assert "GENLEVEL_TLS_CLIENT_CERTIFICATE" in remedy
        monkeypatch.setenv("GENLEVEL_TLS_CLIENT_CERTIFICATE", str(pair[0]))
        monkeypatch.setenv("GENLEVEL_TLS_CLIENT_KEY", str(pair[1]))
        with OrchestratorClient(f"grpcs://{address}", token=TOKEN, authority=pair[0]) as client, pytest.raises(UserError) as caught:
            client.get_run("x")
        assert caught.value.details == {"code": "UNIMPLEMENTED"}, "the handshake is done"


def test_a_name_without_address_and_a_refusal() -> None:
    assert "nowhere.invalid has no address" in diagnose("nowhere.invalid:1", tls=False).cause
    assert diagnose("127.0.0.1:1", tls=True).cause == "nobody listens there"
    assert not diagnose("127.0.0.1:1", tls=True).final


def test_a_file_that_is_no_authority_is_told_before_any_call(tmp_path: Path) -> None:
    for number, text in enumerate((b"", b"0123456789abcdef", "-----BEGIN CERTIFICATE-----\nőőőő\n-----END CERTIFICATE-----\n".encode())):
        path = tmp_path / f"{number}.crt"
        path.write_bytes(text)
        with pytest.raises(UserError, match=f"{number}.crt holds no certificate in PEM"):
            OrchestratorClient("grpcs://127.0.0.1:1", token=TOKEN, authority=path)


def test_comments_in_a_bundle_of_authorities_do_no_harm(tmp_path: Path, server: Any) -> None:
    with server(certificate(tmp_path, "IP:127.0.0.1")) as address:
        bundle = tmp_path / "bundle.pem"
        bundle.write_bytes("# Főtanúsítvány\n".encode() + certificate(tmp_path, "DNS:elsewhere")[0].read_bytes())
        assert "an authority that is not trusted here" in refused(f"grpcs://{address}", bundle)[0]


def test_something_else_that_answers(server: Any) -> None:
    """Such as an evaluator, or a proxy that knows no gRPC."""
    with server(None) as address:
        message, remedy = refused(address)
    assert f"what answers at {address} is no orchestrator" in message
    assert "Check --endpoint" in remedy
