"""Images in local clusters, whose nodes have none of what the local engine built until it is copied there."""

from __future__ import annotations

import shutil
import subprocess

from k8s.cluster.facts import Facts, flavour
from k8s.cluster.objects import Object
from k8s.cluster.overlay import OUR_IMAGES, images
from k8s.cluster.problem import Problem
from k8s.cluster.session import Session

_NODE_LISTS_AT_MOST = 50  # kubelet's default; a full list proves nothing


def check_images(session: Session, documents: list[Object], facts: Facts) -> None:
    """In a local cluster, see that our images are on the nodes; copy them there when that was asked for.

    Raises:
        Problem: images are missing on the nodes, or here.
    """
    local, cluster = flavour(facts.nodes)
    if not local or "images" in session.options.skipped:
        return
    wanted = [image for image in images(documents) if image.startswith(OUR_IMAGES)]
    missing = [image for image in wanted if not _on_nodes(image, facts.nodes or [])]
    if not missing:
        return
    commands = load_commands(local, cluster, missing)
    if session.options.load_images:
        _load(session, missing, commands)
        return
    shown = "".join(f"\n      {' '.join(command)}" for command in commands)
    raise Problem(
        f"the {local} cluster {cluster} does not have the images {', '.join(missing)}",
        f"`make up LOAD=1` copies them from this machine's container engine, or do it by hand:{shown}\n    (Check it no more: --skip-check images.)",
    )


def load_commands(local: str, cluster: str, missing: list[str]) -> list[list[str]]:
    """The commands that copy images into a local cluster."""
    if local == "kind":
        return [["kind", "load", "docker-image", "--name", cluster, *missing]]
    if local == "k3d":
        return [["k3d", "image", "import", "--cluster", cluster, *missing]]
    return [["minikube", "image", "load", "--profile", cluster, image] for image in missing]


def _on_nodes(image: str, nodes: list[Object]) -> bool:
    full = image if image.partition("/")[0].count(".") else f"docker.io/{image}"
    for node in nodes:
        listed = node.get("status", {}).get("images") or []
        names = {one for entry in listed for one in entry.get("names") or []}
        if len(listed) < _NODE_LISTS_AT_MOST and not names & {image, full, f"localhost/{image}"}:
            return False
    return True


def _load(session: Session, missing: list[str], commands: list[list[str]]) -> None:
    engine = shutil.which("docker")
    if engine:
        absent = [
            one
            for one in missing
            if subprocess.run([engine, "image", "inspect", one], capture_output=True, check=False).returncode
        ]
        if absent:
            raise Problem(
                f"this machine's container engine has no {', '.join(absent)}",
                "Build them first: `make images`, with the same TAG.",
            )
    for command in commands:
        if shutil.which(command[0]) is None:
            raise Problem(
                f"there is no {command[0]} on PATH, which copies images into this cluster",
                f"Install it, or run elsewhere: {' '.join(command)}",
            )
        session.say(f"loading images: {' '.join(command)}")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Problem(
                f"images cannot be loaded: {(done.stderr or done.stdout).strip()[-600:]}", f"Run it by hand: {' '.join(command)}"
            )
