"""The Docker engine as the tests use it: compose projects of their own, waiting for health, logs of what went wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import docker.errors

import docker

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = ROOT / "docker" / "compose.yaml"
OUTPUT = ROOT / "build" / "containers"
LABEL_PROJECT, LABEL_SERVICE = "com.docker.compose.project", "com.docker.compose.service"

T = TypeVar("T")


class Broken(AssertionError):
    """Containers did not do what they should; holds the tail of the log of the one at fault."""


def client() -> docker.DockerClient:
    """The engine that `docker` talks to; scripts/container_engine.sh has made sure of it."""
    found = docker.from_env(timeout=600)
    found.ping()
    return found


def compose_command() -> list[str]:
    """`docker compose` where the plugin is there, else `docker-compose`."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if plugin.returncode == 0:
        return ["docker", "compose"]
    found = shutil.which("docker-compose")
    assert found, "neither `docker compose` nor docker-compose is here: run scripts/container_engine.sh"
    return [found]


def until(what: str, seconds: float, look: Callable[[], T | None], pause: float = 0.2) -> T:
    """What `look` returns once it is neither None nor False; fails after that many seconds, saying what was waited for."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > end:
            raise Broken(f"waited {seconds:.0f} s in vain: {what}")
        time.sleep(pause)


def tail(container: Any, lines: int = 60) -> str:
    """The end of a container's log."""
    return f"--- {container.name} ---\n{container.logs(tail=lines).decode(errors='replace')}"


def inspected(container: Any) -> dict[str, Any]:
    """A container's state as the engine has it now."""
    container.reload()
    state: dict[str, Any] = container.attrs["State"]
    return state


def health(container: Any) -> str:
    """`healthy`, `starting`, `unhealthy`; `none` without a check; `exited N` when it has ended."""
    state = inspected(container)
    if state["Status"] in ("exited", "dead"):
        return f"exited {state['ExitCode']}"
    return str(state.get("Health", {}).get("Status", "none"))


class Project:
    """One run of docker/compose.yaml, apart from all others: own names, network, volumes and ports.

    Args:
        engine: the engine.
        environment: variables for compose.
        files: compose files after docker/compose.yaml.
        profiles: profiles that are switched on.
        name: of the project; a new one by default.
    """

    def __init__(
        self, engine: docker.DockerClient, environment: Mapping[str, str], files: Sequence[Path] = (), profiles: Sequence[str] = (),
        name: str = "",
    ) -> None:
        self.engine = engine
        self.name = name or f"genlevel-test-{uuid.uuid4().hex[:8]}"
        self.environment = {**os.environ, **environment}
        self.files = [COMPOSE, *files]
        self.profiles = list(profiles)

    def compose(self, *arguments: str, seconds: float = 600, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run compose; its output stands in the error when it fails."""
        command = [*compose_command(), "--project-name", self.name]
        command += [part for path in self.files for part in ("--file", str(path))]
        environment = {**self.environment, "COMPOSE_PROFILES": ",".join(self.profiles)}
        done = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=seconds, check=False, env=environment, cwd=ROOT
        )
        if check and done.returncode:
            raise Broken(f"compose {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}\n{self.culprits()}")
        return done

    def containers(self, service: str = "", everything: bool = True) -> list[Any]:
        """Containers of the project, or of one service of it, in order of their names."""
        labels = [f"{LABEL_PROJECT}={self.name}"] + ([f"{LABEL_SERVICE}={service}"] if service else [])
        found: list[Any] = self.engine.containers.list(all=everything, filters={"label": labels})
        return sorted(found, key=lambda container: str(container.name))

    def container(self, service: str) -> Any:
        """The one container of a service."""
        found = [item for item in self.containers(service) if "_run_" not in item.name]
        assert len(found) == 1, f"{service}: {len(found)} containers"
        return found[0]

    def network(self) -> Any:
        """The network that evaluators and orchestrator share; it has no way out."""
        return self.engine.networks.get(f"{self.name}_inside")

    def wait_healthy(self, service: str, seconds: float = 120) -> None:
        """Return when every container of a service is healthy."""

        def look() -> bool:
            states = {container.name: health(container) for container in self.containers(service)}
            over = [name for name, state in states.items() if state.startswith(("exited", "unhealthy"))]
            if over:
                raise Broken(f"{service}: {states}\n" + "\n".join(tail(item) for item in self.containers(service)))
            return bool(states) and all(state == "healthy" for state in states.values())

        try:
            until(f"{service} is healthy", seconds, look)
        except Broken as error:
            raise Broken(f"{error}\n" + "\n".join(tail(item) for item in self.containers(service))) from None

    def culprits(self) -> str:
        """Tails of the logs of all containers that are not well."""
        sick = [item for item in self.containers() if health(item) not in ("healthy", "none", "exited 0", "starting")]
        return "\n".join(tail(item) for item in sick)

    def save_logs(self) -> None:
        """Write the log of each container to build/containers/PROJECT."""
        folder = OUTPUT / self.name
        folder.mkdir(parents=True, exist_ok=True)
        for container in self.containers():
            (folder / f"{container.name}.log").write_bytes(container.logs(timestamps=True))

    def down(self) -> None:
        """Save the logs, then remove containers, network and volumes."""
        try:
            self.save_logs()
        finally:
            self.compose("down", "--volumes", "--remove-orphans", "--timeout", "5", check=False)
            for container in self.containers():
                container.remove(force=True, v=True)
            labels = {"label": f"{LABEL_PROJECT}={self.name}"}
            for network in self.engine.networks.list(filters=labels):
                network.remove()
            for volume in self.engine.volumes.list(filters=labels):
                volume.remove(force=True)
