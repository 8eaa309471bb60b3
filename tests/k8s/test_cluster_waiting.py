"""What keeps `up` from being ready: each failure ends in bounded time, with exit code 1, pod, container, reason and remedy."""

from __future__ import annotations

from typing import Any

import pytest

# By behaviour: what the error says, and the remedy. Workloads that fail together are named together.
SAID = {
    "image-pull": (
        ["eval-video is not ready: pod/eval-video-", "ImagePullBackOff: image genlevel/video:dev cannot be pulled"],
        "REGISTRY=",
    ),
    "crash": (
        ["CrashLoopBackOff: container evaluator ended with exit code 1 (Error), 4 restarts", "| RuntimeError: no such metric"],
        "log's last",
    ),
    "oom": (["OOMKilled: container evaluator used more memory than its limit of 2Gi, 4 restarts"], "Raise the memory limit"),
    "pending": (
        ["orchestrator is not ready: pod/orchestrator-", "Unschedulable: 0/3 nodes are available: 3 Insufficient memory."],
        "Make room",
    ),
    "unbound": (
        ["UnboundClaim: claim weights is not bound (storage class slow): no volume plugin matched", "scheduler says: 0/3"],
        "storage class",
    ),
    "config": (['CreateContainerConfigError: container orchestrator: secret "genlevel-elsewhere" not found'], "Make the Secret"),
    "mount": (['FailedMount: MountVolume.SetUp failed for volume "tls": secret "genlevel-tls" not found'], "volume or Secret"),
    "quota": (
        ["deployment/eval-video QuotaExceeded:", "exceeded quota: small", "limited: requests.memory=32Gi"],
        "ResourceQuota",
    ),
    "admission": (["statefulset/database AdmissionRefused:", 'violates PodSecurity "restricted:latest"'], "meet its policy"),
    "job-fail": (["pod/weights-fetch-", "JobFailed: BackoffLimitExceeded", "| no route to the index"], "starts the Job again"),
}
TOGETHER: list[dict[str, str]] = [
    {"eval-video": "image-pull", "orchestrator": "mount", "database": "admission"},
    {"eval-video": "quota", "orchestrator": "config"},
    {"eval-video": "unbound", "orchestrator": "pending"},
    {"eval-video": "oom"},
    {"eval-video": "crash"},
    {"weights-fetch": "job-fail"},
]


@pytest.mark.parametrize("failures", TOGETHER, ids=lambda failures: "+".join(failures.values()))
def test_a_failure_names_pod_and_reason_and_ends_soon(tool: Any, failures: dict[str, str]) -> None:
    tool.cluster.behaviour |= failures
    tool.cluster.logs |= {"weights-fetch": "fetching\nno route to the index", "eval-video": "RuntimeError: no such metric"}
    if "unbound" in failures.values():
        claim = tool.cluster.add("PersistentVolumeClaim", "weights", "genlevel", spec={"storageClassName": "slow"})
        about = {"kind": "PersistentVolumeClaim", "name": "weights", "uid": claim["metadata"]["uid"]}
        tool.cluster.add(
            "Event", "w", "genlevel", involvedObject=about, reason="ProvisioningFailed", message="no volume plugin matched"
        )
    code, _, err = tool("up", "--skip-check", "permissions", "--timeout", "600")
    assert code == 1
    assert "not ready after" not in err  # it ended by the grace of a fifth of a second, long before the timeout
    for behaviour in failures.values():
        facts, remedy = SAID[behaviour]
        for fact in facts:
            assert fact in err
        assert remedy in err.partition("remedy:")[2]


def test_a_pod_that_never_gets_ready_ends_with_the_timeout_and_its_last_word(tool: Any) -> None:
    tool.cluster.behaviour["eval-video"] = "not-ready"
    tool.cluster.logs["eval-video"] = "started\nweights missing: r3d_18; run `genlevel weights fetch`"
    code, _, err = tool("up", "--skip-check", "permissions", "--timeout", "1")
    assert code == 1
    assert "error: not ready after " in err
    assert "NotReady: container evaluator runs but is not ready (Readiness probe failed: service unhealthy" in err
    assert "| weights missing: r3d_18" in err


def test_a_crash_counts_only_once_what_comes_before_is_ready(tool: Any) -> None:
    """An orchestrator that crashes while its database starts is no failure."""
    tool.cluster.behaviour |= {"database": "not-ready", "orchestrator": "crash"}
    code, out, err = tool("up", "--skip-check", "permissions", "--timeout", "1.5")
    assert code == 1
    assert "not ready after" in err
    assert "waiting for deployment/orchestrator: 0 of 1 ready; pod/orchestrator-" in out


def test_a_cluster_that_falls_silent_while_waiting_is_an_error_with_its_cause(tool: Any) -> None:
    tool.cluster.behaviour["eval-video"] = "not-ready"
    real = tool.cluster.list

    def silent(resource: Any, *words: Any) -> Any:
        if resource.kind == "ReplicaSet":
            raise tool.cluster.refuse(504, "Timeout", "context deadline exceeded")
        return real(resource, *words)

    tool.cluster.list = silent
    code, _, err = tool("up", "--skip-check", "permissions")
    assert code == 1
    assert "does not answer in time" in err
    assert err.count("trying again") == 3


def test_after_a_failure_the_same_command_goes_on(tool: Any) -> None:
    tool.cluster.behaviour["eval-video"] = "image-pull"
    assert tool("up", "--skip-check", "permissions")[0] == 1
    tool.cluster.behaviour.clear()
    code, out, _ = tool("up", "--skip-check", "permissions")
    assert code == 0
    assert "nothing to change" in out
