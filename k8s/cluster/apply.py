"""Server-side apply of the rendered objects: what changed, Jobs that cannot be changed, and what an older version left behind."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import dataclass, field

from k8s.cluster.kubectl import Kubectl, parse_stream, to_json
from k8s.cluster.objects import FIELD_MANAGER, GENLEVEL, PART_OF, Object, identity, is_true, name, title
from k8s.cluster.session import Session
from k8s.cluster.snapshot import RAY_KIND, knows_ray

SPEC_DIGEST = "genlevel/spec-digest"
# What `up` removes when it is ours and no longer rendered, and `down` always. No claims, no Secrets.
_KINDS = (
    "deployments.apps", "statefulsets.apps", "jobs.batch", "horizontalpodautoscalers.autoscaling", "poddisruptionbudgets.policy",
    "services", "networkpolicies.networking.k8s.io", "configmaps", "serviceaccounts",
)  # fmt: skip

Before = dict[tuple[str, str, str], Object]


def our_kinds(kubectl: Kubectl) -> list[str]:
    """The kinds of objects that this tool makes and may remove; RayServices where the cluster knows them."""
    return [*([RAY_KIND] if knows_ray(kubectl) else []), *_KINDS]


@dataclass
class Changes:
    """What an apply did, as ``kind/name``."""

    made: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    same: int = 0

    def lines(self) -> list[str]:
        """The changes as lines to print."""
        groups = (("made", self.made), ("changed", self.changed), ("removed", self.removed))
        lines = [f"{verb}: {', '.join(titles)}" for verb, titles in groups if titles]
        return lines or [f"nothing to change: all {self.same} objects are as they should be"]


def apply(session: Session, documents: list[Object], before: Before, changes: Changes) -> None:
    """Apply objects and note which are new, changed or the same.

    Raises:
        Problem: the cluster refuses something.
    """
    for item in session.kubectl.submit(_verb(session), documents, doing="applying the manifests"):
        if identity(item) not in before:
            changes.made.append(title(item))
        elif _substance(before[identity(item)]) != _substance(item):
            changes.changed.append(title(item))
        else:
            changes.same += 1


def apply_jobs(session: Session, documents: list[Object], before: Before, changes: Changes) -> None:
    """Apply Jobs, whose pod template cannot change: one that is the same and has not failed is left alone, others are made anew.

    Raises:
        Problem: the cluster refuses something.
    """
    for rendered in documents:
        document = copy.deepcopy(rendered)
        digest = hashlib.sha256(json.dumps(document["spec"], sort_keys=True).encode()).hexdigest()[:16]
        document["metadata"].setdefault("annotations", {})[SPEC_DIGEST] = digest
        old = before.get(identity(document))
        if old is not None:
            if (old["metadata"].get("annotations") or {}).get(SPEC_DIGEST) == digest and not is_true(old, "Failed"):
                changes.same += 1
                continue
            session.say(f"{title(document)} {'failed' if is_true(old, 'Failed') else 'changed'}: it is made anew")
            session.kubectl.run(
                "delete", "job", name(document), "-n", session.kubectl.namespace, "--wait=true", "--timeout=60s", "--ignore-not-found",
                doing=f"removing {title(document)}", seconds=70,
            )  # fmt: skip
        session.kubectl.submit(_verb(session), [document], doing=f"applying {title(document)}")
        (changes.made if old is None else changes.changed).append(title(document))


def prune(session: Session, documents: list[Object], changes: Changes) -> None:
    """Remove objects that this tool has applied earlier and that are rendered no more.

    Raises:
        Problem: the cluster refuses it.
    """
    wanted = {identity(document)[1:] for document in documents}
    for item in session.kubectl.items(
        ",".join(our_kinds(session.kubectl)), "-l", f"{PART_OF}={GENLEVEL}", doing="looking for what is left over", managed=True
    ):
        if identity(item)[1:] in wanted or not _applied_by_us(item) or item["metadata"].get("ownerReferences"):
            continue
        session.kubectl.run(
            "delete",
            title(item),
            "-n",
            session.kubectl.namespace,
            "--wait=false",
            "--ignore-not-found",
            doing=f"removing {title(item)}",
        )
        changes.removed.append(title(item))


def live(session: Session, documents: list[Object]) -> Before:
    """Those of the objects that are in the cluster, as they are there.

    Raises:
        Problem: they may not be read.
    """
    output = session.kubectl.run(
        "get", "-f", "-", "--ignore-not-found", "-o", "json", text=to_json(documents), doing="reading what is there"
    )
    return {identity(item): item for item in parse_stream(output)}


def _verb(session: Session) -> list[str]:
    return ["apply", "--server-side", "--field-manager", FIELD_MANAGER, *(["--force-conflicts"] if session.options.force else [])]


def _substance(item: Object) -> Object:
    """An object without what changes by itself."""
    metadata = item["metadata"]
    annotations = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if not key.startswith("deployment.kubernetes.io/")
    }
    rest = {key: value for key, value in item.items() if key not in ("metadata", "status")}
    return {**rest, "labels": metadata.get("labels"), "annotations": annotations}


def _applied_by_us(item: Object) -> bool:
    fields = item["metadata"].get("managedFields") or []
    return any(entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply" for entry in fields)
