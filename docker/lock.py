#!/usr/bin/env python3
"""Writes docker/requirements/IMAGE.lock: what each image holds, out of requirements.lock.

An image's packages are the closure of what its own distributions name in their pyproject.toml, resolved with
requirements.lock as constraints; pins and hashes are then taken from requirements.lock word for word, so that an image never
holds a file that the tests did not run with. The two images with inputs of their own (tools, store) are compiled by themselves.

    python3.11 docker/lock.py [--check]

`--check` writes nothing, asks no index, and ends with 1 when a lock does not belong to its inputs.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "docker" / "requirements"
UV = ROOT / ".uv" / "bin" / "uv"
TARGET = ["--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_31"]
NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[([^\]]*)\])?")


class LockError(Exception):
    """A lock cannot be made or does not belong to its inputs; the message says the remedy."""


def images() -> dict[str, dict[str, Any]]:
    """docker/images.toml."""
    return tomllib.loads((ROOT / "docker" / "images.toml").read_text(encoding="utf-8"))


def normal(name: str) -> str:
    """The form in which names of packages are compared.

    >>> normal("Ruamel.Yaml_clib")
    'ruamel-yaml-clib'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: Path) -> dict[str, str]:
    """By package: its lines in a lock file, pin and hashes."""
    blocks: dict[str, str] = {}
    for line in lock.read_text(encoding="utf-8").splitlines():
        if line.startswith((" ", "\t")):
            blocks[next(reversed(blocks))] += line + "\n"
        elif line.strip() and not line.startswith("#"):
            found = NAME.match(line)
            if found is None or "==" not in line:
                raise LockError(f"{lock}: cannot read {line!r}; compile it again with `make lock`")
            blocks[normal(found[1])] = line + "\n"
    return blocks


def project(distribution: str) -> dict[str, Any]:
    """The [project] table of one of our distributions."""
    path = ROOT / distribution / "pyproject.toml"
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    return table


def requirements(image: dict[str, Any]) -> list[str]:
    """What the distributions of an image ask of others, with the extras the image wants."""
    tables = {normal(table["name"]): table for table in map(project, image["distributions"])}
    wanted: set[str] = set()
    for table in tables.values():
        lines = list(table.get("dependencies", []))
        for extra in image.get("extras", []):
            lines += table.get("optional-dependencies", {}).get(extra, [])
        wanted.update(line for line in lines if normal(NAME.match(line)[1]) not in tables)  # type: ignore[index]
    foreign = [line for line in wanted if line.startswith("genlevel-")]
    if foreign:
        raise LockError(f"docker/images.toml: {', '.join(foreign)} must be among the image's distributions")
    return sorted(wanted)


def fingerprint(image: dict[str, Any]) -> str:
    """Digest of all that decides an image's lock, requirements.lock aside: tests find a lock left behind by it."""
    text = "\n".join([*requirements(image), "excludes", *sorted(image.get("excludes", []))])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def uv(arguments: list[str], text: str | None = None) -> str:
    """Output of uv."""
    if not UV.exists():
        raise LockError(f"{UV.relative_to(ROOT)} is not there: run `make lock`, which makes it")
    done = subprocess.run([str(UV), *arguments], input=text, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise LockError(f"uv {' '.join(arguments[:2])} failed:\n{done.stderr.strip()}")
    return done.stdout


def closure(image: dict[str, Any]) -> list[str]:
    """Names of all packages of an image."""
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        lines = (block.split(" ", 1)[0].rstrip("\\\n ") for block in pins(ROOT / "requirements.lock").values())
        constraints.write_text("\n".join(lines) + "\n", encoding="utf-8")
        excludes = Path(folder) / "excludes.txt"
        excludes.write_text("\n".join(image.get("excludes", [])) + "\n", encoding="utf-8")
        output = uv(
            ["pip", "compile", "--quiet", *TARGET, "--no-header", "--no-annotate", "-c", str(constraints),
             "--excludes", str(excludes), "-"],
            "\n".join(requirements(image)) + "\n",
        )  # fmt: skip
    return [normal(NAME.match(line)[1]) for line in output.splitlines()]  # type: ignore[index]


def written(name: str, image: dict[str, Any]) -> str:
    """Text of the lock of an image that holds distributions of ours."""
    known = pins(ROOT / "requirements.lock")
    found = closure(image)
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise LockError(f"{name}: {', '.join(unknown)} not in requirements.lock: add to requirements/all.in, then `make lock`")
    head = f"# Image {name}: a part of requirements.lock. Written by `make lock` (docker/lock.py); inputs {fingerprint(image)}\n"
    return head + "".join(known[package] for package in sorted(found))


def compiled(name: str, image: dict[str, Any]) -> str:
    """Text of the lock of an image that has an input of its own."""
    head = f"# Image {name}: {image['input']}. Written by `make lock` (docker/lock.py)\n"
    arguments = ["pip", "compile", "--quiet", *TARGET, "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url"]
    return head + uv([*arguments, image["input"]])


def problems(name: str, image: dict[str, Any]) -> list[str]:
    """What is wrong with a lock, without asking an index."""
    path = LOCKS / f"{name}.lock"
    if not path.is_file():
        return [f"{name}: no {path.relative_to(ROOT)}: run `make lock`"]
    if "input" in image:
        return []
    found = []
    if f"inputs {fingerprint(image)}\n" not in path.read_text(encoding="utf-8"):
        found.append(f"{name}: a pyproject.toml or docker/images.toml changed: run `make lock`")
    known = pins(ROOT / "requirements.lock")
    strange = [package for package, block in pins(path).items() if known.get(package) != block]
    if strange:
        found.append(f"{name}: not as in requirements.lock: {', '.join(strange)}: run `make lock`")
    return found


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write the locks of the images.")
    parser.add_argument("--check", action="store_true", help="only look whether they are up to date")
    given = parser.parse_args()
    locked = {name: image for name, image in images().items() if "distributions" in image or "input" in image}
    try:
        if given.check:
            wrong = [line for name, image in locked.items() for line in problems(name, image)]
            print("\n".join(wrong) or "the locks of the images are up to date")
            return 1 if wrong else 0
        LOCKS.mkdir(exist_ok=True)
        for name, image in locked.items():
            text = compiled(name, image) if "input" in image else written(name, image)
            (LOCKS / f"{name}.lock").write_text(text, encoding="utf-8")
    except LockError as error:
        print(f"docker/lock.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
