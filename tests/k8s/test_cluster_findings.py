"""What a look at the namespace means, where a finding is easily taken for worse than it is."""

from __future__ import annotations

from typing import Any

import pytest

from k8s.cluster.findings import Weight, examine
from k8s.cluster.snapshot import Snapshot

Object = dict[str, Any]
LABELS = {"app.kubernetes.io/name": "eval-video"}
NO_ROOM = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available: 1 Insufficient memory."}
PLACED = {"type": "PodScheduled", "status": "True"}
CREATING = [{"name": "evaluator", "state": {"waiting": {"reason": "ContainerCreating"}}}]


def pod(name: str, condition: Object, ready: bool = False, **metadata: Any) -> Object:
    conditions = [condition, {"type": "Ready", "status": str(ready)}]
    return {
        "kind": "Pod", "metadata": {"name": name, "uid": name, "labels": LABELS, **metadata},
        "status": {"phase": "Running" if ready else "Pending", "conditions": conditions, "containerStatuses": CREATING},
    }  # fmt: skip


def event(about: str, reason: str, when: str) -> Object:
    return {"kind": "Event", "involvedObject": {"kind": "Pod", "name": about}, "reason": reason, "message": f"{reason} {about}", "lastTimestamp": when}


def deployment(*sizes: int) -> list[Object]:
    """A Deployment and its ReplicaSets, each with so many pods."""
    owner = {"kind": "Deployment", "metadata": {"name": "eval-video", "uid": "d"}, "spec": {"selector": {"matchLabels": LABELS}}}
    sets = [
        {"kind": "ReplicaSet", "metadata": {"name": f"r{size}", "ownerReferences": [{"uid": "d"}]}, "status": {"replicas": size}} for size in sizes
    ]
    return [owner, *sets]


def weight(wanting: Object, others: list[Object], events: list[Object] | None = None) -> Weight:
    finding = examine(wanting, Snapshot([wanting, *others], events or []))
    assert finding is not None
    assert finding.reason == "Unschedulable"
    return finding.weight


def test_no_room_is_final_where_nothing_will_make_any() -> None:
    wanting = pod("new", NO_ROOM)
    assert weight(wanting, []) is Weight.LASTING
    # A first start: the pods beside it that are starting will stay.
    assert weight(wanting, [*deployment(2), pod("other", PLACED)]) is Weight.LASTING
    # A rollout in which no newer pod has found a place makes no room either.
    assert weight(wanting, [*deployment(1, 1), pod("old", PLACED, ready=True)]) is Weight.LASTING


def test_no_room_passes_while_pods_end_or_older_ones_make_way() -> None:
    wanting = pod("new", NO_ROOM)
    assert weight(wanting, [pod("old", PLACED, ready=True, deletionTimestamp="2026-01-01T00:00:00Z")]) is Weight.PASSING
    assert weight(wanting, [*deployment(1, 1), pod("old", PLACED, ready=True), pod("starting", PLACED)]) is Weight.PASSING


@pytest.mark.parametrize("reason", ["TriggeredScaleUp", "Nominated"])
def test_no_room_passes_while_a_node_is_made(reason: str) -> None:
    assert weight(pod("new", NO_ROOM), [], [event("new", reason, "2026-01-01T00:00:00Z")]) is Weight.PASSING


def test_a_mount_that_failed_once_is_no_matter_while_images_are_pulled() -> None:
    one = pod("new", PLACED)
    failed = event("new", "FailedMount", "2026-01-01T00:00:01Z")
    finding = examine(one, Snapshot([one], [failed]))
    assert finding is not None
    assert (finding.reason, finding.weight) == ("FailedMount", Weight.LASTING)
    for reason in ("Pulling", "Pulled"):
        finding = examine(one, Snapshot([one], [failed, event("new", reason, "2026-01-01T00:00:03Z")]))
        assert finding is not None
        assert (finding.reason, finding.weight) == ("ContainerCreating", Weight.PASSING)
    again = [event("new", "Pulled", "2026-01-01T00:00:03Z"), event("new", "FailedMount", "2026-01-01T00:00:09Z")]
    finding = examine(one, Snapshot([one], again))
    assert finding is not None
    assert finding.reason == "FailedMount"
