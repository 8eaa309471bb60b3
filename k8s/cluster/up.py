"""``up``: check the cluster, make the Secrets, apply the manifests, wait until everything is ready."""

from __future__ import annotations

from k8s.cluster.apply import Changes, apply, apply_jobs, live, prune
from k8s.cluster.checks import raise_all, run_checks
from k8s.cluster.connection import connect
from k8s.cluster.credentials import TLS, TOKEN, Held, ensure_secrets, write_client_files
from k8s.cluster.facts import Facts, gather
from k8s.cluster.images import check_images
from k8s.cluster.objects import Object, identity, kind
from k8s.cluster.overlay import render, set_replicas, write_manifests
from k8s.cluster.permissions import check_permissions
from k8s.cluster.problem import Problem
from k8s.cluster.session import Session
from k8s.cluster.waiting import wait


def up(session: Session) -> None:
    """Bring the system up, or to what the manifests now say.

    Raises:
        Problem: it cannot be, and why.
    """
    version = connect(session.kubectl)
    options = session.options
    session.say(
        f"context {session.kubectl.context} (Kubernetes {version}), namespace {session.kubectl.namespace}, overlay {options.overlay}"
    )
    documents = render(session)
    facts = gather(session.kubectl, any(kind(item) == "RayService" for item in documents))
    documents = _check(session, documents, facts)
    documents, notes = set_replicas(documents, options.replicas, facts.metrics)
    for note in notes:
        session.say(note)
    write_manifests(session, documents)
    changes = Changes()
    held = _apply(session, documents, changes)
    changed = bool(changes.made or changes.changed)
    for line in changes.lines() if changed else []:
        session.say(line)
    wait(session, documents)
    prune(session, documents, changes)
    if changes.removed or not changed:
        session.say(changes.lines()[-1])
    if {TLS, TOKEN} <= set(held):
        authority, token = write_client_files(session, held)
        session.say(f"for clients: {authority} (authority), {token} (token)")
    session.say(f"ready after {session.elapsed():.0f} s; try it with `make smoke`")


def _apply(session: Session, documents: list[Object], changes: Changes) -> Held:
    """Apply in order: the namespace, the Secrets, everything else, and Jobs last, since what they mount must be there."""
    before = live(session, documents)
    new_namespaces = [item for item in documents if kind(item) == "Namespace" and identity(item) not in before]
    apply(session, new_namespaces, before, changes)
    held = ensure_secrets(session, documents)
    apply(session, [item for item in documents if item not in new_namespaces and kind(item) != "Job"], before, changes)
    apply_jobs(session, [item for item in documents if kind(item) == "Job"], before, changes)
    return held


def _check(session: Session, documents: list[Object], facts: Facts) -> list[Object]:
    """Check the cluster; the objects come back without the namespace when it is an administrator's affair."""
    found: list[Problem] = []
    if "permissions" not in session.options.skipped and not check_permissions(session.kubectl, documents, bool(facts.namespace)):
        session.warn(
            "the namespace is there and stays as it is, since we may not change it; its pod security may differ from ours"
        )
        documents = [item for item in documents if kind(item) != "Namespace"]
    for check in (run_checks, check_images):
        try:
            check(session, documents, facts)
        except Problem as problem:
            found.append(problem)
    raise_all(found)
    return documents
