"""Two video evaluators behind one name: calls, not connections, are spread."""

from __future__ import annotations

from typing import Any

from container_system.single import processor_seconds
from container_system.system import System, make_calls, remake

CALLS, IN_FLIGHT = 16, 4


def test_calls_are_spread_over_two_replicas(engine: Any, images: dict[str, str], system: System, numbers: dict[str, Any]) -> None:
    project = system.project
    try:
        # One processor each, so that two have twice as many.
        remake(project, "eval-video", cpus=1)
        alone = make_calls(engine, images, project, "video", CALLS, IN_FLIGHT)
        remake(project, "eval-video", cpus=1, replicas=2)
        used = {container.name: processor_seconds(container) for container in project.containers("eval-video")}
        both = make_calls(engine, images, project, "video", CALLS, IN_FLIGHT)
        worked = {container.name: processor_seconds(container) - used[container.name] for container in project.containers("eval-video")}
    finally:
        remake(project, "eval-video")
    assert alone["issues"] == both["issues"] == []
    assert len(alone["calls"]) == 1
    assert len(worked) == len(both["calls"]) == 2
    assert sum(both["calls"].values()) == CALLS
    assert min(both["calls"].values()) >= CALLS // 4, both["calls"]
    assert min(worked.values()) > 0.25 * max(worked.values()), f"processor seconds: {worked}"
    numbers["video_calls_per_second"] = {
        "1 replica": round(CALLS / alone["seconds"], 3), "2 replicas": round(CALLS / both["seconds"], 3), "calls": both["calls"],
        "processor_seconds": worked,
    }  # fmt: skip
