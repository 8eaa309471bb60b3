"""`down`, `status` and `logs` with a real kubectl."""

from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.fixture
def running(tool: Any) -> Any:
    """The tool with a system that is up."""
    code, _, err = tool("up", "--skip-check", "permissions")
    assert code == 0, err
    return tool


def test_down_keeps_data_and_secrets_and_what_is_of_others(running: Any) -> None:
    cluster = running.cluster
    cluster.add("PersistentVolumeClaim", "data-database-0", "genlevel", spec={})
    cluster.add("ConfigMap", "of-others", "genlevel")
    secrets = {name: dict(secret["data"]) for name, secret in cluster.of("Secret").items()}
    code, out, err = running("down", "--yes")
    assert code == 0, err
    assert "removing GenLevel in context fake, namespace genlevel" in out
    assert "deployment.apps/eval-video" in out
    assert "kept: claims weights, data-database-0 and the Secrets" in out
    for kind in ("Deployment", "StatefulSet", "Job", "Service", "HorizontalPodAutoscaler", "NetworkPolicy", "Pod"):
        assert cluster.of(kind) == {}
    assert set(cluster.of("ConfigMap")) == {"of-others"}
    assert set(cluster.of("PersistentVolumeClaim")) == {"weights", "data-database-0"}
    code, out, _ = running("down", "--yes")
    assert (code, "nothing to remove" in out) == (0, True)
    assert running("up", "--skip-check", "permissions")[0] == 0
    assert {name: dict(secret["data"]) for name, secret in cluster.of("Secret").items()} == secrets


def test_down_with_data_removes_everything_that_is_ours(running: Any) -> None:
    cluster = running.cluster
    cluster.add("PersistentVolumeClaim", "data-database-0", "genlevel", spec={})
    cluster.add("PersistentVolumeClaim", "of-others", "genlevel", spec={})
    code, out, err = running("down", "--yes", "--data")
    assert code == 0, err
    assert "with all data (claims weights, data-database-0) and Secrets" in out
    assert set(cluster.of("PersistentVolumeClaim")) == {"of-others"}
    assert cluster.of("Secret") == {}
    assert "the namespace genlevel stays" in err
    assert "persistentvolumeclaim/of-others" in err
    del cluster.objects[("persistentvolumeclaims", "genlevel", "of-others")]
    code, out, _ = running("down", "--yes", "--data")
    assert "namespace/genlevel" in out
    assert cluster.of("Namespace") == {}
    code, out, _ = running("down", "--yes")
    assert (code, "nothing to remove: context fake has no namespace genlevel" in out) == (0, True)


def test_down_without_a_terminal_or_consent_removes_nothing(running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = running.cluster.versions()
    code, _, err = running("down")
    assert code == 1
    assert "make down YES=1" in err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "n")
    code, _, err = running("down", "--data")
    assert code == 1
    assert "not confirmed; nothing was removed" in err
    assert running.cluster.versions() == before


def test_status_names_pods_nodes_claims_endpoints_and_reasons(running: Any) -> None:
    cluster = running.cluster
    endpoints = [{"conditions": {"ready": True}}, {"conditions": {"ready": False}}]
    metadata = {"labels": {"kubernetes.io/service-name": "eval-video"}}
    cluster.add("EndpointSlice", "eval-video-x", "genlevel", metadata=metadata, endpoints=endpoints, addressType="IPv4")
    code, out, err = running("status")
    assert code == 0, err
    assert "context fake, namespace genlevel: ready" in out
    assert [line.split() for line in out.splitlines() if line.startswith("weights ")] == [["weights", "Bound", "1Gi", "-"]]
    assert [line.split()[1:] for line in out.splitlines() if line.startswith("eval-video ")] == [["0", "2", "4"], ["2", "1"]]
    cluster.behaviour["eval-video"] = "oom"
    code, out, _ = running("status", "--json")
    state = json.loads(out)
    assert (code, state["ready"]) == (1, False)
    video = next(row for row in state["workloads"] if row["name"] == "eval-video")
    assert (video["ready"], video["reason"], video["pods"][0]["restarts"], video["pods"][0]["node"]) == (
        False,
        "OOMKilled",
        4,
        "node-1",
    )
    _, out, _ = running("status")
    line = next(line for line in out.splitlines() if line.startswith("deployment/eval-video"))
    assert "OOMKilled: container evaluator used more memory than its limit of 2Gi" in line


def test_status_of_nothing(tool: Any) -> None:
    code, out, _ = tool("status")
    assert code == 1
    assert "GenLevel does not run in context fake" in out


def test_logs_come_with_their_pods(running: Any) -> None:
    running.cluster.logs |= {"eval-video": "one\ntwo\nthree", "orchestrator": "hello"}
    code, out, err = running("logs", "video", "--tail", "2")
    assert code == 0, err
    lines = out.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("[pod/eval-video-") for line in lines)
    assert [line.rpartition(" ")[2] for line in lines] == ["two", "three"]
    code, out, _ = running("logs")
    assert {"hello", "three"} <= {line.rpartition(" ")[2] for line in out.splitlines()}


def test_logs_of_the_last_life_and_of_nothing(running: Any) -> None:
    code, _, err = running("logs", "video", "--previous")
    assert code == 1
    assert "no container of video was restarted" in err
    running.cluster.behaviour["eval-video"] = "crash"
    running("status")
    name = next(pod for pod in running.cluster.of("Pod") if pod.startswith("eval-video"))
    running.cluster.logs[f"{name}:previous"] = "the last words"
    code, out, _ = running("logs", "video", "--previous")
    assert "the last words" in out
    code, _, err = running("logs", "moon")
    assert code == 1
    assert "there is no component moon with pods" in err
    assert "eval-video" in err
