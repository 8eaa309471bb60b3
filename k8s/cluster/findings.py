"""Why a pod is not ready, from its status, its claims and its events."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from k8s.cluster.objects import Object, conditions, containers, is_true, name
from k8s.cluster.snapshot import Snapshot


class Weight(enum.Enum):
    """How much a finding means."""

    PASSING = "passing"  # ends by itself as a rule
    CRASH = "crash"  # final once what the pod depends on is ready
    LASTING = "lasting"  # final when it lasts


@dataclass(frozen=True)
class Finding:
    """What keeps a pod, or a workload without pods, from being ready.

    Args:
        where: ``pod/NAME`` or the workload.
        reason: One word, as Kubernetes has it where it has one.
        message: The facts.
        weight: How much it means.
        container: Whose log tells more; empty when there is none.
        previous: Whether that is the log of the container's last life.
        remedy: What to do.
    """

    where: str
    reason: str
    message: str
    weight: Weight
    container: str = ""
    previous: bool = False
    remedy: str = ""

    @property
    def pod(self) -> str:
        """The pod's name, or nothing."""
        return self.where.removeprefix("pod/") if self.where.startswith("pod/") else ""


_IMAGE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable"}
_CONFIG = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError", "StartError"}
_MOUNT = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "FailedMapVolume")
_PAST_MOUNTS = ("Pulling", "Pulled", "BackOff", "Created", "Started")  # said once all volumes are there
_GROWING = ("TriggeredScaleUp", "Nominated")  # the cluster autoscaler's word, and Karpenter's
_CLAIM = (
    "ProvisioningFailed",
    "FailedBinding",
    "VolumeFailedDelete",
    "ExternalProvisioning",
    "WaitForPodScheduled",
    "WaitForFirstConsumer",
)


def examine(pod: Object, snapshot: Snapshot) -> Finding | None:
    """Return what keeps a pod from being ready, or None when nothing does."""
    where = f"pod/{name(pod)}"
    status = pod.get("status", {})
    if is_true(pod, "Ready") or status.get("phase") == "Succeeded":
        return None
    if status.get("reason") == "Evicted":
        return Finding(
            where,
            "Evicted",
            str(status.get("message", "")),
            Weight.LASTING,
            remedy="Give the node more memory or disk, or the pod less to do.",
        )
    if status.get("phase", "Pending") == "Pending" and conditions(pod).get("PodScheduled", {}).get("status") == "False":
        return _unscheduled(pod, snapshot)
    statuses = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    found = [finding for entry in statuses if (finding := _container(where, pod, entry))]
    found.sort(key=lambda finding: finding.weight is Weight.PASSING)
    if found and found[0].weight is not Weight.PASSING:
        return found[0]
    last = snapshot.events_of(pod, *_MOUNT, *_PAST_MOUNTS)[-1:]
    # A mount that failed at first, such as of a Secret not yet in the kubelet's cache, is no matter once images are being pulled.
    if last and last[0]["reason"] in _MOUNT and not any("running" in (entry.get("state") or {}) for entry in statuses):
        return Finding(
            where,
            str(last[0]["reason"]),
            str(last[0].get("message", "")),
            Weight.LASTING,
            remedy="See the volume or Secret that is named.",
        )
    return found[0] if found else _not_ready(where, pod, statuses, snapshot)


def _unscheduled(pod: Object, snapshot: Snapshot) -> Finding:
    where = f"pod/{name(pod)}"
    message = str(conditions(pod)["PodScheduled"].get("message", "no node was found yet"))
    gated = conditions(pod)["PodScheduled"].get("reason") == "SchedulingGated"
    growing = bool(snapshot.events_of(pod, *_GROWING))
    weight = Weight.PASSING if growing or gated or snapshot.room_is_coming() else Weight.LASTING
    unbound = unbound_claims(pod, snapshot)
    if unbound and ("unbound" in message or "persistentvolumeclaim" in message.lower()):
        return Finding(
            where,
            "UnboundClaim",
            f"{'; '.join(unbound)}; the scheduler says: {message}",
            weight,
            remedy="Give the claim a storage class whose provisioner works: `kubectl get storageclass`, `kubectl -n genlevel describe pvc`.",
        )
    remedy = "Make room: a smaller overlay (`make up OVERLAY=local`), fewer replicas, or more or larger nodes."
    return Finding(where, "Unschedulable", message, weight, remedy=remedy)


