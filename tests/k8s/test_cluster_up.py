"""`up` with a real kubectl: what it makes, that it changes nothing the second time, and what it keeps to itself."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
from typing import Any

import pytest

from k8s.cluster.__main__ import main


def ok(answer: tuple[int, str, str]) -> str:
    code, out, err = answer
    assert code == 0, f"{out}\n{err}"
    return out


def test_brings_all_up_in_order_and_says_what_it_waits_for(tool: Any) -> None:
    tool.cluster.delay = 2
    out = ok(tool("up"))
    lines = [line.split("] ")[1] for line in out.splitlines() if "] " in line]
    assert lines[0].startswith("waiting for statefulset/database: 0 of 1 ready; pod/database-0 ContainerCreating")
    done = [line.partition(":")[0] for line in lines if line.endswith((": ready", ": completed"))]
    assert done[0] == "statefulset/database"
    assert set(done) == {"statefulset/database", "job/weights-fetch", "deployment/eval-video", "deployment/orchestrator"}
    assert "made: namespace/genlevel, configmap/settings" in out
    assert "ready after" in out
    assert tool.cluster.of("Deployment")["orchestrator"]["metadata"]["namespace"] == "genlevel"


def test_a_second_up_changes_nothing_and_says_so(tool: Any) -> None:
    ok(tool("up"))
    before = tool.cluster.versions()
    out = ok(tool("up"))
    assert tool.cluster.versions() == before
    assert "nothing to change: all 10 objects are as they should be" in out


def test_a_changed_setting_is_applied_and_named(tool: Any) -> None:
    ok(tool("up"))

    def change(document: dict[str, Any]) -> None:
        if document["kind"] == "ConfigMap":
            document["data"]["config.toml"] = "[dispatch]\nin_flight = 8\n"

    tool.edit(change)
    out = ok(tool("up"))
    assert "changed: configmap/settings" in out
    assert "made:" not in out
    assert tool.cluster.of("ConfigMap")["settings"]["data"]["config.toml"].endswith("in_flight = 8\n")


def test_registry_and_tag_reach_every_image_of_ours(tool: Any) -> None:
    ok(tool("up", "--registry", "registry.example/team", "--tag", "1.2"))
    images = {pod["spec"]["containers"][0]["image"] for pod in tool.cluster.of("Pod").values()}
    assert images == {f"registry.example/team/genlevel/{name}:1.2" for name in ("database", "orchestrator", "video")}
    rendered = subprocess.run(
        [os.environ["KUBECTL"], "kustomize", str(tool.folder / "fake/overlay")], capture_output=True, text=True, check=True
    )  # what was generated stands by itself
    assert "image: registry.example/team/genlevel/video:1.2" in rendered.stdout


def test_the_job_is_made_anew_when_it_changed_or_failed_and_else_left_alone(tool: Any) -> None:
    ok(tool("up"))
    first = tool.cluster.of("Job")["weights-fetch"]["metadata"]["uid"]
    ok(tool("up"))
    assert tool.cluster.of("Job")["weights-fetch"]["metadata"]["uid"] == first
    out = ok(tool("up", "--tag", "2"))
    assert "job/weights-fetch changed: it is made anew" in out
    second = tool.cluster.of("Job")["weights-fetch"]["metadata"]["uid"]
    assert second != first
    tool.cluster.behaviour["weights-fetch"] = "job-fail"
    assert tool("up", "--tag", "2")[0] == 1
    tool.cluster.behaviour.clear()
    tool.cluster.of("Job")["weights-fetch"]["status"] = {"conditions": [{"type": "Failed", "status": "True"}]}
    tool.cluster.controllers, kept = None, tool.cluster.controllers
    tool("up", "--tag", "2", "--timeout", "0.1")
    tool.cluster.controllers = kept
    assert tool.cluster.of("Job")["weights-fetch"]["metadata"]["uid"] != second


def test_without_metrics_the_replicas_are_fixed_and_it_says_so(tool: Any) -> None:
    tool.cluster.metrics = False
    out = ok(tool("up"))
    assert "no metrics API in this cluster: no autoscalers, fixed replicas (eval-video=2;" in out
    assert tool.cluster.of("HorizontalPodAutoscaler") == {}
    assert tool.cluster.of("Deployment")["eval-video"]["spec"]["replicas"] == 2
    out = ok(tool("up", "--replicas", "eval-video=3"))
    assert tool.cluster.of("Deployment")["eval-video"]["spec"]["replicas"] == 3


def test_with_metrics_the_autoscaler_owns_the_replicas(tool: Any) -> None:
    ok(tool("up"))
    assert "replicas" not in tool.cluster.applied[("deployments", "genlevel", "eval-video")]["spec"]
    assert tool.cluster.of("HorizontalPodAutoscaler")["eval-video"]["spec"]["minReplicas"] == 2
    code, _, err = tool("up", "--replicas", "nothing=3")
    assert code == 1
    assert "no Deployment nothing" in err


def test_what_is_ours_and_rendered_no_more_goes_and_what_is_of_others_stays(tool: Any) -> None:
    ok(tool("up"))
    tool.cluster.add("ConfigMap", "of-others", "genlevel", metadata={"labels": {"app.kubernetes.io/part-of": "genlevel"}})
    text = (tool.overlay / "all.yaml").read_text().replace("metadata: {name: settings}", "metadata: {name: settings-2}")
    (tool.overlay / "all.yaml").write_text(text)
    out = ok(tool("up"))
    assert "removed: configmap/settings" in out
    assert set(tool.cluster.of("ConfigMap")) == {"settings-2", "of-others"}
    assert set(tool.cluster.of("PersistentVolumeClaim")) == {"weights"}


def test_secrets_are_made_once_never_shown_and_written_for_their_owner_alone(tool: Any, tmp_path: Any, monkeypatch: Any) -> None:
    seen = tmp_path / "arguments"
    wrapper = tmp_path / "kubectl"
    wrapper.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {seen}\nenv >> {seen}\nexec {os.environ["KUBECTL"]} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("KUBECTL", str(wrapper))
    code, out, err = tool("up")
    assert code == 0, err
    held = {name: dict(secret["data"]) for name, secret in tool.cluster.of("Secret").items()}
    assert {name: set(data) for name, data in held.items()} == {
        "genlevel-token": {"token"}, "genlevel-tls": {"tls.crt", "tls.key", "ca.crt"},
        "genlevel-database": {"database-url", "user", "password", "database"},
    }  # fmt: skip
    folder = tool.folder / "fake"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name, secret, key in (("token", "genlevel-token", "token"), ("ca.crt", "genlevel-tls", "ca.crt")):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
        assert (folder / name).read_bytes() == base64.b64decode(held[secret][key])
    ok(tool("up"))
    assert {name: dict(secret["data"]) for name, secret in tool.cluster.of("Secret").items()} == held
    elsewhere = out + err + seen.read_text() + (tmp_path / "generated/fake/manifests.yaml").read_text()
    for name, key in (("genlevel-token", "token"), ("genlevel-tls", "tls.key"), ("genlevel-database", "password")):
        plain = base64.b64decode(held[name][key]).decode()
        assert len(plain) >= 32
        for line in (line for line in plain.splitlines() if not line.startswith("-----")):
            assert line not in elsewhere
        assert held[name][key] not in elsewhere


def test_a_name_that_the_certificate_there_lacks_is_told(tool: Any) -> None:
    ok(tool("up", "--host", "scores.example.org"))
    code, _, err = tool("up", "--host", "scores.example.org")
    assert (code, "warning: the certificate" in err) == (0, False)
    code, _, err = tool("up", "--host", "other.example.org", "--host", "198.51.100.7")
    assert code == 0
    assert "warning: the certificate in the Secret genlevel-tls is not for other.example.org, 198.51.100.7; have a new one made: `kubectl" in err


@pytest.mark.parametrize("host", ["https://scores.example.org", "198.51.100.7:9100", "two words", "", "\u00fcn\u00ef.example"])
def test_what_is_no_host_is_refused(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["up", "--host", host])
    assert "is no host name or address" in capsys.readouterr().err
