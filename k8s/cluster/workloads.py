"""Whether a workload is as it should be, and what keeps it from it."""

from __future__ import annotations

from dataclasses import dataclass

from k8s.cluster.findings import Finding, Weight, examine
from k8s.cluster.objects import Object, conditions, is_true, kind, name
from k8s.cluster.snapshot import Snapshot

WAITED_FOR = ("Deployment", "StatefulSet", "Job", "RayService")
_REFUSED = ("FailedCreate", "FailedUpdate")


@dataclass(frozen=True)
class Standing:
    """A workload at one moment.

    Args:
        done: Ready (for a Job: completed).
        text: In one line.
        findings: What keeps it from being ready.
        failed: It will not get there by itself: a Job that failed.
    """

    name: str
    kind: str
    done: bool
    text: str
    findings: tuple[Finding, ...] = ()
    failed: bool = False


def stage(item: Object) -> int:
    """When to wait for a workload: what others need comes first."""
    title = name(item)
    if title in ("database", "store"):
        return 0
    if kind(item) == "Job":
        return 1
    if title.startswith("eval-"):
        return 2
    return 3 if title == "orchestrator" else 4


def standing(wanted: Object, snapshot: Snapshot) -> Standing:
    """How a workload that was applied stands."""
    item = snapshot.find(kind(wanted), name(wanted))
    if item is None:
        return Standing(name(wanted), kind(wanted), False, "not there yet")
    if kind(item) == "Job":
        return _job(item, snapshot)
    if kind(item) == "RayService":
        return _ray(item, snapshot)
    return _replicated(item, snapshot)


def _replicated(item: Object, snapshot: Snapshot) -> Standing:
    status = item.get("status", {})
    wanted = int(item["spec"].get("replicas", 1))
    ready = int(status.get("readyReplicas", 0))
    updated = int(status.get("updatedReplicas", 0))
    seen = int(status.get("observedGeneration", 0)) >= int(item["metadata"].get("generation", 1))
    old = max(0, int(status.get("replicas", 0)) - updated)
    done = seen and updated >= wanted and ready >= wanted and not old
    text = f"{min(ready, updated)} of {wanted} ready" + (f", {old} of the old version" if old else "")
    return Standing(name(item), kind(item), done, text, () if done else _findings(item, snapshot, wanted))


def _job(item: Object, snapshot: Snapshot) -> Standing:
    if is_true(item, "Complete") or is_true(item, "SuccessCriteriaMet"):
        return Standing(name(item), "Job", True, "completed")
    if is_true(item, "Failed"):
        said = conditions(item)["Failed"]
        pods = snapshot.pods_of(item)
        container = str(pods[-1]["spec"]["containers"][0]["name"]) if pods else ""
        where = f"pod/{name(pods[-1])}" if pods else f"job/{name(item)}"
        remedy = "The log's last lines say why; `make up` starts the Job again."
        finding = Finding(
            where, "JobFailed", f"{said.get('reason', '')}: {said.get('message', '')}", Weight.LASTING, container, remedy=remedy
        )
        return Standing(name(item), "Job", False, "failed", (finding,), failed=True)
    return Standing(name(item), "Job", False, "at work", _findings(item, snapshot, 1))


def _ray(item: Object, snapshot: Snapshot) -> Standing:
    if is_true(item, "Ready"):
        return Standing(name(item), "RayService", True, "ready")
    findings = list(_findings(item, snapshot, 0))
    applications = ((item.get("status", {}).get("activeServiceStatus") or {}).get("applicationStatuses") or {}) | (
        (item.get("status", {}).get("pendingServiceStatus") or {}).get("applicationStatuses") or {}
    )
    for title, application in applications.items():
        if application.get("status") in ("DEPLOY_FAILED", "UNHEALTHY"):
            message = f"Serve application {title}: {str(application.get('message', '')).strip()[-400:]}"
            findings.append(Finding(f"rayservice/{name(item)}", str(application["status"]), message, Weight.CRASH))
    said = conditions(item).get("Ready", {}).get("message") or item.get("status", {}).get("serviceStatus") or "Ray is starting"
    return Standing(name(item), "RayService", False, str(said), tuple(findings))


def _findings(item: Object, snapshot: Snapshot, wanted: int) -> tuple[Finding, ...]:
    pods = snapshot.pods_of(item)
    found = [finding for pod in pods if (finding := examine(pod, snapshot))]
    if len(pods) < wanted or kind(item) == "RayService":
        found += _refused(item, snapshot)
    return tuple(found)


def _refused(item: Object, snapshot: Snapshot) -> list[Finding]:
    """Pods that could not even be made: a quota, an admission controller."""
    failure = conditions(item).get("ReplicaFailure", {})
    message = str(failure.get("message", "")) if failure.get("status") == "True" else ""
    if not message:
        makers = [item, *(snapshot.replica_sets_of(item) if kind(item) == "Deployment" else [])]
        events = [event for maker in makers for event in snapshot.events_of(maker, *_REFUSED)]
        message = str(events[-1].get("message", "")) if events else ""
    if not message:
        return []
    if "exceeded quota" in message:
        return [
            Finding(
                f"{kind(item).lower()}/{name(item)}",
                "QuotaExceeded",
                message,
                Weight.LASTING,
                remedy="Raise the ResourceQuota, or take fewer replicas or a smaller overlay.",
            )
        ]
    reason = "AdmissionRefused" if "forbidden" in message or "denied" in message else "FailedCreate"
    return [
        Finding(
            f"{kind(item).lower()}/{name(item)}",
            reason,
            message,
            Weight.LASTING,
            remedy="The words are the cluster's: meet its policy in the overlay, or ask whoever runs it.",
        )
    ]
