"""One look at the namespace: workloads, pods, claims and events, read together."""

from __future__ import annotations

from dataclasses import dataclass

from k8s.cluster.kubectl import REQUEST_SECONDS, Kubectl
from k8s.cluster.objects import Object, is_true, kind, label, matches, name

KINDS = "deployments.apps,statefulsets.apps,jobs.batch,replicasets.apps,pods,persistentvolumeclaims"
RAY_KIND = "rayservices.ray.io"


@dataclass(frozen=True)
class Snapshot:
    """The namespace at one moment."""

    items: list[Object]
    events: list[Object]

    def of_kind(self, wanted: str) -> list[Object]:
        """Objects of a kind."""
        return [item for item in self.items if kind(item) == wanted]

    def find(self, wanted: str, title: str) -> Object | None:
        """One object."""
        return next((item for item in self.of_kind(wanted) if name(item) == title), None)

    def pods_of(self, workload: Object) -> list[Object]:
        """The pods of a workload that are not on their way out."""
        return [pod for pod in self.of_kind("Pod") if _belongs(pod, workload) and "deletionTimestamp" not in pod["metadata"]]

    def replica_sets_of(self, deployment: Object) -> list[Object]:
        """The ReplicaSets of a Deployment."""
        uid = deployment["metadata"].get("uid")
        return [
            one
            for one in self.of_kind("ReplicaSet")
            if any(owner.get("uid") == uid for owner in one["metadata"].get("ownerReferences") or [])
        ]

    def room_is_coming(self) -> bool:
        """Whether pods of ours will leave their nodes: some are ending, or make way for newer ones that are starting."""
        pods = self.of_kind("Pod")
        if any("deletionTimestamp" in pod["metadata"] for pod in pods):
            return True
        for deployment in self.of_kind("Deployment"):
            old_too = sum(bool(one.get("status", {}).get("replicas")) for one in self.replica_sets_of(deployment)) > 1
            if old_too and any(is_true(pod, "PodScheduled") and not is_true(pod, "Ready") for pod in self.pods_of(deployment)):
                return True
        return False

    def events_of(self, item: Object, *reasons: str) -> list[Object]:
        """Events about an object, the newest last; only those of the given reasons where there are any."""
        found = [event for event in self.events if _about(event, item) and (not reasons or event.get("reason") in reasons)]
        return sorted(found, key=_moment)


def look(kubectl: Kubectl, with_ray: bool = False) -> Snapshot:
    """Read the namespace.

    Raises:
        Problem: the cluster does not answer.
    """
    kinds = f"{KINDS},{RAY_KIND}" if with_ray else KINDS
    items = kubectl.items(f"{kinds},events", doing="looking at the namespace")
    return Snapshot([item for item in items if kind(item) != "Event"], [item for item in items if kind(item) == "Event"])


def knows_ray(kubectl: Kubectl) -> bool:
    """Whether the cluster has RayServices."""
    return kubectl.call("get", "--raw", "/apis/ray.io/v1", f"--request-timeout={REQUEST_SECONDS}s").returncode == 0


def _belongs(pod: Object, workload: Object) -> bool:
    if kind(workload) == "RayService":
        return label(pod, "ray.io/originated-from-cr-name") == name(workload) or label(pod, "ray.io/cluster").startswith(
            f"{name(workload)}-"
        )
    if kind(workload) == "Job":
        return name(workload) in (label(pod, "job-name"), label(pod, "batch.kubernetes.io/job-name"))
    return matches(workload["spec"].get("selector", {}).get("matchLabels") or {}, pod)


def _about(event: Object, item: Object) -> bool:
    about = event.get("involvedObject") or event.get("regarding") or {}
    if about.get("uid") and item["metadata"].get("uid"):
        return bool(about["uid"] == item["metadata"]["uid"])
    return about.get("kind") == kind(item) and about.get("name") == name(item)


def _moment(event: Object) -> str:
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "")
