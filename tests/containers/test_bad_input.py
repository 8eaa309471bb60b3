"""What an operator gets wrong is named, with its cause, within a minute."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from container_system.engine import Project, health, until
from container_system.system import OUTPUT, System

SECONDS = 60.0
SCRATCH = {"/tmp": "size=1g,mode=1777"}
HARD = {"read_only": True, "cap_drop": ["ALL"], "network_mode": "none", "tmpfs": SCRATCH}


@contextmanager
def within(seconds: float = SECONDS) -> Iterator[None]:
    """The block takes no longer."""
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < seconds


def said(done: Any) -> str:
    """Both outputs of a command that must have failed."""
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stderr, done.stderr
    return str(done.stdout + done.stderr)


@contextmanager
def alone(engine: Any, image: str, *command: str, **more: Any) -> Iterator[Any]:
    """A container that is started without the others."""
    container = engine.containers.run(image, list(command) or None, detach=True, **{**HARD, **more})
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def log_of(container: Any, *words: str) -> str:
    """The log once it holds all the words."""

    def look() -> str | None:
        text = container.logs().decode(errors="replace")
        return text if all(word in text for word in words) else None

    try:
        return until(f"{container.name} says {words}", SECONDS, look)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{container.logs().decode(errors='replace')[-3000:]}") from None


def test_token_missing(system: System) -> None:
    with within():
        text = said(system.genlevel("runs", "list", "--endpoint", system.endpoint, GENLEVEL_TOKEN_FILE="", GENLEVEL_TOKEN=""))
    assert "token" in text
    assert "GENLEVEL_TOKEN" in text


def test_token_wrong(system: System) -> None:
    with within():
        text = said(system.genlevel(*system.run_arguments(OUTPUT / "never"), GENLEVEL_TOKEN_FILE="", GENLEVEL_TOKEN="x" * 40))
    assert "token" in text
    assert not (OUTPUT / "never").exists()


def test_plaintext_to_tls(system: System) -> None:
    with within():
        text = said(system.genlevel("runs", "list", "--endpoint", f"localhost:{system.port}"))
    assert "grpcs://" in text


def test_authority_unknown(system: System) -> None:
    with within():
        text = said(system.genlevel("runs", "list", "--endpoint", system.endpoint, GENLEVEL_TLS_AUTHORITY=""))
    assert "GENLEVEL_TLS_AUTHORITY" in text


def test_database_stopped(system: System) -> None:
    project = system.project
    project.compose("stop", "database")
    try:
        with within():
            text = said(system.genlevel("runs", "list", "--endpoint", system.endpoint))
            assert "journal" in text
            assert "database" in text
            until("the orchestrator is not ready", SECONDS, lambda: health(project.container("orchestrator")) == "unhealthy")
    finally:
        project.compose("start", "database")
    until("the orchestrator is ready again", SECONDS, lambda: health(project.container("orchestrator")) == "healthy")
    assert system.genlevel("runs", "list", "--endpoint", system.endpoint).returncode == 0


def test_evaluator_unreachable(system: System) -> None:
    network, evaluator = system.project.network(), system.project.container("eval-3d")
    system.forget()
    network.disconnect(evaluator)
    try:
        with within():
            text = said(system.genlevel(*system.run_arguments(OUTPUT / system.project.name / "unreachable", ["three_d.comprehension.3d-odometry"])))
        assert "EVALUATOR_ABSENT" in text or "three_d" in text
        assert "eval-3d" in text
    finally:
        network.connect(evaluator, aliases=["eval-3d"])


def test_weights_volume_empty(engine: Any, images: dict[str, str]) -> None:
    with within(), alone(engine, images["audio"], shm_size="1g") as container:
        text = log_of(container, "not ready", "whisper", "weights fetch")
        assert health(container) != "healthy"
    assert "/var/lib/genlevel/cache" in text


def test_no_volume_for_the_weights(engine: Any, images: dict[str, str]) -> None:
    with within(), alone(engine, images["audio"], environment={"GENLEVEL_CACHE_DIR": "/nowhere"}) as container:
        text = log_of(container, "GENLEVEL_CACHE_DIR=/nowhere")
        assert container.wait(timeout=30)["StatusCode"] == 2
    assert "mount" in text


@pytest.mark.parametrize(
    ("content", "words"),
    [("[language]\nreplikas = 2\n", ("language.replikas", "replicas")), ("[language\n", ("not TOML",)), ("[languge]\n", ("languge", "language"))],
)
def test_services_file_broken(engine: Any, images: dict[str, str], tmp_path: Path, content: str, words: tuple[str, ...]) -> None:
    (tmp_path / "services.toml").write_text(content)
    tmp_path.chmod(0o755)
    volumes = {str(tmp_path / "services.toml"): {"bind": "/etc/genlevel/services.toml", "mode": "ro"}}
    environment = {"GENLEVEL_SERVICES": "/etc/genlevel/services.toml"}
    with within(), alone(engine, images["language"], environment=environment, volumes=volumes) as container:
        text = log_of(container, "/etc/genlevel/services.toml", *words)
        assert container.wait(timeout=30)["StatusCode"] == 2
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('datbase = "x"\n', ("datbase",)),
        ('database_file = "/run/secrets/genlevel/nothing"\n', ("/run/secrets/genlevel/nothing",)),
        ('database = "postgresql+psycopg://genlevel:word@nobody.invalid/genlevel"\ndatabase_start_seconds = 5\n', ("nobody.invalid", "does not answer")),
    ],
)
def test_settings_broken(engine: Any, images: dict[str, str], tmp_path: Path, content: str, words: tuple[str, ...]) -> None:
    (tmp_path / "config.toml").write_text(content)
    (tmp_path / "token").write_text("t" * 32)
    tmp_path.chmod(0o755)
    volumes = {
        str(tmp_path / "config.toml"): {"bind": "/etc/genlevel/config.toml", "mode": "ro"},
        str(tmp_path / "token"): {"bind": "/run/secrets/genlevel/token", "mode": "ro"},
    }
    environment = {
        "GENLEVEL_CONFIG": "/etc/genlevel/config.toml", "GENLEVEL_TOKEN_FILE": "/run/secrets/genlevel/token",
        "GENLEVEL_EVALUATORS": "language=eval-language:9000",
    }  # fmt: skip
    command = ["genlevel", "serve", "--host", "0.0.0.0"]
    more = {"environment": environment, "volumes": volumes, "tmpfs": {**SCRATCH, "/var/lib/genlevel/state": "uid=10001"}}
    with within(), alone(engine, images["orchestrator"], *command, **more) as container:
        text = log_of(container, *words)
        assert container.wait(timeout=30)["StatusCode"] != 0
    assert "Traceback" not in text
    assert "word" not in text.replace("password", "")


def test_secret_missing(engine: Any, images: dict[str, str]) -> None:
    for name in ("database", "store", "gateway"):
        with within(), alone(engine, images[name]) as container:
            text = log_of(container, "cannot read", "/run/secrets/genlevel/", "mount")
            assert container.wait(timeout=30)["StatusCode"] != 0
        assert text.startswith(f"{name}: ")


def test_image_missing(engine: Any, system: System) -> None:
    project = Project(engine, {**system.project.environment, "GENLEVEL_TAG": "never-built"})
    try:
        with within():
            done = project.compose("up", "--detach", "--no-build", check=False)
        assert done.returncode != 0
        assert "never-built" in done.stdout + done.stderr
    finally:
        project.down()
