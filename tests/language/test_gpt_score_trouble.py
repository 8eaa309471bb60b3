"""gpt_score with a judge that misbehaves, is away, or is not there at all. Whatever it does, no answer scores 0 for it."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
import time
from email.utils import formatdate
from typing import Any

import pytest
from judge_server import KEY, MODEL, JudgeServer, Reply, error, grade

from genlevel_evaluator import Result, score
from genlevel_evaluator.engine import Budget, RawSample, Scorer
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.kinds import Content
from genlevel_language.app import EVALUATOR


def samples(count: int) -> list[dict[str, Any]]:
    return [{"id": place, "question": f"Question {place}?", "reference": "yes", "prediction": "yes"} for place in range(count)]


def scored(count: int) -> Result:
    return score("gpt_score", samples(count))


def failed(result: Result, code: str, words: str) -> None:
    """The only sample was left out, for a reason that is the judge's."""
    assert (result.value, result.detail.reason, result.detail.excluded) == (None, "no_reference", 1)
    (issue,) = result.issues
    assert (issue.code, issue.severity) == (code, "infrastructure")
    assert words in issue.message
    assert issue.remedy
    assert KEY not in f"{issue}"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply("no idea"), "not the mark"),
        (Reply(""), "not the mark"),
        (Reply(None), "without text"),
        (Reply(raw=b'{"choices": []}'), "without a choice"),
        (Reply(raw=b'{"choices": [{"message": {"content": 1}}]}'), "without text"),
        (Reply(raw=b"[]"), "not a JSON object"),
        (Reply(raw=b"<html>Sign in</html>", headers={"Content-Type": "text/html"}), "not a JSON object"),
        (Reply(raw=b"\xff\xfe"), "not a JSON object"),
        (Reply(raw=b"[" * 200_000), "not a JSON object"),
        (Reply(raw=b""), "not a JSON object"),
        (Reply(raw=gzip.compress(b'{"choices": "' + b" " * (1 << 24)), headers={"Content-Encoding": "gzip"}), "not a JSON object"),
        (Reply('{"verdict": 1}' + " " * (1 << 20)), "more than 1048576 bytes"),
    ],
)
def test_garbage_is_asked_for_once_more_and_then_left_out(judge: JudgeServer, reply: Reply, words: str) -> None:
    judge.answer = lambda _: reply
    failed(scored(1), "JUDGE_UNPARSABLE", words)
    assert len(judge.requests) == 2
    assert judge.requests[0].body["seed"] != judge.requests[1].body["seed"]
    judge.answer = grade  # it was not remembered: the next time it is asked again
    assert scored(1).value == 100.0


def test_garbage_once_costs_its_tokens(judge: JudgeServer) -> None:
    judge.script = [Reply("Well.")]
    result = scored(1)
    assert (result.value, result.issues) == (100.0, ())
    assert result.detail.companions["tokens_in"] == 200


def test_json_of_another_content_type_is_read(judge: JudgeServer) -> None:
    judge.answer = lambda _: Reply(headers={"Content-Type": "text/plain"})
    assert scored(1).value == 100.0


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_what_may_pass_is_tried_again(judge: JudgeServer, status: int) -> None:
    judge.script = [error(status), error(status)]
    assert scored(1).value == 100.0
    assert len(judge.requests) == 3


def test_a_connection_that_breaks_is_tried_again(judge: JudgeServer) -> None:
    judge.script = [Reply(cut=20)]
    assert scored(1).value == 100.0


