"""The shell scripts: what they refuse, and the secrets they make. Nothing is started."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "docker").rglob("*.sh"))
DOCKER = """#!/bin/sh
case "$1 $2" in
  "version "*) exit 0 ;;
  "image inspect") case "$3" in *"$ABSENT"*) exit 1 ;; esac ;;
esac
exit 0
"""


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {key: value for key, value in os.environ.items() if not key.startswith("GENLEVEL_")} | environment
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, env=known, timeout=30)


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with a docker that has all images but those that ABSENT names."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "docker").write_text(DOCKER)
    (folder / "docker").chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: str(script.relative_to(ROOT / "docker")))
def test_bash_can_read_it(script: Path) -> None:
    assert run("bash", "-n", script).stderr == ""
    assert script.stat().st_mode & stat.S_IXOTH
    assert script.read_text().startswith(("#!/bin/bash\n", "#!/usr/bin/env bash\n"))


def test_secrets_are_made_once_and_nobody_else_can_reach_them(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    made = []
    for _ in range(2):
        done = run(ROOT / "docker" / "up.sh", "secrets", GENLEVEL_SECRETS=str(folder))
        assert done.returncode == 0, done.stderr
        files = {path.name: path.read_text() for path in folder.iterdir()}
        assert set(files) == {
            "token", "database-password", "database-url", "store-access-key", "store-secret-key", "aws-credentials", "tls.crt", "tls.key",
        }  # fmt: skip
        made.append(files)
    assert made[0] == made[1], "a second start keeps the secrets of the first"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o444}, "user 10001 reads them through the mount"
    assert len(files["token"]) == 64
    assert f":{files['database-password']}@database:5432/genlevel" in files["database-url"]
    other = tmp_path / "other"
    run(ROOT / "docker" / "up.sh", "secrets", GENLEVEL_SECRETS=str(other))
    assert (other / "token").read_text() != files["token"]


def test_the_certificate_serves_the_names_that_are_used(tmp_path: Path) -> None:
    run(ROOT / "docker" / "up.sh", "secrets", GENLEVEL_SECRETS=str(tmp_path))
    for name in ("localhost", "orchestrator", "gateway"):
        assert "does match" in run("openssl", "x509", "-in", tmp_path / "tls.crt", "-noout", "-checkhost", name).stdout
    assert run("openssl", "verify", "-CAfile", tmp_path / "tls.crt", tmp_path / "tls.crt").returncode == 0


def test_images_that_are_missing_are_named_with_the_command(tmp_path: Path, path: str) -> None:
    done = run(ROOT / "docker" / "up.sh", PATH=path, ABSENT="video", GENLEVEL_TAG="t1", GENLEVEL_SECRETS=str(tmp_path / "s"))
    assert done.returncode == 1
    assert "missing images: genlevel/video:t1; run 'make images'" in done.stderr


def test_images_of_a_profile_are_looked_for_too(tmp_path: Path, path: str) -> None:
    done = run(ROOT / "docker" / "up.sh", "up", "--gateway", PATH=path, ABSENT="gateway", GENLEVEL_TAG="t1", GENLEVEL_SECRETS=str(tmp_path / "s"))
    assert "missing images: genlevel/gateway:t1;" in done.stderr


def test_a_folder_of_bundles_that_is_missing_is_named(tmp_path: Path, path: str) -> None:
    done = run(ROOT / "docker" / "up.sh", PATH=path, ABSENT="none", GENLEVEL_TAG="t1", GENLEVEL_BUNDLES=str(tmp_path / "absent"))
    assert done.returncode == 1
    assert f"no folder {tmp_path / 'absent'}: run 'make demo-bundle'" in done.stderr


def test_an_option_that_is_not_there_is_refused(path: str) -> None:
    done = run(ROOT / "docker" / "up.sh", "up", "--tsl", PATH=path)
    assert done.returncode == 1
    assert "unknown option --tsl" in done.stderr


@pytest.mark.parametrize(
    ("script", "environment", "said"),
    [
        ("database", {"POSTGRES_PASSWORD_FILE": "/nowhere"}, "database: cannot read the password in /nowhere: mount it there"),
        ("database", {"POSTGRES_PASSWORD_FILE": "/dev/null"}, "database: /dev/null is empty"),
        ("store", {"STORE_ACCESS_KEY_FILE": "/nowhere"}, "store: cannot read /nowhere: mount the key there"),
        ("store", {"STORE_ACCESS_KEY_FILE": "/dev/null"}, "store: /dev/null: a key has at least 8"),
        ("gateway", {"GATEWAY_TOKEN_FILE": "/nowhere", "GATEWAY_DOMAIN": ""}, "gateway: cannot read /nowhere: mount it there"),
    ],
)
def test_a_container_without_its_secret_says_so(tmp_path: Path, script: str, environment: dict[str, str], said: str) -> None:
    command = ["postgres"] if script == "database" else []
    done = run("bash", ROOT / "docker" / script / "entrypoint.sh", *command, PGDATA=str(tmp_path / "data"), **environment)
    assert done.returncode != 0
    assert said in done.stderr


def test_a_database_of_another_version_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "PG_VERSION").write_text("14\n")
    done = run("bash", ROOT / "docker" / "database" / "entrypoint.sh", "postgres", PGDATA=str(tmp_path))
    assert done.returncode == 1
    assert "was made by PostgreSQL 14 and this is 15: dump it" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["PG_VERSION"]


def test_a_database_whose_volume_was_opened_to_a_group_is_closed_again(tmp_path: Path) -> None:
    """Kubernetes does that to a restored volume, for the sake of fsGroup, and PostgreSQL would not start."""
    data, programs = tmp_path / "pgdata", tmp_path / "bin"
    for folder in (data, programs):
        folder.mkdir()
    (data / "PG_VERSION").write_text("15\n")
    data.chmod(0o2770)
    (programs / "postgres").write_text('#!/bin/sh\nstat --format %a "$2"\n')
    (programs / "postgres").chmod(0o755)
    variables = {"PGDATA": str(data), "PATH": f"{programs}:{os.environ['PATH']}"}
    done = run("bash", ROOT / "docker" / "database" / "entrypoint.sh", "postgres", **variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in ("700", "2700")
