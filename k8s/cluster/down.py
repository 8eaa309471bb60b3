"""``down``: remove what this tool made; data and Secrets stay unless they are to go."""

from __future__ import annotations

import sys

from k8s.cluster.apply import our_kinds
from k8s.cluster.connection import connect
from k8s.cluster.objects import FIELD_MANAGER, GENLEVEL, PART_OF, Object, label, name
from k8s.cluster.problem import Problem
from k8s.cluster.session import Session

_SELECTOR = f"{PART_OF}={GENLEVEL}"
_CLAIMS = "persistentvolumeclaims"


def down(session: Session, data: bool, confirmed: bool) -> None:
    """Remove our objects.

    Args:
        session: The call.
        data: Also remove claims, Secrets and, when it is ours and empty, the namespace.
        confirmed: Do not ask.

    Raises:
        Problem: it is not confirmed, or the cluster refuses.
    """
    kubectl = session.kubectl
    connect(kubectl)
    namespace = kubectl.get("namespace", kubectl.namespace, doing="looking for our namespace", managed=True)
    if not namespace:
        session.say(f"nothing to remove: context {kubectl.context} has no namespace {kubectl.namespace}")
        return
    claims = _our_claims(session) if data else []
    _confirm(session, data, claims, confirmed)
    removed = _delete(session, [",".join(our_kinds(kubectl)), "-l", _SELECTOR])
    if data:
        for claim in claims:
            removed += _delete(session, [_CLAIMS, claim])
        removed += _delete(session, ["secrets", "-l", _SELECTOR])
        removed += _delete_namespace(session, namespace)
    session.say(f"removed: {', '.join(removed)}" if removed else "nothing to remove")
    if not data:
        kept = [name(item) for item in kubectl.items(_CLAIMS, doing="listing the claims")]
        if kept:
            session.say(f"kept: claims {', '.join(kept)} and the Secrets; `make down DATA=1` removes them too")


def _our_claims(session: Session) -> list[str]:
    """Names of the claims that are ours: labelled, or made for our StatefulSet database."""
    claims = session.kubectl.items(_CLAIMS, doing="listing the claims")
    return [name(item) for item in claims if label(item, PART_OF) == GENLEVEL or _of_database(item)]


def _of_database(claim: Object) -> bool:
    stem, _, number = name(claim).rpartition("-")
    return number.isdigit() and stem.endswith("-database")


def _confirm(session: Session, data: bool, claims: list[str], confirmed: bool) -> None:
    what = f"GenLevel in context {session.kubectl.context}, namespace {session.kubectl.namespace}"
    if data:
        what += f", with all data (claims {', '.join(claims) or 'none'}) and Secrets"
    if confirmed:
        session.say(f"removing {what}")
        return
    if not sys.stdin.isatty():
        raise Problem(f"removing {what} is not confirmed, and there is no terminal to ask at", "Confirm it: `make down YES=1`.")
    if input(f"Remove {what}? [y/N] ").strip().lower() not in ("y", "yes"):
        raise Problem("not confirmed; nothing was removed", "Answer y, or `make down YES=1`.")


def _delete(session: Session, words: list[str]) -> list[str]:
    kubectl = session.kubectl
    output = kubectl.run(
        "delete", *words, "-n", kubectl.namespace, "--ignore-not-found", "--wait=true", "--timeout=120s", "-o", "name",
        doing=f"removing {words[0]}", seconds=150,
    )  # fmt: skip
    return [word for word in output.split() if "/" in word]  # "No resources found" is no name


def _delete_namespace(session: Session, namespace: Object) -> list[str]:
    """Remove the namespace if this tool made it and nothing of others is left in it."""
    kubectl = session.kubectl
    managers = {(entry.get("manager"), entry.get("operation")) for entry in namespace["metadata"].get("managedFields") or []}
    if (FIELD_MANAGER, "Apply") not in managers:
        return []
    kinds = f"{','.join(our_kinds(kubectl))},{_CLAIMS},pods,secrets"
    left = [item for item in kubectl.items(kinds, doing="looking for what is left") if not _of_kubernetes(item)]
    if left:
        named = ", ".join(f"{item['kind'].lower()}/{name(item)}" for item in left[:5])
        session.warn(
            f"the namespace {kubectl.namespace} stays: it holds {len(left)} objects that are not ours or not gone yet ({named})"
        )
        return []
    output = kubectl.run(
        "delete", "namespace", kubectl.namespace, "--ignore-not-found", "--timeout=120s", "-o", "name",
        doing="removing the namespace", seconds=150,
    )  # fmt: skip
    return [word for word in output.split() if "/" in word]  # "No resources found" is no name


def _of_kubernetes(item: Object) -> bool:
    """What Kubernetes itself puts into every namespace, and pods on their way out."""
    return (
        (item["kind"], name(item)) in (("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt"))
        or "deletionTimestamp" in item["metadata"]
        or bool(item["metadata"].get("ownerReferences"))
    )