@pytest.mark.parametrize("kind", ["seconds", "date"])
def test_retry_after_is_honoured(judge: JudgeServer, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("GENLEVEL_JUDGE_RETRY_SECONDS", "5")
    asked = 0.7 if kind == "seconds" else 2.0
    judge.script = [error(429, "rate_limit_exceeded", Retry_After="0.7" if kind == "seconds" else formatdate(time.time() + asked, usegmt=True))]
    begun = time.monotonic()
    assert scored(1).value == 100.0
    assert time.monotonic() - begun >= asked - 1.05 * (kind == "date")  # a date has whole seconds
    assert time.monotonic() - begun < asked + 1.5


def test_a_limit_holds_for_all_requests(judge: JudgeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLEVEL_JUDGE_RETRY_SECONDS", "5")
    monkeypatch.setenv("GENLEVEL_JUDGE_CONCURRENCY", "2")
    times: list[float] = []

    def limited(_: object) -> Reply:
        times.append(time.monotonic())
        return error(429, Retry_After="0.6") if len(times) == 1 else Reply(sleep=0.05 if len(times) == 2 else 0.0)

    judge.answer = limited
    assert scored(20).value == 100.0
    # One request was under way when the limit was said; no other began before it ended.
    assert sum(moment < times[0] + 0.55 for moment in times) <= 2


def test_a_wait_longer_than_the_patience_is_an_issue_at_once(judge: JudgeServer) -> None:
    judge.answer = lambda _: error(429, Retry_After="3600")
    begun = time.monotonic()
    failed(scored(1), "JUDGE_UNAVAILABLE", "asks to wait 3600 s")
    assert time.monotonic() - begun < 2
    judge.answer = grade
    assert scored(2).value == 100.0


@pytest.mark.parametrize(
    ("reply", "words"), [(error(500, "server_error"), "HTTP 500, server_error"), (error(429), "HTTP 429"), (Reply(cut=10), "connection failed")]
)
def test_what_does_not_pass_is_left_out(judge: JudgeServer, reply: Reply, words: str) -> None:
    judge.answer = lambda _: reply
    failed(scored(1), "JUDGE_UNAVAILABLE", words)
    assert 2 <= len(judge.requests) <= 12


def test_a_judge_that_hangs_is_left_after_the_timeout(judge: JudgeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLEVEL_JUDGE_TIMEOUT_SECONDS", "0.3")
    judge.answer = lambda _: Reply(sleep=10)
    begun = time.monotonic()
    failed(scored(1), "JUDGE_UNAVAILABLE", "no reply within 0.3 s")
    assert time.monotonic() - begun < 3


def test_a_slow_drip_is_no_way_round_the_timeout(judge: JudgeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLEVEL_JUDGE_TIMEOUT_SECONDS", "0.3")
    judge.answer = lambda _: Reply(drip=0.05)
    begun = time.monotonic()
    failed(scored(1), "JUDGE_UNAVAILABLE", "no reply within 0.3 s")
    assert time.monotonic() - begun < 3


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_nobody_listens(judge: JudgeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLEVEL_JUDGE_URL", f"http://127.0.0.1:{_free_port()}/v1")
    failed(scored(1), "JUDGE_UNAVAILABLE", "connection failed")


def test_a_judge_that_is_down_does_not_hold_up_every_question(judge: JudgeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLEVEL_JUDGE_RETRY_SECONDS", "1")
    monkeypatch.setenv("GENLEVEL_JUDGE_CONCURRENCY", "2")
    judge.answer = lambda _: error(503)
    begun = time.monotonic()
    result = scored(60)
    assert time.monotonic() - begun < 12  # one by one, 60 questions would take half a minute
    assert {issue.code for issue in result.issues} == {"JUDGE_UNAVAILABLE"}
    assert len(result.issues) == 60
    assert len(judge.requests) < 60
    judge.answer = grade
    time.sleep(1.0)
    assert scored(60).value == 100.0


def test_a_judge_that_fails_now_and_then_is_not_down(judge: JudgeServer) -> None:
    for place in range(4):
        judge.answer = lambda _: error(503)
        failed(score("gpt_score", [{**samples(1)[0], "question": f"Bad {place}?"}]), "JUDGE_UNAVAILABLE", "HTTP 503")
        judge.answer = grade
        assert score("gpt_score", [{**samples(1)[0], "question": f"Good {place}?"}]).value == 100.0


def test_some_that_fail_leave_the_others_their_score(judge: JudgeServer) -> None:
    judge.answer = lambda request: Reply("?") if request.document["question"] == "Question 3?" else grade(request)
    result = scored(8)
    assert (result.value, result.detail.excluded, result.detail.expected) == (100.0, 1, 7)
    assert [(issue.sample_id, issue.severity) for issue in result.issues] == [("3", "infrastructure")]


@pytest.mark.parametrize(
    ("reply", "reason", "names"),
    [
        (error(401, "invalid_api_key", f"Incorrect API key provided: {KEY}"), "JUDGE_KEY_REFUSED", ["GENLEVEL_JUDGE_KEY", "GENLEVEL_JUDGE_KEY_FILE"]),
        (error(403), "JUDGE_KEY_REFUSED", ["GENLEVEL_JUDGE_KEY"]),
        (error(403, KEY), "JUDGE_KEY_REFUSED", ["GENLEVEL_JUDGE_KEY"]),
        (error(404, "model_not_found"), "JUDGE_NOT_FOUND", ["GENLEVEL_JUDGE_MODEL", "GENLEVEL_JUDGE_URL", MODEL]),
        (Reply(status=404, raw=b"not here"), "JUDGE_NOT_FOUND", ["GENLEVEL_JUDGE_URL"]),
        (error(402), "JUDGE_QUOTA", ["quota"]),
        (error(429, "insufficient_quota"), "JUDGE_QUOTA", ["quota"]),
        (error(400, "unsupported_value", "no", "temperature"), "JUDGE_TEMPERATURE", ["GENLEVEL_JUDGE_MODEL"]),
        (Reply(status=302, raw=b"", headers={"Location": "http://127.0.0.1:1/"}), "JUDGE_REDIRECTS", ["GENLEVEL_JUDGE_URL"]),
        (Reply(status=307, raw=b"", headers={"Location": "/v2/chat/completions"}), "JUDGE_REDIRECTS", ["GENLEVEL_JUDGE_URL"]),
    ],
)  # fmt: skip
def test_what_ends_the_call_names_its_remedy(
    judge: JudgeServer, caplog: pytest.LogCaptureFixture, reply: Reply, reason: str, names: list[str]
) -> None:
    judge.answer = lambda _: reply
    with caplog.at_level(logging.DEBUG), pytest.raises(EvaluatorError) as caught:
        scored(3)
    told = f"{caught.value.message} {caught.value.remedy}"
    assert (caught.value.code.value, caught.value.reason) == ("FAILED_PRECONDITION", reason)
    assert all(name in told for name in names)
    assert KEY not in told + caplog.text
    assert len(judge.requests) <= 3


def test_a_question_the_judge_refuses_is_left_out(judge: JudgeServer) -> None:
    judge.answer = lambda _: error(400, "content_filter", "The yes of question 0 is not allowed")
    result = scored(1)
    failed(result, "JUDGE_REFUSED", "HTTP 400, content_filter")
    assert "yes of" not in result.issues[0].message
    assert len(judge.requests) == 1


@pytest.mark.parametrize("absent", ["seed", "max_tokens"])
def test_what_an_endpoint_does_not_know_is_left_out_of_the_request(judge: JudgeServer, absent: str) -> None:
    judge.answer = lambda request: error(400, "unknown_parameter", f"Unrecognized request argument: {absent}") if absent in request.body else grade(request)
    result = scored(4)
    assert (result.value, result.issues) == (100.0, ())
    assert len(judge.requests) <= 8
    judge.requests.clear()
    assert scored(5).value == 100.0
    (last,) = judge.requests
    assert absent not in last.body
    assert last.body["temperature"] == 0


def raw(count: int) -> list[RawSample]:
    return [
        RawSample(str(place), Content(text="yes"), (Content(text="yes"),), attributes={"question": f"Question {place}?"}) for place in range(count)
    ]


def test_the_budget_of_the_call_ends_the_waiting_and_what_is_answered_is_kept(judge: JudgeServer) -> None:
    judge.answer = lambda request: Reply(sleep=0.0 if request.document["question"] < "Question 4?" else 30.0)
    begun = time.monotonic()
    with pytest.raises(EvaluatorError) as caught:
        Scorer.of(EVALUATOR, "gpt_score").observe(raw(8), Budget(3000))
    assert caught.value.reason == "BUDGET_USED_UP"
    assert time.monotonic() - begun < 5.3
    judge.answer = grade
    judge.requests.clear()
    Scorer.of(EVALUATOR, "gpt_score").observe(raw(8))
    assert len(judge.requests) == 4


def test_after_the_budget_nothing_more_is_asked(judge: JudgeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLEVEL_JUDGE_CONCURRENCY", "1")
    judge.answer = lambda _: Reply(sleep=0.2)
    with pytest.raises(EvaluatorError, match="budget_ms"):
        Scorer.of(EVALUATOR, "gpt_score").observe(raw(10), Budget(300))
    begun = len(judge.requests)
    time.sleep(0.7)
    assert len(judge.requests) == begun < 6


def test_a_caller_that_left_is_noticed(judge: JudgeServer) -> None:
    judge.answer = lambda _: Reply(sleep=30)
    budget = Budget()
    threading.Timer(0.3, lambda: setattr(budget, "cancelled", True)).start()
    with pytest.raises(EvaluatorError) as caught:
        Scorer.of(EVALUATOR, "gpt_score").observe(raw(2), budget)
    assert caught.value.reason == "CALLER_LEFT"
