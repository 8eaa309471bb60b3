"""The generated overlay: the chosen one with the images' registry and tag, rendered by kubectl's kustomize."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import yaml

from k8s.cluster.objects import GENLEVEL, PART_OF, Object, containers, kind, name, pod_templates
from k8s.cluster.problem import Problem
from k8s.cluster.session import NAMESPACE, Options, Session, overlay_folder

OUR_IMAGES = "genlevel/"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's are ten times as fast
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def render(session: Session) -> list[Object]:
    """Write the generated overlay and return its objects.

    Raises:
        Problem: the overlay is not there or cannot be rendered.
    """
    base = overlay_folder(session.options.overlay)
    folder = session.folder / "overlay"
    folder.mkdir(exist_ok=True)
    _write(folder, base, [])
    text = _kustomize(session, folder)
    changes = image_changes(text, session.options)
    if changes:
        _write(folder, base, changes)
        text = _kustomize(session, folder)
    documents: list[Any] = [document for document in yaml.load_all(text, _LOADER) if document]
    if not documents:
        raise Problem(f"the overlay {session.options.overlay} has no objects", "Take another one.")
    for document in documents:
        document["metadata"].setdefault("labels", {}).setdefault(PART_OF, GENLEVEL)
    _only_our_namespace(documents)
    return documents


def image_changes(text: str, options: Options) -> list[Object]:
    """Entries of ``images:`` that give our images the registry and the tag that were asked for."""
    if not options.registry and not options.tag:
        return []
    entries: list[Object] = []
    for image in sorted({image_name(image) for image in re.findall(rf"^\s*(?:- )?image: ({OUR_IMAGES}\S+)", text, re.MULTILINE)}):
        entry = {"name": image}
        if options.registry:
            entry["newName"] = f"{options.registry.rstrip('/')}/{image}"
        if options.tag:
            entry["newTag"] = options.tag
        entries.append(entry)
    return entries


def images(documents: list[Object]) -> list[str]:
    """All images the objects run, without repetition."""
    found = {
        str(container["image"])
        for document in documents
        for template in pod_templates(document)
        for container in containers(template)
        if container.get("image")
    }
    return sorted(found)


def image_name(image: str) -> str:
    """An image without tag and digest."""
    without_digest = image.partition("@")[0]
    head, colon, tail = without_digest.rpartition(":")
    return head if colon and "/" not in tail else without_digest


def write_manifests(session: Session, documents: list[Object]) -> None:
    """Write down what is applied, for people to read."""
    text = yaml.dump_all(documents, Dumper=_DUMPER, sort_keys=False)
    (session.folder / "manifests.yaml").write_text(text, encoding="utf-8")


def set_replicas(documents: list[Object], wanted: dict[str, int], autoscaled: bool) -> tuple[list[Object], list[str]]:
    """Fix the replicas, or leave them to the autoscalers.

    Args:
        documents: The rendered objects; the ones that change are changed in place.
        wanted: Replicas by Deployment.
        autoscaled: Whether the cluster has the metrics that autoscalers need; without them they are left out.

    Returns:
        The objects that remain, and what there is to say.

    Raises:
        Problem: a name in ``wanted`` is not a Deployment of the overlay.
    """
    deployments = {name(item): item for item in documents if kind(item) == "Deployment"}
    unknown = sorted(set(wanted) - set(deployments))
    if unknown:
        raise Problem(
            f"the overlay has no Deployment {', '.join(unknown)}", f"Replicas can be set for {', '.join(sorted(deployments))}."
        )
    for target, count in wanted.items():
        deployments[target]["spec"]["replicas"] = count
    scalers = [item for item in documents if kind(item) == "HorizontalPodAutoscaler"]
    fixed: list[str] = []
    for scaler in scalers:
        target = str(scaler["spec"]["scaleTargetRef"]["name"])
        least = wanted.get(target, int(scaler["spec"].get("minReplicas", 1)))
        if not autoscaled and target in deployments:
            deployments[target]["spec"]["replicas"] = least
            fixed.append(f"{target}={least}")
        elif autoscaled:
            scaler["spec"]["minReplicas"] = least
            scaler["spec"]["maxReplicas"] = max(least, int(scaler["spec"]["maxReplicas"]))
            deployments.get(target, {"spec": {}})["spec"].pop("replicas", None)
    if autoscaled or not scalers:
        return documents, []
    notes = [
        f"no metrics API in this cluster: no autoscalers, fixed replicas ({', '.join(sorted(fixed))}; change with --replicas NAME=N)"
    ]
    return [item for item in documents if kind(item) != "HorizontalPodAutoscaler"], notes


def _write(folder: Path, base: Path, changes: list[Object]) -> None:
    content: Object = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(base, folder.resolve())],
    }
    if changes:
        content["images"] = changes
    header = "# Generated by `make up`; made anew each time.\n"
    (folder / "kustomization.yaml").write_text(header + yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _kustomize(session: Session, folder: Path) -> str:
    done = session.kubectl.call("kustomize", str(folder))
    if done.returncode != 0:
        raise Problem(
            f"the overlay {session.options.overlay} cannot be rendered: {done.stderr.strip()}", "Mend the file that is named."
        )
    return done.stdout


def _only_our_namespace(documents: list[Object]) -> None:
    for document in documents:
        elsewhere = document["metadata"].get("namespace", NAMESPACE)
        if elsewhere != NAMESPACE:
            raise Problem(
                f"{kind(document)} {name(document)} lies in the namespace {elsewhere}", f"This tool handles {NAMESPACE} only."
            )
