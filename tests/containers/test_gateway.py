"""The gateway: evaluators for programs outside the network, with TLS and a token."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from container_system.system import EVALUATORS, System

from genlevel.v1 import evaluator_pb2 as pb
from genlevel.v1 import evaluator_pb2_grpc, sample_pb2

OPTIONS = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]


def stub(system: System) -> Any:
    """A client of the gateway."""
    credentials = grpc.ssl_channel_credentials(system.authority.read_bytes())
    return evaluator_pb2_grpc.EvaluatorServiceStub(grpc.secure_channel(system.gateway, credentials, OPTIONS))


def describe(system: System, **metadata: str) -> Any:
    """One call with this metadata."""
    return stub(system).DescribeEvaluator(pb.DescribeEvaluatorRequest(), metadata=tuple(metadata.items()), timeout=30)


@pytest.mark.parametrize("name", EVALUATORS)
def test_each_evaluator_answers(extended: System, name: str) -> None:
    assert describe(extended, application=name, authorization=f"Bearer {extended.token}").evaluator == name


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Bearer {token}x", "{token}"])
def test_no_answer_without_the_token(extended: System, authorization: str) -> None:
    given = authorization.format(token=extended.token)
    with pytest.raises(grpc.RpcError) as refused:
        describe(extended, application="language", **({"authorization": given} if given else {}))
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "token" in refused.value.details()


def test_an_unknown_evaluator_is_named(extended: System) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        describe(extended, application="smell", authorization=f"Bearer {extended.token}")
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert "three_d" in refused.value.details()


def test_a_stream_of_large_messages_passes(extended: System) -> None:
    text = "word " * 200_000  # a text may have 1 MiB
    content = sample_pb2.Content(text=text)

    def parts() -> Any:
        header = pb.RequestHeader(evaluator="language", protocol_version=1)
        yield pb.EvaluateMetricRequest(start=pb.EvaluateShardRequest(header=header, metric=pb.MetricSpec(metric="accuracy")))
        for number in range(8):
            yield pb.EvaluateMetricRequest(sample=sample_pb2.Sample(id=str(number), prediction=content, references=[content]))

    metadata = (("application", "language"), ("authorization", f"Bearer {extended.token}"))
    assert stub(extended).EvaluateMetric(parts(), metadata=metadata, timeout=120).value.value == 100.0


def test_no_answer_without_tls(extended: System) -> None:
    plain = evaluator_pb2_grpc.EvaluatorServiceStub(grpc.insecure_channel(extended.gateway))
    with pytest.raises(grpc.RpcError) as refused:
        plain.DescribeEvaluator(pb.DescribeEvaluatorRequest(), metadata=(("application", "language"),), timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
