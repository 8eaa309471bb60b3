"""What we need to be allowed to do, asked of the cluster in one call."""

from __future__ import annotations

from k8s.cluster.kubectl import Kubectl, parse_stream, to_json
from k8s.cluster.objects import Object, identity, plural
from k8s.cluster.problem import Problem
from k8s.cluster.refusals import problem

_CLUSTER_WIDE = {"Namespace", "PriorityClass", "ClusterRole", "ClusterRoleBinding", "StorageClass"}
_READ = (("", "pods", "list"), ("", "pods/log", "get"), ("", "events", "list"), ("apps", "replicasets", "list"))
_SECRETS = (("", "secrets", "get"), ("", "secrets", "create"))
# create: apply of what is not there; patch: apply; delete: failed Jobs, what an older version left, `make down`
_WRITE = ("get", "list", "create", "patch", "delete")

Right = tuple[str, str, str]


def needed(documents: list[Object]) -> list[Right]:
    """The rights (group, resource, verb) that `up` and `down` use for these objects."""
    rights: dict[Right, None] = {}
    for document in documents:
        group, kind_name, _ = identity(document)
        verbs = ("create", "patch") if kind_name in _CLUSTER_WIDE else _WRITE
        rights.update({(group, plural(kind_name), verb): None for verb in verbs})
    rights.update(dict.fromkeys(_READ + _SECRETS))
    return list(rights)


def check_permissions(kubectl: Kubectl, documents: list[Object], namespace_exists: bool) -> bool:
    """Ask whether we may do all that is needed; the answer is whether we may also set the namespace's labels.

    Raises:
        Problem: something is not allowed, or the cluster does not accept who we are.
    """
    rights = needed(documents)
    done = kubectl.call(
        "create", "-f", "-", "-o", "json", "--validate=ignore", text=to_json([_review(r, kubectl.namespace) for r in rights])
    )
    if done.returncode != 0:
        raise problem(done.stderr, kubectl.context, "asking what we may do")
    answers = parse_stream(done.stdout)
    missing = [right for right, answer in zip(rights, answers, strict=True) if not answer.get("status", {}).get("allowed")]
    optional = [right for right in missing if namespace_exists and right[1] == "namespaces"]
    missing = [right for right in missing if right not in optional]
    if missing:
        raise Problem(
            f"context {kubectl.context} is not permitted to: {_by_resource(missing)} (namespace {kubectl.namespace})",
            "Ask for these rights (the ClusterRole `admin` in the namespace has them, but for the namespace itself), or use another context.",
        )
    return not optional


def _review(right: Right, namespace: str) -> Object:
    group, resource, verb = right
    resource, _, sub = resource.partition("/")
    attributes = {"group": group, "resource": resource, "subresource": sub, "verb": verb, "namespace": namespace}
    return {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }


def _by_resource(missing: list[Right]) -> str:
    verbs: dict[str, list[str]] = {}
    for group, resource, verb in missing:
        verbs.setdefault(f"{resource}.{group}" if group else resource, []).append(verb)
    return "; ".join(f"{', '.join(allowed)} {resource}" for resource, allowed in verbs.items())
