"""Controllers of the fake cluster: they make pods and put them into the state a test asked for."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

Object = dict[str, Any]
RUNNING = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
CRASHED = {"exitCode": 1, "reason": "Error"}
KILLED = {"exitCode": 137, "reason": "OOMKilled"}
SCHEDULED = {"type": "PodScheduled", "status": "True"}
WAITING = {
    "image-pull": ("ImagePullBackOff", 'Back-off pulling image "{image}": not found'),
    "config": ("CreateContainerConfigError", 'secret "genlevel-elsewhere" not found'),
    "crash": ("CrashLoopBackOff", "back-off 40s restarting failed container"),
    "oom": ("CrashLoopBackOff", "back-off 40s restarting failed container"),
}
UNSCHEDULED = {
    "pending": "0/3 nodes are available: 3 Insufficient memory.",
    "unbound": "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
}
EVENTS = {
    "mount": ("FailedMount", 'MountVolume.SetUp failed for volume "tls": secret "genlevel-tls" not found'),
    "not-ready": ("Unhealthy", "Readiness probe failed: service unhealthy (responded with NOT_SERVING)"),
}
RAY_FAILED = {
    "activeServiceStatus": {"applicationStatuses": {"video": {"status": "DEPLOY_FAILED", "message": "ImportError: no module"}}}
}


class Controllers:
    """Deployment, StatefulSet and Job controllers, scheduler and kubelet in one."""

    def settle(self, cluster: Any) -> None:
        """Bring pods and statuses to where they belong now."""
        for kind in ("Deployment", "StatefulSet", "Job"):
            for item in list(cluster.of(kind).values()):
                self._workload(cluster, item)
        for service in cluster.of("RayService").values():
            ready = cluster.behaviour.get(service["metadata"]["name"], "ready") == "ready"
            self._status(cluster, service, {"conditions": [{"type": "Ready", "status": "True"}]} if ready else RAY_FAILED)
        for claim in cluster.of("PersistentVolumeClaim").values():
            self._status(cluster, claim, {"phase": "Pending" if "unbound" in cluster.behaviour.values() else "Bound"})

    def _workload(self, cluster: Any, item: Object) -> None:
        name, kind = item["metadata"]["name"], item["kind"]
        behaviour = cluster.behaviour.get(name, "ready")
        template = item["spec"]["template"]
        digest = hashlib.sha256(json.dumps([template, behaviour], sort_keys=True).encode()).hexdigest()[:8]
        age = cluster.looks - cluster.__dict__.setdefault("births", {}).setdefault(
            (item["metadata"]["uid"], digest), cluster.looks
        )
        count = 0 if behaviour in ("quota", "admission") else int(item["spec"].get("replicas", 1))
        owner = self._replica_set(cluster, item, digest, behaviour) if kind == "Deployment" else item
        names = [f"{name}-{number}" if kind == "StatefulSet" else f"{name}-{digest}-{number}" for number in range(count)]
        for title, pod in list(cluster.of("Pod").items()):
            marks = pod["metadata"]["annotations"]
            if marks["workload"] == item["metadata"]["uid"] and (title not in names or marks["digest"] != digest):
                del cluster.objects[("pods", "genlevel", title)]
        for title in names:
            marks = {"digest": digest, "workload": item["metadata"]["uid"]}
            self._pod(cluster, owner, title, template, marks, behaviour if age >= cluster.delay else "starting")
        self._workload_status(cluster, item, count, behaviour, age >= cluster.delay)

    def _workload_status(self, cluster: Any, item: Object, count: int, behaviour: str, settled: bool) -> None:
        if item["kind"] == "Job":
            condition = {"ready": ("Complete", ""), "job-fail": ("Failed", "BackoffLimitExceeded")}.get(behaviour)
            done = (
                [
                    {
                        "type": condition[0],
                        "status": "True",
                        "reason": condition[1],
                        "message": "Job has reached the specified backoff limit",
                    }
                ]
                if condition and settled
                else []
            )
            self._status(cluster, item, {"conditions": done} if done else {"active": 1})
            return
        ready = count if behaviour == "ready" and settled else 0
        status: Object = {
            "observedGeneration": item["metadata"]["generation"],
            "replicas": count,
            "updatedReplicas": count,
            "readyReplicas": ready,
        }
        if behaviour == "quota":
            message = 'pods "x" is forbidden: exceeded quota: small, requested: requests.memory=8Gi, used: requests.memory=30Gi, limited: requests.memory=32Gi'
            status["conditions"] = [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}]
        if behaviour == "admission":
            self._event(
                cluster,
                item,
                "FailedCreate",
                f'create Pod {item["metadata"]["name"]}-0 failed: pods is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
            )
        self._status(cluster, item, status)

    def _replica_set(self, cluster: Any, item: Object, digest: str, behaviour: str) -> Object:
        name = f"{item['metadata']['name']}-{digest}"
        found = cluster.of("ReplicaSet").get(name)
        if found is None:
            owners = [{"kind": "Deployment", "name": item["metadata"]["name"], "uid": item["metadata"]["uid"]}]
            found = cluster.add("ReplicaSet", name, "genlevel", metadata={"ownerReferences": owners}, spec={"replicas": 1})
        return dict(found)

    def _pod(self, cluster: Any, owner: Object, name: str, template: Object, marks: Object, behaviour: str) -> None:
        pod = cluster.of("Pod").get(name)
        if pod is None:
            labels = dict(template["metadata"].get("labels") or {})
            if owner["kind"] == "Job":
                labels["batch.kubernetes.io/job-name"] = owner["metadata"]["name"]
            owners = [{"kind": owner["kind"], "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}]
            metadata = {"labels": labels, "annotations": marks, "ownerReferences": owners}
            pod = cluster.add(
                "Pod", name, "genlevel", metadata=metadata, spec={**copy.deepcopy(template["spec"]), "nodeName": "node-1"}
            )
        self._status(cluster, pod, self._pod_status(cluster, pod, behaviour))

    def _pod_status(self, cluster: Any, pod: Object, behaviour: str) -> Object:
        first = pod["spec"]["containers"][0]
        entry: Object = {"name": first["name"], "image": first["image"], "restartCount": 0, "ready": False}
        entry["state"] = {"waiting": {"reason": "ContainerCreating"}}
        status: Object = {
            "phase": "Pending",
            "conditions": [SCHEDULED, {"type": "Ready", "status": "False"}],
            "containerStatuses": [entry],
        }
        if behaviour in WAITING:
            reason, message = WAITING[behaviour]
            entry["state"] = {"waiting": {"reason": reason, "message": message.format(image=first["image"])}}
        if behaviour in EVENTS:
            self._event(cluster, pod, *EVENTS[behaviour])
        if behaviour in ("crash", "oom"):
            status["phase"] = "Running"
            entry |= {"restartCount": 4, "lastState": {"terminated": KILLED if behaviour == "oom" else CRASHED}}
        elif behaviour in UNSCHEDULED:
            condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": UNSCHEDULED[behaviour]}
            status |= {"conditions": [condition], "containerStatuses": []}
        elif behaviour == "not-ready":
            status["phase"] = "Running"
            entry |= {"state": RUNNING, "started": True}
        elif behaviour == "job-fail":
            status["phase"] = "Failed"
            entry["state"] = {"terminated": CRASHED}
        elif behaviour == "ready":
            status |= {"phase": "Running", "conditions": [SCHEDULED, {"type": "Ready", "status": "True"}]}
            entry |= {"ready": True, "state": RUNNING, "started": True}
        return status

    def _event(self, cluster: Any, item: Object, reason: str, message: str) -> None:
        name = f"{item['metadata']['name']}.{reason.lower()}"
        if name not in cluster.of("Event"):
            about = {"kind": item["kind"], "name": item["metadata"]["name"], "uid": item["metadata"]["uid"]}
            cluster.add(
                "Event",
                name,
                "genlevel",
                involvedObject=about,
                reason=reason,
                message=message,
                type="Warning",
                lastTimestamp="2026-01-01T00:00:00Z",
            )

    def _status(self, cluster: Any, item: Object, status: Object) -> None:
        if item.get("status") != status:
            item["status"] = status
            cluster.revision += 1
            item["metadata"]["resourceVersion"] = str(cluster.revision)
