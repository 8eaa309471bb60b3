"""``logs``: the logs of a component's pods, each line with its pod."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import IO, TextIO

from k8s.cluster.connection import connect
from k8s.cluster.objects import Object, containers, name
from k8s.cluster.problem import Problem
from k8s.cluster.session import Session
from k8s.cluster.snapshot import Snapshot, knows_ray, look
from k8s.cluster.workloads import WAITED_FOR


def logs(session: Session, component: str, follow: bool, previous: bool, tail: int) -> None:
    """Print logs.

    Args:
        session: The call.
        component: A workload such as eval-video, or video, or a pod; empty for all.
        follow: Go on until interrupted.
        previous: The last life of containers that were restarted.
        tail: Lines of each container.

    Raises:
        Problem: there is no such component, or none of its pods has a log.
    """
    connect(session.kubectl)
    snapshot = look(session.kubectl, knows_ray(session.kubectl))
    pods = _pods(snapshot, component)
    pairs = [(name(pod), title) for pod in pods for title in _started(pod, previous)]
    if not pairs:
        which = component or "GenLevel"
        what = "was restarted" if previous else "has started"
        raise Problem(f"no container of {which} {what} ({len(pods)} pods)", "`make status` says what keeps them.")
    flags = [
        "-n",
        session.kubectl.namespace,
        "--prefix",
        f"--tail={tail}",
        *(["--follow"] if follow else []),
        *(["--previous"] if previous else []),
    ]
    tails = [_Tail(session.kubectl.arguments("logs", pod, "-c", title, *flags)) for pod, title in pairs]
    try:
        if 0 not in [tail_of_one.wait() for tail_of_one in tails]:
            raise Problem("no log could be read", "See the lines above; `make status` says how the pods are.")
    finally:
        for tail_of_one in tails:
            tail_of_one.end()


def _pods(snapshot: Snapshot, component: str) -> list[Object]:
    if not component:
        return snapshot.of_kind("Pod")
    wanted = {component, f"eval-{'3d' if component == 'three_d' else component}"}
    workloads = [item for item in snapshot.items if item["kind"] in WAITED_FOR]
    found = [pod for item in workloads if name(item) in wanted for pod in snapshot.pods_of(item)]
    found = found or [pod for pod in snapshot.of_kind("Pod") if name(pod) == component]
    if not found:
        known = ", ".join(sorted(name(item) for item in workloads)) or "none: `make up` first"
        raise Problem(f"there is no component {component} with pods", f"Components here: {known}.")
    return found


def _started(pod: Object, previous: bool) -> list[str]:
    statuses = [
        *(pod.get("status", {}).get("initContainerStatuses") or []),
        *(pod.get("status", {}).get("containerStatuses") or []),
    ]
    order = [str(one["name"]) for one in containers(pod.get("spec", {}))]
    started = {str(one["name"]) for one in statuses if (one.get("restartCount", 0) if previous else _has_log(one))}
    return [title for title in order if title in started]


def _has_log(entry: Object) -> bool:
    state = entry.get("state") or {}
    return "running" in state or "terminated" in state or bool((entry.get("lastState") or {}).get("terminated"))


class _Tail:
    """One kubectl that prints a log; its lines are written whole, so that those of several pods do not mix."""

    def __init__(self, command: list[str]) -> None:
        self._child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
        )
        pairs = ((self._child.stdout, sys.stdout), (self._child.stderr, sys.stderr))
        self._threads = [threading.Thread(target=self._pump, args=pair, daemon=True) for pair in pairs]
        for thread in self._threads:
            thread.start()

    def wait(self) -> int:
        """Wait until the log ends and is printed."""
        for thread in self._threads:
            thread.join()
        return self._child.wait()

    def end(self) -> None:
        """Stop, if it has not."""
        self._child.terminate()

    @staticmethod
    def _pump(source: IO[str], target: TextIO) -> None:
        for line in source:
            print(line.rstrip("\n"), file=target, flush=True)
