"""The manifests as kubectl renders them, and the pods they make; for the tests of this folder."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
K8S = ROOT / "k8s"
KUBECTL = Path(sys.prefix) / "bin" / "kubectl"
EVALUATORS = ("eval-language", "eval-image", "eval-video", "eval-audio", "eval-3d")
ENTRIES = ("base", "overlays/local", "overlays/gpu", "overlays/kuberay")
MEDIA = ((), ("store",), ("shared-volume",), ("external-s3",))
OTHERS = ((), ("external-database", "gateway"))
COMBINATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    *((entry, (*media, *others)) for entry in ENTRIES for media in MEDIA for others in OTHERS),
    ("base", ("weights-shared",)),
    ("base", ("weights-per-pod",)),
    ("base", ("fixed-replicas",)),
    *((entry, ("judge",)) for entry in ENTRIES),
    ("base", ("gpu", "weights-shared", "store")),
    ("base", ("kuberay", "weights-shared", "shared-volume", "gateway")),
)
"""Entry and components: every medium on every overlay, with and without the rest, and the ways of weights."""
Object = dict[str, Any]


@dataclass(frozen=True)
class Pod:
    """A kind of pod.

    Attributes:
        owner: kind and name of what makes it.
        metadata: of its template.
        spec: of its template, with what KubeRay adds.
        endless: whether it is meant to run until somebody ends it.
    """

    owner: str
    metadata: Object = field(repr=False)
    spec: Object = field(repr=False)
    endless: bool = True

    @property
    def labels(self) -> dict[str, str]:
        """Of the pod."""
        return self.metadata.get("labels", {})

    @property
    def ray(self) -> bool:
        """Whether KubeRay makes it."""
        return self.owner.startswith("RayService/")

    @property
    def containers(self) -> list[Object]:
        """All containers, those that run first included."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]


def render(entry: str, components: Sequence[str] = ()) -> list[Object]:
    """Fresh objects of an entry of k8s/ with components of k8s/components on top."""
    documents: list[Object] = list(yaml.load_all(_rendered(entry, tuple(components)), Loader=yaml.CSafeLoader))
    return documents


@functools.cache
def _rendered(entry: str, components: tuple[str, ...]) -> str:
    if not components:
        return _kustomize(K8S / entry)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        content = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
            "resources": [os.path.relpath(K8S / entry, place)],
            "components": [os.path.relpath(K8S / "components" / name, place) for name in components],
        }
        (place / "kustomization.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        return _kustomize(place)


def _kustomize(folder: Path) -> str:
    done = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{folder}: {done.stderr}"
    assert not done.stderr, f"{folder}: {done.stderr}"  # deprecated fields
    return done.stdout


def pods(objects: Sequence[Object]) -> Iterator[Pod]:
    """Every kind of pod that the objects make."""
    for item in objects:
        kind, owner = item["kind"], f"{item['kind']}/{item['metadata']['name']}"
        if kind in ("Deployment", "StatefulSet", "Job"):
            template = item["spec"]["template"]
            yield Pod(owner, template["metadata"], template["spec"], endless=kind != "Job")
        elif kind == "RayService":
            yield from _ray_pods(owner, item["spec"]["rayClusterConfig"])


def _ray_pods(owner: str, cluster: Object) -> Iterator[Pod]:
    """With the labels and the sidecar that KubeRay adds."""
    template = cluster["headGroupSpec"]["template"]
    options = {key: value for key, value in cluster["autoscalerOptions"].items() if key in ("image", "resources", "securityContext", "env", "volumeMounts")}
    sidecar = {"name": "autoscaler", "image": template["spec"]["containers"][0]["image"], **options}
    spec = {**template["spec"], "containers": [*template["spec"]["containers"], sidecar]}
    labels = {**template["metadata"]["labels"], "ray.io/node-type": "head"}
    yield Pod(f"{owner}/head", {**template["metadata"], "labels": labels}, spec)
    for group in cluster["workerGroupSpecs"]:
        template = group["template"]
        labels = {**template["metadata"]["labels"], "ray.io/node-type": "worker"}
        yield Pod(f"{owner}/{group['groupName']}", {**template["metadata"], "labels": labels}, template["spec"])


def find(objects: Sequence[Object], kind: str, name: str) -> Object:
    """The one object of a kind and name."""
    (found,) = [item for item in objects if item["kind"] == kind and item["metadata"]["name"] == name]
    return found
