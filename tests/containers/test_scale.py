"""Two video evaluators behind one name: calls, not connections, are spread."""

from __future__ import annotations

from typing import Any

from tests.containers.system import System, make_calls, processor_seconds

CALLS, IN_FLIGHT = 16, 4


def test_calls_are_spread_over_two_replicas(engine: Any, images: dict[str, str], system: System, numbers: dict[str, Any]) -> None:
    project = system.project
    before = project.environment["GENLEVEL_CPUS"]
    # One processor each, so that two have twice as many.
    project.environment["GENLEVEL_CPUS"] = "1"
    try:
        project.compose("up", "--detach", "--no-build", "--no-deps", "eval-video")
        project.wait_healthy("eval-video", 180)
        alone = make_calls(engine, images, project, "video", CALLS, IN_FLIGHT)
        project.compose("up", "--detach", "--no-build", "--no-deps", "--no-recreate", "--scale", "eval-video=2", "eval-video")
        project.wait_healthy("eval-video", 180)
        used = {container.name: processor_seconds(container) for container in project.containers("eval-video")}
        both = make_calls(engine, images, project, "video", CALLS, IN_FLIGHT)
        worked = {container.name: processor_seconds(container) - used[container.name] for container in project.containers("eval-video")}
    finally:
        project.environment["GENLEVEL_CPUS"] = before
        project.compose("up", "--detach", "--no-build", "--no-deps", "--scale", "eval-video=1", "eval-video")
        project.wait_healthy("eval-video", 180)
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
