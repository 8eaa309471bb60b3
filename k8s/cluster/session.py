"""What every command shares: options, kubectl, where files go, and how lines are printed."""

from __future__ import annotations

import json
import re
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from k8s.cluster.kubectl import Kubectl
from k8s.cluster.problem import Problem

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "genlevel"


@dataclass(frozen=True)
class Options:
    """What the command line says.

    Args:
        overlay: Name of a folder in ``k8s/overlays``, or a path.
        registry: Put before the images' names; empty for none.
        tag: Tag of the images; empty for the overlay's own.
        replicas: Fixed replicas by Deployment.
        hosts: Further names the orchestrator is reached by, for its certificate.
        skipped: Checks that are left out.
        load_images: Copy missing images into a local cluster.
        force: Take over fields that others have set.
        timeout: Seconds until waiting ends.
        grace: Seconds a failure must last before it is final.
        poll: Seconds between two looks.
        folder: Where generated files go.
    """

    overlay: str = "local"
    registry: str = ""
    tag: str = ""
    replicas: dict[str, int] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    skipped: frozenset[str] = frozenset()
    load_images: bool = False
    force: bool = False
    timeout: float = 1200
    grace: float = 30
    poll: float = 2
    folder: Path = ROOT / "build" / "cluster"


@dataclass
class Session:
    """One call of the tool."""

    options: Options
    kubectl: Kubectl
    started: float = field(default_factory=time.monotonic)

    @property
    def folder(self) -> Path:
        """Where this context's files go; made with mode 700."""
        folder = self.options.folder / re.sub(r"[^A-Za-z0-9._-]", "_", self.kubectl.context)
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        return folder

    def say(self, line: str) -> None:
        """Print a line at once."""
        print(line, flush=True)

    def warn(self, line: str) -> None:
        """Print a warning."""
        print(f"warning: {line}", file=sys.stderr, flush=True)

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started


def overlay_folder(overlay: str) -> Path:
    """The folder of an overlay.

    Raises:
        Problem: there is none of that name.
    """
    known = ROOT / "k8s" / "overlays"
    for folder in (known / overlay, Path(overlay)):
        if overlay and (folder / "kustomization.yaml").is_file():
            return folder.resolve()
    names = sorted(path.parent.name for path in known.glob("*/kustomization.yaml"))
    raise Problem(
        f"there is no overlay {overlay!r}", f"Take one of {', '.join(names)}, or the path of a folder with a kustomization.yaml."
    )


def last_built_tag(record: Path = ROOT / "build" / "images.json") -> str:
    """The tag of the images built last on this machine (docker/build.py writes it down); empty when none were."""
    if not record.is_file():
        return ""
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["tag"])
    except (ValueError, KeyError, TypeError):
        raise Problem(
            f"{record} does not name a tag", "Build the images again, remove the file, or name one: `make up TAG=...`."
        ) from None
