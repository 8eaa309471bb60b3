"""Runs inside an image, given to its Python on the command line: prints what the image holds as one JSON object."""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path


def writable(folder: str) -> bool:
    """Whether a file can be made there."""
    probe = Path(folder) / ".probe"
    try:
        probe.touch()
    except OSError:
        return False
    probe.unlink()
    return True


def special_files() -> list[str]:
    """Files that run with the rights of their owner or group."""
    found = subprocess.run(
        ["find", "/", "-xdev", "-type", "f", "-perm", "/6000"], capture_output=True, text=True, check=False
    )
    return sorted(found.stdout.split())


def main() -> None:
    """Print it."""
    modules = sys.argv[1].split(",")
    for name in filter(None, modules):
        __import__(name)
    found = {dist.metadata["Name"]: [dist.version, dist.requires or []] for dist in importlib.metadata.distributions()}
    print(
        json.dumps({
            "uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(), "prefix": sys.prefix, "python": list(sys.version_info[:2]),
            "writable": [folder for folder in ("/", "/opt/genlevel", "/etc/genlevel", "/usr/local/bin", "/home") if writable(folder)],
            "programs": [name for name in ("bash", "wget", "cc", "gcc", "g++", "clang", "make", "uv", "pip", "apt") if shutil.which(name)],
            "left": [str(path) for pattern in ("root/.cache", "tmp/*", "var/lib/apt/lists/*", "var/cache/apt/*.bin") for path in Path("/").glob(pattern)],
            "special": special_files(), "distributions": found, "modules": sorted(set(sys.modules)),
            "sbom": json.loads(Path("/usr/share/genlevel/sbom.cdx.json").read_text()),
        })
    )  # fmt: skip


if __name__ == "__main__":
    main()
