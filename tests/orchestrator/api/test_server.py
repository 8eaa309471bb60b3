"""Who may call, how the server listens, and the client the command line uses."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from genlevel.v1 import orchestrator_pb2 as pb
from genlevel.v1 import orchestrator_pb2_grpc
from genlevel_orchestrator.api.auth import is_loopback, read_token
from genlevel_orchestrator.api.client import OrchestratorClient
from genlevel_orchestrator.api.runs_backend import JournalBackend
from genlevel_orchestrator.api.server import OrchestratorServer, ServerOptions
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.runs.service import RunService
from genlevel_orchestrator.settings import Settings

TOKEN = "0123456789abcdef-token"


def served(tmp_path: Path, visit: Callable[[str], Any], options: ServerOptions) -> Any:
    """Start a server, visit it from a thread (the client blocks), stop it."""

    async def main() -> Any:
        service = RunService(Settings(state=tmp_path / "state"))
        server = OrchestratorServer(JournalBackend(service), [tmp_path], options)
        address = await server.start()
        try:
            return await asyncio.wait_for(asyncio.to_thread(visit, address), 60)
        finally:
            await server.stop(grace=0.2)
            service.close()

    return asyncio.run(main())


def code_of(call: Callable[[], Any]) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    code: grpc.StatusCode = caught.value.code()  # type: ignore[attr-defined]
    return code


def test_token_is_needed_for_everything_but_health(tmp_path: Path) -> None:
    def visit(address: str) -> None:
        with grpc.insecure_channel(address) as channel:
            stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
            right = (("authorization", f"Bearer {TOKEN}"),)
            wrong = ("", TOKEN, f"bearer {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer ")
            for value in wrong:
                for call in (
                    lambda m: stub.ListRuns(pb.ListRunsRequest(), metadata=m),
                    lambda m: list(stub.WatchRun(pb.WatchRunRequest(name="x"), metadata=m)),
                ):
                    metadata = (("authorization", value),) if value else ()
                    assert code_of(lambda: call(metadata)) is grpc.StatusCode.UNAUTHENTICATED  # noqa: B023
            assert code_of(lambda: stub.ListRuns(pb.ListRunsRequest(), metadata=right + right)) is grpc.StatusCode.UNAUTHENTICATED
            assert list(stub.ListRuns(pb.ListRunsRequest(), metadata=right).runs) == []
            health = health_pb2_grpc.HealthStub(channel)
            for name in ("", "genlevel.v1.OrchestratorService"):
                assert health.Check(health_pb2.HealthCheckRequest(service=name)).status == health_pb2.HealthCheckResponse.SERVING
            ask = reflection_pb2.ServerReflectionRequest(list_services="")
            reflect = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
            assert code_of(lambda: list(reflect(iter([ask])))) is grpc.StatusCode.UNAUTHENTICATED
            names = [s.name for s in next(iter(reflect(iter([ask]), metadata=right))).list_services_response.service]
            assert "genlevel.v1.OrchestratorService" in names

    served(tmp_path, visit, ServerOptions(token=TOKEN))


def test_reflection_can_be_turned_off(tmp_path: Path) -> None:
    def visit(address: str) -> None:
        with grpc.insecure_channel(address) as channel:
            ask = reflection_pb2.ServerReflectionRequest(list_services="")
            reflect = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
            assert code_of(lambda: list(reflect(iter([ask])))) is grpc.StatusCode.UNIMPLEMENTED

    served(tmp_path, visit, ServerOptions(reflection=False))


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "example.org", "10.0.0.1"])
def test_no_open_port_without_a_token(tmp_path: Path, host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(UserError, match="no token") as caught:
        served(tmp_path, lambda address: None, ServerOptions(host=host))
    assert "GENLEVEL_TOKEN" in str(caught.value.remedy)


def test_taken_port(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        with pytest.raises(UserError, match="cannot listen"):
            served(tmp_path, lambda address: None, ServerOptions(port=holder.getsockname()[1]))


def test_half_a_tls_pair(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="certificate and its key"):
        served(tmp_path, lambda address: None, ServerOptions(certificate=tmp_path / "c.pem"))
    with pytest.raises(UserError, match="cannot be read"):
        served(tmp_path, lambda address: None, ServerOptions(certificate=tmp_path / "c.pem", key=tmp_path / "k.pem"))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of our own for 127.0.0.1."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "genlevel test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1)).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    certificate_file, key_file = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    key_file.write_bytes(key.private_bytes(*form))
    return certificate_file, key_file


def test_tls(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    def visit(address: str) -> None:
        with OrchestratorClient(f"grpcs://{address}", token=TOKEN, authority=certificate[0]) as client:
            assert list(client.list_runs()) == []
        with OrchestratorClient(address, token=TOKEN) as plain, pytest.raises(UserError) as caught:
            list(plain.list_runs())
        assert caught.value.exit_code == ExitCode.UNREACHABLE

    served(tmp_path, visit, ServerOptions(token=TOKEN, certificate=certificate[0], key=certificate[1]))


def test_client_certificates(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    def visit(address: str) -> None:
        authority, key = (path.read_bytes() for path in certificate)
        own = grpc.ssl_channel_credentials(authority, key, authority)
        with grpc.secure_channel(address, own) as channel:
            assert list(orchestrator_pb2_grpc.OrchestratorServiceStub(channel).ListRuns(pb.ListRunsRequest(), timeout=10).runs) == []
        with grpc.secure_channel(address, grpc.ssl_channel_credentials(authority)) as channel:
            stub = orchestrator_pb2_grpc.OrchestratorServiceStub(channel)
            assert code_of(lambda: stub.ListRuns(pb.ListRunsRequest(), timeout=10)) is grpc.StatusCode.UNAVAILABLE

    options = ServerOptions(certificate=certificate[0], key=certificate[1], client_authority=certificate[0])
    served(tmp_path, visit, options)


def test_client_explains_failures(tmp_path: Path) -> None:
    def visit(address: str) -> None:
        with OrchestratorClient(address, token="") as client:
            with pytest.raises(UserError, match="no run 'none'") as caught:
                client.get_run("none")
            assert caught.value.remedy == "list runs with ListRuns"
            assert caught.value.details == {"code": "NOT_FOUND"}
            with pytest.raises(UserError, match="no run"):
                list(client.watch_run("none"))
            with pytest.raises(UserError, match="pdf"):
                client.get_report("none", "pdf")

    served(tmp_path, visit, ServerOptions())


def test_client_without_a_server() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with OrchestratorClient(f"127.0.0.1:{port}") as client, pytest.raises(UserError, match="no orchestrator answers") as caught:
        client.get_run("x")
    assert caught.value.exit_code == ExitCode.UNREACHABLE
    for wrong in ("host", "http://host:1", ""):
        with pytest.raises(UserError, match="no endpoint"):
            OrchestratorClient(wrong)


def test_tokens_come_from_files_and_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert read_token(file, {}) == TOKEN
    assert read_token(None, {"GENLEVEL_TOKEN_FILE": str(file), "GENLEVEL_TOKEN": "x" * 20}) == TOKEN
    assert read_token(None, {"GENLEVEL_TOKEN": "x" * 20}) == "x" * 20
    assert read_token(None, {}) is None
    for weak in ("short", "spaces in the token are odd", "ümlaut-ümlaut-ümlaut"):
        with pytest.raises(UserError, match="16 printable"):
            read_token(None, {"GENLEVEL_TOKEN": weak})
    with pytest.raises(UserError, match="cannot be read"):
        read_token(tmp_path / "none", {})


def test_serve_lists_what_is_wrong() -> None:
    from genlevel_orchestrator.cli.main import run_command

    assert run_command(["serve", "--only", "smell", "--port", "0", "--in-process"]) == ExitCode.PREREQUISITE_MISSING
    assert run_command(["serve", "--root", "/no/such/folder"]) == ExitCode.BAD_INPUT
