"""The system in containers: sizes, start, cost of a call, replicas, memory. Needs a Docker engine: scripts/container_engine.sh.

Memory is the control group's, the page cache left out: what a Kubernetes request has to cover.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker.errors

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "containers"))

from container_system.engine import ROOT, client
from container_system.starting import started
from container_system.system import EVALUATORS, System, make_calls, remake

from benchmarks.serving import embedded

CALLS, CLIPS, IN_FLIGHT = 200, 24, 4
SERVICES = (*EVALUATORS.values(), "orchestrator", "database")
LOAD = ROOT / "tests" / "containers" / "load.py"


def say(name: str, **more: Any) -> None:
    """One line."""
    print(json.dumps({"name": name, **more}), flush=True)


def build() -> dict[str, str]:
    """Build (or find) the images; say their sizes."""
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "docker/build.py", "--json"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    images = json.loads(done.stdout)["images"]
    for name, image in images.items():
        note = f"{image['megabytes']:.0f} MB, of which its own {image['own_megabytes']:.0f} MB; built in {image['seconds']} s this time"
        say(f"image {name}", note=note)
    total = sum(image["own_megabytes"] for image in images.values())
    say("all images", ours_s=time.monotonic() - begin, note=f"{total:.0f} MB, each layer counted once; from the engine's cache where it has them")
    return {name: image["image"] for name, image in images.items()}


def memory(system: System) -> dict[str, float]:
    """Megabytes of each container, and the most so far."""
    found = {}
    for service in SERVICES:
        stats = system.project.container(service).stats(stream=False)["memory_stats"]
        inactive = stats["stats"].get("total_inactive_file", stats["stats"].get("inactive_file", 0))
        found[service] = (stats["usage"] - inactive) / 1e6
    return found


def rss(system: System) -> dict[str, float]:
    """Megabytes of anonymous and shared memory alone."""
    found = {}
    for service in SERVICES:
        stats = system.project.container(service).stats(stream=False)["memory_stats"]["stats"]
        found[service] = (stats.get("total_rss", stats.get("anon", 0)) + stats.get("total_shmem", stats.get("shmem", 0))) / 1e6
    return found


def say_memory(when: str, system: System) -> None:
    """A line for each container."""
    usage, own = memory(system), rss(system)
    for service in SERVICES:
        say(f"memory of {service}, {when}", note=f"{usage[service]:.0f} MB, of which {own[service]:.0f} MB are no file pages")


def cost_of_a_call(engine: Any, images: Mapping[str, str], system: System) -> None:
    """Small calls one after another: between containers, and to an embedded evaluator on this machine."""
    between = make_calls(engine, images, system.project, "language", CALLS, 1)
    with embedded("--only", "language") as (endpoints, _):
        done = subprocess.run(
            [sys.executable, str(LOAD), "language", endpoints["language"], str(CALLS), "1"], stdout=subprocess.PIPE, text=True, check=True
        )
    here = json.loads(done.stdout)
    for key in ("p50", "p99"):
        say(
            f"{CALLS} small calls, {key}: between containers against embedded", ours_s=between[key], other_s=here[key],
            ratio=here[key] / between[key], note="EvaluateShard, one sample, one call at a time",
        )  # fmt: skip


def replicas(engine: Any, images: Mapping[str, str], system: System) -> None:
    """Clips a second through one and two video evaluators of one processor each."""
    taken = {}
    for count in (1, 2):
        remake(system.project, "eval-video", cpus=1, replicas=count)
        taken[count] = make_calls(engine, images, system.project, "video", CLIPS, IN_FLIGHT)["seconds"]
    remake(system.project, "eval-video")
    say(
        "video, 2 replicas against 1, one processor each", ours_s=taken[2], other_s=taken[1], ratio=taken[1] / taken[2],
        note=f"{CLIPS} clips of 16 frames, I3D: {CLIPS / taken[1]:.2f} and {CLIPS / taken[2]:.2f} clips a second",
    )  # fmt: skip


@contextmanager
def timed() -> Iterator[dict[str, float]]:
    """Seconds of a block, once it has ended."""
    found: dict[str, float] = {}
    begin = time.monotonic()
    yield found
    found["seconds"] = time.monotonic() - begin


def main() -> None:
    """Prints a line for each measurement."""
    try:
        engine = client()
    except docker.errors.DockerException as error:
        say("containers", note=f"not measured: no Docker engine answers ({error}); scripts/container_engine.sh starts one")
        return
    images = build()
    begin = time.monotonic()
    with started(engine, images) as (system, milestones):
        say("compose up to ready", ours_s=time.monotonic() - begin, note="weights are in the volume already")
        start = min(when for when, _, _ in milestones.seen)
        for service in SERVICES:
            say(f"healthy: {service}", ours_s=milestones.first(service, "healthy") - start)
        say_memory("idle", system)
        cost_of_a_call(engine, images, system)
        with timed() as demo, tempfile.TemporaryDirectory() as folder:
            done = system.genlevel(*system.run_arguments(Path(folder)))
            assert done.returncode == 0, done.stderr
        say("demo bundle through the containers", ours_s=demo["seconds"], note="sent, scored, report fetched")
        say_memory("after the demo", system)
        replicas(engine, images, system)


if __name__ == "__main__":
    main()
