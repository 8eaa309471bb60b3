"""``status``: what runs, how it is, and why not."""

from __future__ import annotations

import json
from typing import Any

from k8s.cluster.connection import connect
from k8s.cluster.findings import examine
from k8s.cluster.objects import Object, kind, label, name
from k8s.cluster.session import Session
from k8s.cluster.snapshot import Snapshot, knows_ray, look
from k8s.cluster.workloads import WAITED_FOR, stage, standing

_SERVICE = "kubernetes.io/service-name"


def status(session: Session, as_json: bool) -> bool:
    """Print the state of the system; true when all is ready.

    Raises:
        Problem: the cluster does not answer.
    """
    kubectl = session.kubectl
    version = connect(kubectl)
    snapshot = look(kubectl, knows_ray(kubectl))
    more = kubectl.items(
        "horizontalpodautoscalers.autoscaling,endpointslices.discovery.k8s.io", doing="listing autoscalers and endpoints"
    )
    state = describe(snapshot, more)
    state |= {"context": kubectl.context, "namespace": kubectl.namespace, "server": version}
    if as_json:
        session.say(json.dumps(state, indent=1))
    elif not state["workloads"]:
        session.say(f"GenLevel does not run in context {kubectl.context}, namespace {kubectl.namespace}: `make up`")
    else:
        for line in text(state):
            session.say(line)
    return bool(state["ready"])


def describe(snapshot: Snapshot, more: list[Object]) -> dict[str, Any]:
    """The system's state as plain data."""
    workloads = sorted(
        (item for item in snapshot.items if kind(item) in WAITED_FOR and not item["metadata"].get("ownerReferences")),
        key=lambda item: (stage(item), name(item)),
    )
    rows = []
    for item in workloads:
        how = standing(item, snapshot)
        rows.append({
            "name": name(item), "kind": kind(item), "ready": how.done, "state": how.text,
            "reason": how.findings[0].reason if how.findings else "", "message": how.findings[0].message if how.findings else "",
            "pods": [_pod(pod, snapshot) for pod in snapshot.pods_of(item)],
        })  # fmt: skip
    return {
        "ready": bool(rows) and all(row["ready"] for row in rows),
        "workloads": rows,
        "autoscalers": [_scaler(item) for item in more if kind(item) == "HorizontalPodAutoscaler"],
        "claims": [_claim(item) for item in snapshot.of_kind("PersistentVolumeClaim")],
        "endpoints": _endpoints(more),
    }


def text(state: dict[str, Any]) -> list[str]:
    """The state as tables."""
    pods = [["COMPONENT", "POD", "READY", "RESTARTS", "NODE", "REASON"]]
    for row in state["workloads"]:
        named = f"{row['kind'].lower()}/{row['name']}"
        for pod in row["pods"] or [
            {"name": "-", "ready": row["ready"], "restarts": 0, "node": "-", "reason": row["reason"], "message": row["message"]}
        ]:
            why = f"{pod['reason']}: {pod['message']}" if pod["reason"] else row["state"] if row["kind"] == "Job" else ""
            pods.append(
                [named, pod["name"], "yes" if pod["ready"] else "no", str(pod["restarts"]), pod["node"] or "-", why[:160]]
            )
    tables = [pods]
    if state["autoscalers"]:
        tables.append(
            [
                ["AUTOSCALER", "REPLICAS", "LEAST", "MOST", "REASON"],
                *[[str(one[key]) for key in ("name", "replicas", "least", "most", "reason")] for one in state["autoscalers"]],
            ]
        )
    if state["claims"]:
        tables.append(
            [
                ["CLAIM", "STATE", "SIZE", "CLASS"],
                *[[str(one[key]) for key in ("name", "state", "size", "class")] for one in state["claims"]],
            ]
        )
    if state["endpoints"]:
        tables.append(
            [
                ["SERVICE", "ENDPOINTS", "READY"],
                *[[one["service"], str(one["all"]), str(one["ready"])] for one in state["endpoints"]],
            ]
        )
    lines = [f"context {state['context']}, namespace {state['namespace']}: {'ready' if state['ready'] else 'not ready'}"]
    for table in tables:
        lines += ["", *_align(table)]
    return lines


def _align(table: list[list[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]


def _pod(pod: Object, snapshot: Snapshot) -> dict[str, Any]:
    finding = examine(pod, snapshot)
    statuses = [
        *(pod.get("status", {}).get("initContainerStatuses") or []),
        *(pod.get("status", {}).get("containerStatuses") or []),
    ]
    return {
        "name": name(pod), "ready": finding is None, "restarts": sum(int(one.get("restartCount", 0)) for one in statuses),
        "node": pod.get("spec", {}).get("nodeName", ""), "reason": finding.reason if finding else "", "message": finding.message if finding else "",
    }  # fmt: skip


def _scaler(item: Object) -> dict[str, Any]:
    trouble = [
        entry
        for entry in item.get("status", {}).get("conditions") or []
        if entry.get("type") in ("AbleToScale", "ScalingActive") and entry.get("status") == "False"
    ]
    return {
        "name": name(item), "replicas": item.get("status", {}).get("currentReplicas", 0), "least": item["spec"].get("minReplicas", 1),
        "most": item["spec"]["maxReplicas"], "reason": f"{trouble[0].get('reason')}: {trouble[0].get('message')}" if trouble else "",
    }  # fmt: skip


def _claim(item: Object) -> dict[str, Any]:
    size = item.get("status", {}).get("capacity", {}).get("storage") or item["spec"].get("resources", {}).get("requests", {}).get(
        "storage", ""
    )
    return {
        "name": name(item),
        "state": item.get("status", {}).get("phase", "Pending"),
        "size": size,
        "class": item["spec"].get("storageClassName") or "-",
    }


def _endpoints(more: list[Object]) -> list[dict[str, Any]]:
    services: dict[str, list[bool]] = {}
    for item in more:
        if kind(item) == "EndpointSlice":
            ready = [bool((one.get("conditions") or {}).get("ready", True)) for one in item.get("endpoints") or []]
            services.setdefault(label(item, _SERVICE), []).extend(ready)
    return [{"service": service, "all": len(ready), "ready": sum(ready)} for service, ready in sorted(services.items())]
