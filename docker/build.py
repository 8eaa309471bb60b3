#!/usr/bin/env python3
"""Builds the images in order, writes their SBOMs to build/sbom and says how large they are. Needs docker and git, no packages.

    docker/build.py [--only language,orchestrator] [--flavour cpu --torch-index-url URL] [--index-url URL] [--extra-ca FILE]
                    [--python-image NAME@sha256:...] [--debian-image NAME@sha256:...] [--tag TAG] [--json]

Images already built are taken from the engine's cache. The tag of the last build and what it made stand in build/images.json.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
import time
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "build" / "images.json"
SBOM = ROOT / "build" / "sbom"
# What an image is made of: the tag names the last commit that touched it.
SOURCES = ["docker", "protos", "services", "orchestrator", "requirements/uv.txt", ".dockerignore"]
LAST_LINES = 25


class BuildError(Exception):
    """No image; the message says which, why, and the remedy."""


@dataclass
class Built:
    """One image."""

    name: str
    image: str
    id: str
    megabytes: float
    own_megabytes: float
    seconds: float
    published: bool


def images() -> dict[str, dict[str, Any]]:
    """docker/images.toml."""
    return tomllib.loads((ROOT / "docker" / "images.toml").read_text(encoding="utf-8"))


def output(*command: str) -> str:
    """Standard output of a command; empty when it fails."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def version() -> str:
    """Version of the orchestrator, which is the version of the whole."""
    table = tomllib.loads((ROOT / "orchestrator" / "pyproject.toml").read_text(encoding="utf-8"))
    return str(table["project"]["version"])


def revision() -> str:
    """The last commit that touched the images' sources; `-dirty` when some differ from it."""
    commit = output("git", "log", "-1", "--format=%h", "--", *SOURCES)
    if not commit:
        return "unknown"
    return commit + ("-dirty" if output("git", "status", "--porcelain", "--", *SOURCES) else "")


def order(described: dict[str, dict[str, Any]], only: list[str]) -> list[str]:
    """The wanted images and all they are built from, parents first.

    >>> order({"base": {"parent": "python"}, "a": {"parent": "base"}, "b": {"parent": "base"}, "tools": {"parent": "python"}}, ["b"])
    ['tools', 'base', 'b']
    """
    unknown = sorted(set(only) - set(described))
    if unknown:
        raise BuildError(f"no image {', '.join(unknown)}: there are {', '.join(described)}")
    wanted: list[str] = []

    def add(name: str) -> None:
        if name in described and name not in wanted:
            add(described[name]["parent"])
            wanted.append(name)

    for name in ["tools", *(only or described)]:
        add(name)
    return wanted


def arguments(name: str, image: dict[str, Any], given: argparse.Namespace, tag: str) -> dict[str, str]:
    """Build arguments of an image; those that are empty are left out."""
    parent = {"python": given.python_image, "debian": given.debian_image}.get(image["parent"], f"genlevel/{image['parent']}:{tag}")
    service = {"SERVICE": name, "SYSTEM": " ".join(image.get("system", []))}
    evaluator = image["dockerfile"] == "evaluator"
    torch = evaluator or name == "torch"
    values = {
        "PARENT_IMAGE" if image["parent"] not in ("python", "debian") else "BASE_IMAGE": parent,
        "TOOLS_IMAGE": f"genlevel/tools:{tag}" if image.get("published", True) else "",
        "IMAGE_VERSION": tag if image.get("published", True) else "",
        "REVISION": given.revision if image.get("published", True) else "",
        "INDEX_URL": "" if image["parent"] == "debian" and "input" not in image else given.index_url,
        "EXTRA_CA": "" if image["parent"] == "debian" and "input" not in image else given.extra_ca,
        "EXCLUDES": " ".join(image.get("excludes", [])),
        "PRUNE": " ".join(image.get("prune", [])),
        "FLAVOUR": given.flavour if torch else "",
        "TORCH_INDEX_URL": given.torch_index_url if torch else "",
        **(service if evaluator else {}),
    }
    return {key: value for key, value in values.items() if value}


def inspect(image: str) -> dict[str, Any]:
    """What the engine knows of an image; empty when it is not there."""
    text = output("docker", "image", "inspect", image)
    return dict(json.loads(text)[0]) if text else {}


