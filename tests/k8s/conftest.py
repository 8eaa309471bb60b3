"""A fake Kubernetes cluster that a real kubectl talks to, and the cluster tool pointed at it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent


@dataclass
class Tool:
    """The cluster tool against the fake cluster."""

    cluster: Any
    folder: Path
    overlay: Path
    output: pytest.CaptureFixture[str]

    def __call__(self, command: str, *words: str) -> tuple[int, str, str]:
        """Run a command; its exit code, output and errors."""
        from k8s.cluster.__main__ import main

        if command == "up":
            chosen = [] if "--overlay" in words else ["--overlay", str(self.overlay)]
            words = (*chosen, "--poll", "0.05", "--grace", "0.2", "--timeout", "120", *words)
        code = main([command, "--folder", str(self.folder), *words])
        printed = self.output.readouterr()
        return code, printed.out, printed.err

    def documents(self) -> list[Any]:
        """The overlay's objects."""
        return list(yaml.safe_load_all((self.overlay / "all.yaml").read_text(encoding="utf-8")))

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the overlay's objects."""
        documents = self.documents()
        for document in documents:
            change(document)
        (self.overlay / "all.yaml").write_text(yaml.safe_dump_all(documents), encoding="utf-8")


@pytest.fixture
def cluster(load_module: Callable[[Path], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster with one node and a default storage class; kubectl's environment leads to it."""
    http, state, controllers = (load_module(HERE / f"fake_cluster{part}.py") for part in ("_http", "", "_controllers"))
    made = state.Cluster(refuse=http.Refused, controllers=controllers.Controllers())
    made.add("Node", "node-1", status={"allocatable": {"cpu": "8"}, "images": []})
    made.add("StorageClass", "standard", metadata={"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}})
    with http.serve(made) as address:
        write_kubeconfig(tmp_path / "kubeconfig", address)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
        monkeypatch.setattr("k8s.cluster.__main__.last_built_tag", str)  # images built on this machine are no affair of the tests
        monkeypatch.setenv("GOMAXPROCS", "1")  # with GOGC: half the time of a kubectl that lives for a few milliseconds
        monkeypatch.setenv("GOGC", "off")
        monkeypatch.setenv("KUBECTL", str(Path(sys.executable).with_name("kubectl")))
        yield made


@pytest.fixture
def tool(cluster: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Tool:
    """The tool, with a small overlay of its own."""
    overlay = tmp_path / "small"
    overlay.mkdir()
    shutil.copy(HERE / "fake_cluster_overlay.yaml", overlay / "all.yaml")
    (overlay / "kustomization.yaml").write_text("namespace: genlevel\nresources: [all.yaml]\n", encoding="utf-8")
    return Tool(cluster, tmp_path / "generated", overlay, capfd)


def write_kubeconfig(path: Path, server: str, name: str = "fake") -> None:
    """A kubeconfig with one context."""
    content = {
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": server}}],
        "users": [{"name": name, "user": {"token": "of-the-tester"}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }  # fmt: skip
    path.write_text(json.dumps(content), encoding="utf-8")
