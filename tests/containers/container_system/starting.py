"""The whole system, started for a block and taken away after it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import docker
from container_system.engine import COMPOSE, LABEL_PROJECT, OUTPUT, ROOT, Project
from container_system.system import System

TLS = COMPOSE.with_name("compose.tls.yaml")


class Milestones:
    """When containers started, became healthy and ended, as the engine tells it while it happens."""

    def __init__(self, project: Project) -> None:
        self.seen: list[tuple[float, str, str]] = []
        labels = [f"com.docker.compose.project={project.name}"]
        kinds = ["start", "die", "health_status"]
        self._stream = project.engine.events(decode=True, filters={"label": labels, "type": "container", "event": kinds})
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for event in self._stream:
            service = event["Actor"]["Attributes"]["com.docker.compose.service"]
            self.seen.append((event["timeNano"] / 1e9, service, event["Action"].replace("health_status: ", "")))

    def close(self) -> None:
        """Listen no more."""
        self._stream.close()

    def first(self, service: str, action: str) -> float:
        """When a service first did something: `start`, `healthy`, `die`."""
        found = [when for when, name, what in self.seen if (name, what) == (service, action)]
        assert found, f"{service} never said {action}: {self.seen}"
        return min(found)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def make_secrets(folder: Path) -> None:
    """The secrets as docker/up.sh makes them, and nobody else's."""
    environment = {**os.environ, "GENLEVEL_SECRETS": str(folder)}
    subprocess.run([str(ROOT / "docker" / "up.sh"), "secrets"], check=True, env=environment)


def seed_weights(engine: docker.DockerClient, project: Project, image: str) -> None:
    """Bring this machine's cache into the project's volume, where there is one: nothing is downloaded twice."""
    cache = Path(os.environ.get("GENLEVEL_CACHE_DIR", Path.home() / ".cache" / "genlevel"))
    labels = {LABEL_PROJECT: project.name, "com.docker.compose.volume": "weights"}
    volume = engine.volumes.create(f"{project.name}_weights", labels=labels)
    if (cache / "weights").is_dir():
        engine.containers.run(
            image, ["sh", "-c", "cp -r /from/weights /to/ && chown -R 10001:10001 /to"], entrypoint="", user="0", remove=True, network_mode="none",
            volumes={str(cache): {"bind": "/from", "mode": "ro"}, volume.name: {"bind": "/to", "mode": "rw"}},
        )  # fmt: skip


@contextmanager
def started(
    engine: docker.DockerClient, images: Mapping[str, str], files: Sequence[Path] = (), profiles: Sequence[str] = (), cpus: float = 0
) -> Iterator[tuple[System, Milestones]]:
    """The whole system, healthy; removed at the end, whatever happened."""
    port, gateway_port = free_port(), free_port()
    bundles = OUTPUT / "no-bundles"
    bundles.mkdir(parents=True, exist_ok=True)
    name = f"genlevel-test-{uuid.uuid4().hex[:8]}"
    secrets = OUTPUT / name / "secrets"
    secrets.parent.mkdir(parents=True)
    make_secrets(secrets)
    environment = {
        "GENLEVEL_TAG": images["orchestrator"].rpartition(":")[2], "GENLEVEL_PORT": str(port), "GENLEVEL_GATEWAY_PORT": str(gateway_port),
        "GENLEVEL_SECRETS": str(secrets), "GENLEVEL_BUNDLES": str(bundles), "GENLEVEL_CPUS": f"{cpus or os.cpu_count()}",
    }  # fmt: skip
    project = Project(engine, environment, [TLS, *files], profiles, name)
    milestones = Milestones(project)
    try:
        seed_weights(engine, project, images["orchestrator"])
        project.compose("up", "--detach", "--no-build")
        for service in ("orchestrator", *profiles):
            project.wait_healthy(service, 300)
        yield System(project, secrets, port, gateway_port), milestones
    finally:
        milestones.close()
        project.down()
        shutil.rmtree(secrets)