def unbound_claims(pod: Object, snapshot: Snapshot) -> list[str]:
    """The claims of a pod that have no volume yet, each with what is said about it."""
    lines = []
    for volume in pod.get("spec", {}).get("volumes") or []:
        claim_name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if not claim_name:
            continue
        claim = snapshot.find("PersistentVolumeClaim", claim_name)
        if claim is None:
            lines.append(f"claim {claim_name} does not exist")
        elif claim.get("status", {}).get("phase") != "Bound":
            said = snapshot.events_of(claim, *_CLAIM)
            chosen = claim["spec"].get("storageClassName") or "none"
            lines.append(
                f"claim {claim_name} is not bound (storage class {chosen})" + (f": {said[-1].get('message')}" if said else "")
            )
    return lines


def _container(where: str, pod: Object, entry: Object) -> Finding | None:
    title = str(entry["name"])
    waiting = (entry.get("state") or {}).get("waiting") or {}
    reason = str(waiting.get("reason", ""))
    message = str(waiting.get("message", ""))
    if reason in _IMAGE:
        text = f"image {entry.get('image') or _image(pod, title)} cannot be pulled: {message}"
        remedy = "Push the image or name where it is: `make up REGISTRY=... TAG=...`; in a local cluster `make up LOAD=1`."
        return Finding(where, reason, text, Weight.LASTING, remedy=remedy)
    if reason in _CONFIG:
        return Finding(
            where,
            reason,
            f"container {title}: {message}",
            Weight.LASTING,
            remedy="Make the Secret, ConfigMap or mount that is named.",
        )
    ended = (entry.get("state") or {}).get("terminated") or (entry.get("lastState") or {}).get("terminated") or {}
    return _crashed(where, pod, entry, ended, reason) if ended and not _succeeded(entry) else None


def _succeeded(entry: Object) -> bool:
    ended = (entry.get("state") or {}).get("terminated")
    return ended is not None and ended.get("exitCode") == 0


def _crashed(where: str, pod: Object, entry: Object, ended: Object, waiting: str) -> Finding | None:
    if "running" in (entry.get("state") or {}) and entry.get("started", True):
        return None
    title = str(entry["name"])
    looping = waiting == "CrashLoopBackOff"
    again = f"{entry.get('restartCount', 0)} restarts"
    previous = "terminated" not in (entry.get("state") or {})
    if ended.get("reason") == "OOMKilled":
        limit = _limit(pod, title)
        text = f"container {title} used more memory than its limit of {limit}, {again}"
        return Finding(
            where,
            "OOMKilled",
            text,
            Weight.CRASH if looping or again != "0 restarts" else Weight.PASSING,
            title,
            previous,
            f"Raise the memory limit of {title} in the overlay.",
        )
    text = f"container {title} ended with exit code {ended.get('exitCode')} ({ended.get('reason', 'Error')}), {again}"
    return Finding(
        where,
        "CrashLoopBackOff" if looping else "Error",
        text,
        Weight.CRASH if looping else Weight.PASSING,
        title,
        previous,
        "The log's last lines say why.",
    )


def _not_ready(where: str, pod: Object, statuses: list[Object], snapshot: Snapshot) -> Finding:
    running = [entry for entry in statuses if "running" in (entry.get("state") or {}) and not entry.get("ready")]
    if not running:
        waits = [str((entry.get("state") or {}).get("waiting", {}).get("reason", "")) for entry in statuses]
        return Finding(where, next(filter(None, waits), "Pending"), "its containers are being made", Weight.PASSING)
    said = snapshot.events_of(pod, "Unhealthy", "ProbeWarning")
    text = f"container {running[0]['name']} runs but is not ready" + (
        f" ({' '.join(str(said[-1].get('message', '')).split())})" if said else ""
    )
    return Finding(
        where, "NotReady", text, Weight.PASSING, str(running[0]["name"]), remedy="The log's last line says what it waits for."
    )


def _image(pod: Object, title: str) -> str:
    return next((str(one.get("image")) for one in containers(pod.get("spec", {})) if one.get("name") == title), "")


def _limit(pod: Object, title: str) -> str:
    found = (
        one.get("resources", {}).get("limits", {}).get("memory")
        for one in containers(pod.get("spec", {}))
        if one.get("name") == title
    )
    return str(next(found, None) or "(none of its own: the node's)")
