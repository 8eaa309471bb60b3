"""gpt_score: where the judge is, with which key, and where its answers are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from judge_server import JudgeServer, Reply

from genlevel_evaluator import Result, score
from genlevel_evaluator.engine import Scorer
from genlevel_evaluator.errors import EvaluatorError
from genlevel_language.app import EVALUATOR
from genlevel_language.judge.cache import Answer, AnswerCache


def samples(count: int) -> list[dict[str, Any]]:
    return [{"id": place, "question": f"Question {place}?", "reference": "yes", "prediction": "yes"} for place in range(count)]


def scored(count: int) -> Result:
    return score("gpt_score", samples(count))


def test_without_a_judge_the_call_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "MODEL", "KEY", "KEY_FILE"):
        monkeypatch.delenv(f"GENLEVEL_JUDGE_{name}", raising=False)
    with pytest.raises(EvaluatorError) as caught:
        scored(1)
    assert (caught.value.code.value, caught.value.reason) == ("FAILED_PRECONDITION", "JUDGE_NOT_CONFIGURED")
    assert "GENLEVEL_JUDGE_URL and GENLEVEL_JUDGE_MODEL are not set" in caught.value.message
    assert "GENLEVEL_JUDGE_KEY_FILE" in caught.value.remedy
    monkeypatch.setenv("GENLEVEL_JUDGE_URL", "http://127.0.0.1:1")
    with pytest.raises(EvaluatorError, match="GENLEVEL_JUDGE_MODEL is not set"):
        scored(1)
    rows, issues = Scorer.of(EVALUATOR, "gpt_score").observe([])
    assert (len(rows), issues) == (0, [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", "judge.example.com/v1"), ("URL", "ftp://judge.example.com"), ("URL", "http://user:secret-word@judge.example.com/v1"),
        ("URL", "http://judge.example.com/v1?key=secret-word"), ("URL", "http://judge.example.com:99999/v1"), ("URL", "http://"), ("URL", "http://judge example.com/v1"),
        ("KEY", "secret-word\nX-Header: 1"), ("KEY", "secret-wörd"), ("KEY_FILE", "/nowhere/key"),
        ("TIMEOUT_SECONDS", "soon"), ("TIMEOUT_SECONDS", "nan"), ("TIMEOUT_SECONDS", "-1"), ("RETRY_SECONDS", "1e9"), ("CONCURRENCY", "0"),
        ("CONCURRENCY", "1000"), ("PRICE_IN", "cheap"),
    ],
)  # fmt: skip
def test_a_variable_that_cannot_be_used_is_named(judge: JudgeServer, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("GENLEVEL_JUDGE_PRICE_OUT", "1")
    monkeypatch.setenv(f"GENLEVEL_JUDGE_{name}", value)
    with pytest.raises(EvaluatorError) as caught:
        scored(1)
    assert (caught.value.code.value, caught.value.reason) == ("FAILED_PRECONDITION", "JUDGE_MISCONFIGURED")
    assert f"GENLEVEL_JUDGE_{name}" in caught.value.message
    assert "secret" not in f"{caught.value.message} {caught.value.remedy}"


def test_the_key_may_stand_in_a_file_and_change(judge: JudgeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    monkeypatch.setenv("GENLEVEL_JUDGE_KEY_FILE", str(file))
    for place, key in enumerate(("first", "second")):
        file.write_text(f"{key}\n")
        scored(place + 1)
        assert judge.requests[-1].headers["Authorization"] == f"Bearer {key}"


def test_without_a_key_none_is_sent_not_even_that_of_netrc(judge: JudgeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("GENLEVEL_JUDGE_KEY")
    scored(1)
    assert "Authorization" not in judge.requests[0].headers


def test_a_proxy_of_the_environment_is_used(judge: JudgeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", judge.url.removesuffix("/v1"))
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("GENLEVEL_JUDGE_URL", "http://judge.invalid/v1")
    assert scored(1).value == 100.0
    assert judge.requests[0].path == "http://judge.invalid/v1/chat/completions"
    monkeypatch.setenv("no_proxy", "judge.invalid")
    monkeypatch.setenv("GENLEVEL_JUDGE_TIMEOUT_SECONDS", "4")
    assert [issue.code for issue in scored(2).issues] == ["JUDGE_UNAVAILABLE"]


def test_a_certificate_nobody_vouches_for_ends_the_call(judge: JudgeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*_certificate(tmp_path))
    judge._server.socket = context.wrap_socket(judge._server.socket, server_side=True)
    monkeypatch.setenv("GENLEVEL_JUDGE_URL", judge.url.replace("http:", "https:"))
    with pytest.raises(EvaluatorError) as caught:
        scored(1)
    assert caught.value.reason == "JUDGE_CERTIFICATE"
    assert judge.requests == []


def _certificate(folder: Path) -> tuple[Path, Path]:
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "judge")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).add_extension(names, False).sign(key, hashes.SHA256())
    (folder / "tls.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tls.key").write_bytes(key.private_bytes(*form))
    return folder / "tls.crt", folder / "tls.key"


def test_a_folder_that_cannot_be_written_leaves_the_memory(judge: JudgeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: Any) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENLEVEL_JUDGE_CACHE_DIR", str(tmp_path / "file"))
    assert [scored(3).value, scored(3).value] == [100.0, 100.0]
    assert len(judge.requests) == 3
    assert caplog.text.count("kept in memory only") == 1


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path, in_memory=4, in_folder=8)
    for number in range(40):
        cache.put(f"ab{number:062x}", Answer("1", number, None))
    assert len(cache._known) == 4
    assert len(list(tmp_path.rglob("*"))) <= 9
    assert cache.get(f"ab{39:062x}") == Answer("1", 39, None)
    assert AnswerCache(tmp_path).get(f"ab{39:062x}") == Answer("1", 39, None)
    assert cache.get(f"ab{0:062x}") is None


def test_a_long_reply_is_kept_in_memory_only(judge: JudgeServer, tmp_path: Path) -> None:
    judge.answer = lambda _: Reply("Because. " * 1000 + '{"verdict": 1}')
    assert [scored(1).value, scored(1).value] == [100.0, 100.0]
    assert len(judge.requests) == 1
    assert list((tmp_path / "answers").rglob("*.json")) == []


def test_the_whole_address_is_taken_for_its_base(judge: JudgeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLEVEL_JUDGE_URL", f"{judge.url}/chat/completions/")
    assert scored(1).value == 100.0
    assert judge.requests[0].path == "/v1/chat/completions"


@pytest.mark.parametrize("damage", [b"[" * 200_000, b"\xff\xfe", b"", b"null", b"{}", b'{"format": 1, "reply": 1}'], ids=range(6))
def test_a_damaged_answer_is_asked_for_again(tmp_path: Path, damage: bytes) -> None:
    AnswerCache(tmp_path).put("ab", Answer("1", 1, 1))
    (file,) = tmp_path.rglob("*.json")
    file.write_bytes(damage)
    assert AnswerCache(tmp_path).get("ab") is None
