"""Whether this cluster can run this overlay. Each check says what is wrong and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Callable

from k8s.cluster.facts import Facts, flavour
from k8s.cluster.objects import Object, kind, name, pod_templates
from k8s.cluster.problem import Problem
from k8s.cluster.session import Session

GPU = "nvidia.com/gpu"
_DEFAULT_CLASS = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
_OLDEST_OPERATOR = (1, 6)  # older ones drop the gRPC port from the Service
_ENFORCERS = ("calico", "cilium", "antrea", "weave", "canal", "kube-router", "ovn", "azure-npm", "romana", "netd")
_OLDEST_KINDNET = "v20240813"  # the first kindnet that enforces NetworkPolicies


def run_checks(session: Session, documents: list[Object], facts: Facts) -> None:
    """Run all checks that are not skipped; print what is only worth a warning.

    Raises:
        Problem: one or more failed; all of them are in it.
    """
    checks: dict[str, Callable[[list[Object], Facts], str]] = {
        "namespace": check_namespace,
        "storage": check_storage,
        "gpu": check_gpu,
        "kuberay": check_kuberay,
        "network": check_network_policies,
    }
    found: list[Problem] = []
    for title, check in checks.items():
        if title in session.options.skipped:
            continue
        try:
            warning = check(documents, facts)
        except Problem as problem:
            found.append(Problem(problem.cause, f"{problem.remedy} (Check it no more: --skip-check {title}.)"))
            continue
        if warning:
            session.warn(warning)
    raise_all(found)


def raise_all(found: list[Problem]) -> None:
    """Raise several problems as one.

    Raises:
        Problem: there is at least one.
    """
    if len(found) > 1:
        causes = "".join(f"\n  {number}. {one.cause}" for number, one in enumerate(found, 1))
        remedies = "".join(f"\n  {number}. {one.remedy}" for number, one in enumerate(found, 1))
        raise Problem(f"{len(found)} things are missing in this cluster:{causes}", remedies)
    if found:
        raise found[0]


def check_namespace(documents: list[Object], facts: Facts) -> str:
    """The namespace is not on its way out."""
    if facts.namespace.get("status", {}).get("phase") == "Terminating":
        raise Problem(
            "the namespace genlevel is still being deleted",
            "Wait until `kubectl get namespace genlevel` finds nothing, then `make up` again.",
        )
    return ""


def check_storage(documents: list[Object], facts: Facts) -> str:
    """Every claim that does not exist yet has a storage class."""
    if facts.storage_classes is None:
        return "not permitted to list storage classes: a claim without one will show below as unbound"
    known = [name(one) for one in facts.storage_classes]
    defaults = [one for one in facts.storage_classes if any(_annotation(one, key) == "true" for key in _DEFAULT_CLASS)]
    there = {name(claim) for claim in facts.claims}
    for title, spec in _claims(documents):
        if title in there or any(one.startswith(f"{title}-") for one in there) or spec.get("volumeName"):
            continue
        wanted = spec.get("storageClassName")
        listed = ", ".join(known) or "none at all"
        if wanted and wanted not in known:
            raise Problem(
                f"claim {title} wants the storage class {wanted}, which the cluster does not have (it has {listed})",
                "Name one of these in the overlay, or install its provisioner.",
            )
        if wanted is None and not defaults:
            raise Problem(
                f"claim {title} names no storage class and the cluster has no default one (it has {listed})",
                f"Make one the default: `kubectl annotate storageclass NAME {_DEFAULT_CLASS[0]}=true`, or name one in the overlay.",
            )
    return ""


def check_gpu(documents: list[Object], facts: Facts) -> str:
    """Where a pod asks for a GPU, a node offers one; workers of Ray may come with the autoscaler."""
    wanting = [item for item in documents if any(_wants_gpu(template) for template in pod_templates(item))]
    if not wanting:
        return ""
    if facts.nodes is None:
        return f"not permitted to list nodes: whether one offers {GPU} is not checked"
    if any(int(node.get("status", {}).get("allocatable", {}).get(GPU, 0)) > 0 for node in facts.nodes):
        return ""
    named = ", ".join(sorted(name(item) for item in wanting))
    lack = f"no node offers {GPU}, which {named} needs"
    if all(kind(item) == "RayService" for item in wanting):
        return f"{lack} once it scales from zero: GPU nodes must come from the cluster's autoscaler"
    raise Problem(lack, "Add a GPU node and the NVIDIA device plugin, or take another overlay: `make up OVERLAY=local`.")


def check_kuberay(documents: list[Object], facts: Facts) -> str:
    """Where the overlay has RayServices, the CRD is there and the operator is new enough."""
    if not any(kind(item) == "RayService" for item in documents):
        return ""
    install = "`helm repo add kuberay https://ray-project.github.io/kuberay-helm`, `helm install kuberay-operator kuberay/kuberay-operator --version 1.7.0`"
    if facts.crd is None:
        raise Problem(
            "the overlay has RayServices but the cluster has no KubeRay: the CRD rayservices.ray.io is missing",
            f"Install it: {install}.",
        )
    served = [str(version["name"]) for version in facts.crd["spec"]["versions"] if version.get("served")]
    if "v1" not in served:
        raise Problem(f"the KubeRay CRD serves {', '.join(served)} only, not ray.io/v1", f"Upgrade KubeRay: {install}.")
    if facts.operators is None:
        return "not permitted to look for the KubeRay operator: its version is not checked"
    if not facts.operators:
        raise Problem("the KubeRay CRD is there but no operator runs", f"Install it: {install}.")
    for image in (
        str(one["image"]) for item in facts.operators for template in pod_templates(item) for one in template["containers"]
    ):
        found = re.search(r":v?(\d+)\.(\d+)", image)
        if found and (int(found[1]), int(found[2])) < _OLDEST_OPERATOR:
            raise Problem(
                f"the KubeRay operator is {image}; before 1.6 it leaves the gRPC port out of the Service",
                f"Upgrade KubeRay: {install}.",
            )
    return ""


def check_network_policies(documents: list[Object], facts: Facts) -> str:
    """A network plugin that is known not to enforce NetworkPolicies is worth a warning."""
    if facts.daemons is None or not any(kind(item) == "NetworkPolicy" for item in documents):
        return ""
    names = [name(daemon) for daemon in facts.daemons]
    if any(word in one for one in names for word in _ENFORCERS):
        return ""
    lax = ""
    if any("flannel" in one for one in names):
        lax = "flannel"
    elif "kindnet" in names and _kindnet_tag(facts.daemons) < _OLDEST_KINDNET:
        lax = f"kindnet {_kindnet_tag(facts.daemons)}"
    elif "kindnet" not in names and flavour(facts.nodes)[0] == "minikube":
        lax = "minikube's bridge"
    return f"the network plugin ({lax}) does not enforce NetworkPolicies: pods are not shut off from one another" if lax else ""


def _claims(documents: list[Object]) -> list[tuple[str, Object]]:
    """Names and specs of the claims; those of a StatefulSet by the start of their name."""
    found = [(name(item), item["spec"]) for item in documents if kind(item) == "PersistentVolumeClaim"]
    for item in documents:
        if kind(item) == "StatefulSet":
            found += [(f"{name(one)}-{name(item)}", one["spec"]) for one in item["spec"].get("volumeClaimTemplates") or []]
    return found


def _annotation(item: Object, key: str) -> str:
    return str((item["metadata"].get("annotations") or {}).get(key, ""))


def _wants_gpu(template: Object) -> bool:
    return any(
        GPU in (container.get("resources", {}).get(part) or {})
        for container in template["containers"]
        for part in ("limits", "requests")
    )


def _kindnet_tag(daemons: list[Object]) -> str:
    images = [
        str(one["image"])
        for item in daemons
        if name(item) == "kindnet"
        for template in pod_templates(item)
        for one in template["containers"]
    ]
    return images[0].rpartition(":")[2] if images and ":v" in images[0] else "v9"
