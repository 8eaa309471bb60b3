"""The whole system in containers, as a user's machine sees it: `genlevel` outside, the orchestrator's TLS port, its token."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
from container_system.engine import COMPOSE, OUTPUT, ROOT, Broken, Project
from container_system.single import execute

DEMO = ROOT / "build" / "demo"
GENLEVEL = Path(sys.executable).parent / "genlevel"
EVALUATORS = {"language": "eval-language", "image": "eval-image", "video": "eval-video", "audio": "eval-audio", "three_d": "eval-3d"}
# A few seconds of work, and every evaluator has some.
QUICK = (
    "language.grammar-correction", "image.generation.image-deblurring", "image.comprehension.tabular-data-detection",
    "video.comprehension.optical-flow-in-simple-synthetic-scene", "audio.generation.emotional-speech-synthesis",
    "three_d.comprehension.3d-odometry",
)  # fmt: skip
# Half a minute of work in four tasks of one evaluator: long enough to be interrupted.
SPEECH = (
    "audio.generation.emotional-speech-synthesis", "audio.generation.text-to-speech", "audio.generation.voice-conversion",
    "audio.generation.song-generation",
)  # fmt: skip


class System:
    """A started project, with what a client needs.

    Args:
        project: the compose project.
        secrets: folder with token, tls.crt and the rest.
        port: of the orchestrator on this machine.
        gateway_port: of the gateway, where its profile is on.
    """

    def __init__(self, project: Project, secrets: Path, port: int, gateway_port: int) -> None:
        self.project = project
        self.secrets = secrets
        self.port = port
        self.endpoint = f"grpcs://localhost:{port}"
        self.gateway = f"localhost:{gateway_port}"
        self.authority = secrets / "tls.crt"

    @property
    def token(self) -> str:
        """The bearer token."""
        return (self.secrets / "token").read_text().strip()

    def environment(self, **changes: str) -> dict[str, str]:
        """Variables of a client on this machine."""
        known = {"GENLEVEL_TOKEN_FILE": str(self.secrets / "token"), "GENLEVEL_TLS_AUTHORITY": str(self.authority)}
        return {**os.environ, "GENLEVEL_STATE_DIR": str(OUTPUT / "client-state"), **known, **changes}

    def genlevel(self, *arguments: str, seconds: float = 900, **changes: str) -> subprocess.CompletedProcess[str]:
        """Run the command outside."""
        return subprocess.run(
            [str(GENLEVEL), *arguments], capture_output=True, text=True, timeout=seconds, check=False, env=self.environment(**changes)
        )

    def run_arguments(self, output: Path, tasks: Sequence[str] = ()) -> list[str]:
        """Arguments of a run of the demo bundle."""
        named = ["--tasks", ",".join(tasks)] if tasks else []
        return [
            "run", str(DEMO / "predictions"), "--references", str(DEMO / "references"), "--model", "demo-baselines",
            "--endpoint", self.endpoint, "--upload", "--output", str(output), *named,
        ]  # fmt: skip

    def run(self, name: str, tasks: Sequence[str] = ()) -> dict[str, Any]:
        """Run the demo bundle and return the report."""
        output = OUTPUT / self.project.name / name
        done = self.genlevel(*self.run_arguments(output, tasks))
        if done.returncode:
            raise Broken(f"genlevel run ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}\n{self.project.culprits()}")
        return read_report(output)

    def client(self) -> Any:
        """A blocking client of the orchestrator."""
        from genlevel_orchestrator.api.client import OrchestratorClient

        return OrchestratorClient(self.endpoint, self.token, self.authority)

    def sql(self, query: str) -> list[list[str]]:
        """Rows of a query of the journal."""
        environment = {"PGPASSWORD": (self.secrets / "database-password").read_text()}
        psql = ["psql", "-h", "127.0.0.1", "-U", "genlevel", "-d", "genlevel", "-At", "-F", "\t", "-c", query]
        text = execute(self.project.container("database"), *psql, environment=environment)
        return [line.split("\t") for line in text.splitlines()]

    def forget(self) -> None:
        """Empty the store of shards, so that the next run scores everything anew."""
        self.sql("DELETE FROM shards")

    def journalled(self) -> dict[str, str]:
        """By key: when a shard was journalled."""
        return {key: created for key, created in self.sql("SELECT key, created FROM shards WHERE parts IS NULL")}

    def finished(self) -> set[str]:
        """Tasks of the latest run whose result is journalled."""
        return {task for (task,) in self.sql("SELECT task_id FROM outcomes WHERE run = (SELECT name FROM runs ORDER BY created DESC LIMIT 1)")}

    def extend(self) -> None:
        """Add the gateway, and the store through which media travel from now on."""
        self.project.files.append(COMPOSE.with_name("compose.store.yaml"))
        self.project.profiles = ["store", "gateway"]
        self.project.compose("up", "--detach", "--no-build", "--timeout", "2")
        for service in ("store", "gateway", "orchestrator"):
            self.project.wait_healthy(service, 300)

    def without_media_store(self) -> None:
        """Let the orchestrator stream media to its evaluators, which read none of its files."""
        override = self.folder / "streams.json"
        override.write_text(json.dumps({"services": {"orchestrator": {"environment": {"GENLEVEL_MEDIA_STORE": ""}}}}))
        self.project.files.append(override)
        self.project.compose("up", "--detach", "--no-build", "--no-deps", "orchestrator")
        self.project.wait_healthy("orchestrator", 120)

    @property
    def folder(self) -> Path:
        """What belongs to this project alone."""
        return self.secrets.parent


@contextmanager
def background(command: Sequence[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended with the block, if it has not by itself."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def read_report(folder: Path) -> dict[str, Any]:
    """The report of a run."""
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return report


def make_calls(engine: docker.DockerClient, images: Mapping[str, str], project: Project, name: str, calls: int, in_flight: int) -> dict[str, Any]:
    """Calls from one container to another, by the client that runs use."""
    script = (Path(__file__).parents[1] / "load.py").read_text()
    output = engine.containers.run(
        images["orchestrator"], ["python", "-c", script, name, f"{EVALUATORS[name]}:9000", str(calls), str(in_flight)],
        network=project.network().name, remove=True, read_only=True, stderr=False,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(output)
    return found


def remake(project: Project, service: str, cpus: int = 0, replicas: int = 1) -> None:
    """Bring an evaluator to that many containers with that many processors each; containers that fit already are left alone."""
    environment = project.environment
    usual = environment["GENLEVEL_CPUS"]
    environment["GENLEVEL_CPUS"] = str(cpus or usual)
    try:
        project.compose("up", "--detach", "--no-build", "--no-deps", "--timeout", "2", "--scale", f"{service}={replicas}", service)
    finally:
        environment["GENLEVEL_CPUS"] = usual
    project.wait_healthy(service, 180)