def build(name: str, image: dict[str, Any], given: argparse.Namespace, tag: str) -> Built:
    """Build one image and measure it."""
    label = f"genlevel/{name}:{tag}"
    values = arguments(name, image, given, tag)
    command = ["docker", "build", "--network", given.network, "--file", f"docker/{image['dockerfile']}/Dockerfile", "--tag", label]
    command += [part for key, value in values.items() for part in ("--build-arg", f"{key}={value}")]
    started = time.monotonic()
    done = subprocess.run([*command, "."], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    seconds = time.monotonic() - started
    log = ROOT / "build" / "image-logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(done.stdout, encoding="utf-8")
    if done.returncode:
        last = "\n  ".join(done.stdout.splitlines()[-LAST_LINES:])
        raise BuildError(f"image {name} was not built; all of its log is in {log.relative_to(ROOT)}, the last lines are\n  {last}")
    made = inspect(label)
    below = inspect(values.get("PARENT_IMAGE", values.get("BASE_IMAGE", ""))).get("Size", 0)
    published = bool(image.get("published", True))
    return Built(name, label, made["Id"], made["Size"] / 1e6, (made["Size"] - below) / 1e6, round(seconds, 1), published)


def save_sbom(built: Built) -> None:
    """Copy the SBOM out of an image."""
    SBOM.mkdir(parents=True, exist_ok=True)
    container = output("docker", "create", built.image)
    target = SBOM / f"{built.name}.cdx.json"
    copied = subprocess.run(["docker", "cp", f"{container}:/usr/share/genlevel/sbom.cdx.json", str(target)], capture_output=True, text=True, check=False)
    output("docker", "rm", container)
    if copied.returncode:
        raise BuildError(f"image {built.name} has no SBOM: {copied.stderr.strip()}")


def check_engine(given: argparse.Namespace) -> None:
    """A usable engine, base images that are there or can be pulled, and arguments that make sense."""
    if not output("docker", "version", "--format", "{{.Server.Version}}"):
        raise BuildError("no Docker engine answers: start one, or correct DOCKER_HOST")
    for image, option in ((given.python_image, "--python-image"), (given.debian_image, "--debian-image")):
        if not inspect(image) and subprocess.run(["docker", "pull", "--quiet", image], capture_output=True, check=False).returncode:
            raise BuildError(f"the base image {image} is not here and cannot be pulled: name one that can with {option}")


def check_options(given: argparse.Namespace) -> None:
    """Options that contradict one another, or would leave a secret behind."""
    for option, url in (("--index-url", given.index_url), ("--torch-index-url", given.torch_index_url)):
        if urlsplit(url).username or urlsplit(url).password:
            raise BuildError(f"{option}: build arguments stay in an image's history: give an URL without user and password")
    if given.flavour == "cpu" and not given.torch_index_url:
        raise BuildError("--flavour cpu needs --torch-index-url: the index that has the CPU builds of torch")


def table(built: list[Built]) -> str:
    """Sizes and times for people."""
    lines = [f"{'image':<40}{'MB':>8}{'own MB':>8}{'seconds':>9}"]
    lines += [f"{one.image:<40}{one.megabytes:>8.0f}{one.own_megabytes:>8.0f}{one.seconds:>9.1f}" for one in built]
    return "\n".join([*lines, f"{'all layers, each counted once':<48}{sum(one.own_megabytes for one in built):>8.0f}"])


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(description="Build the images of GenLevel.")
    result.add_argument("--only", default="", help="images, separated by commas; what they stand on is built too")
    result.add_argument("--flavour", choices=["gpu", "cpu"], default="gpu", help="which build of torch: gpu as in requirements.lock, cpu needs --torch-index-url")
    result.add_argument("--torch-index-url", default="", help="package index that has the CPU builds of torch")
    result.add_argument("--index-url", default="", help="package index; the default one when left out")
    result.add_argument("--extra-ca", type=Path, help="PEM file of one more authority to trust while building")
    result.add_argument("--python-image", default=os.environ.get("GENLEVEL_PYTHON_IMAGE", "python:3.11-slim-bookworm"), help="base with Python 3.11; name it with its digest where it is pulled")
    result.add_argument("--debian-image", default=os.environ.get("GENLEVEL_DEBIAN_IMAGE", "debian:bookworm-slim"), help="base of database, store and gateway")
    result.add_argument("--network", default="host", help="network of the build steps")
    result.add_argument("--tag", default="", help="tag; version and commit when left out")
    result.add_argument("--print-tag", action="store_true", help="print the tag a build would have, and do nothing")
    result.add_argument("--json", action="store_true", help="print JSON")
    return result


def build_all(given: argparse.Namespace, tag: str) -> list[Built]:
    """Build what is wanted; say each as it is done."""
    built = []
    described = images()
    for name in order(described, [part.strip() for part in given.only.split(",") if part.strip()]):
        print(f"building {name} ...", file=sys.stderr, flush=True)
        built.append(build(name, described[name], given, tag))
        if built[-1].published:
            save_sbom(built[-1])
    return built


def record(tag: str, given: argparse.Namespace, built: list[Built]) -> dict[str, Any]:
    """Write build/images.json; images of the same tag built earlier stay in it."""
    earlier = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    kept = earlier.get("images", {}) if earlier.get("tag") == tag else {}
    document = {"tag": tag, "revision": given.revision, "flavour": given.flavour, "images": kept | {one.name: asdict(one) for one in built}}
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    RECORD.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return document


def main() -> int:
    """Command line."""
    given = parser().parse_args()
    given.revision = revision()
    tag = given.tag or os.environ.get("GENLEVEL_TAG", "") or f"{version()}-{given.revision}"
    if given.print_tag:
        print(tag)
        return 0
    try:
        if tag == "latest":
            raise BuildError("no tag `latest`: it says nothing about what is in an image")
        check_options(given)
        if given.extra_ca and not given.extra_ca.is_file():
            raise BuildError(f"--extra-ca {given.extra_ca}: no such file")
        given.extra_ca = base64.b64encode(given.extra_ca.read_bytes()).decode() if given.extra_ca else ""
        check_engine(given)
        built = build_all(given, tag)
        document = record(tag, given, built)
    except BuildError as error:
        print(f"docker/build.py: {error}", file=sys.stderr)
        return 1
    print(json.dumps(document) if given.json else table(built))
    return 0


if __name__ == "__main__":
    sys.exit(main())
