"""Waiting until everything is ready: in order, with a line for each change, in bounded time, and with the reason when it fails."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from k8s.cluster.findings import Finding, Weight
from k8s.cluster.objects import Object, kind
from k8s.cluster.problem import Problem
from k8s.cluster.session import Session
from k8s.cluster.snapshot import Snapshot, look
from k8s.cluster.workloads import WAITED_FOR, Standing, stage, standing

LOG_LINES = 12
_REMINDER = 30.0
_QUIET = 20.0  # seconds a pod may run without being ready before its log is looked at
_PATIENCE = 3  # looks in a row that may fail


@dataclass
class Waiting:
    """What was seen so far."""

    session: Session
    wanted: list[Object]
    said: dict[str, str] = field(default_factory=dict)
    since: dict[tuple[str, str], float] = field(default_factory=dict)
    spoke: float = field(default_factory=time.monotonic)
    started: float = field(default_factory=time.monotonic)

    def step(self, snapshot: Snapshot) -> bool:
        """Take in one look; true when all is ready.

        Raises:
            Problem: something will not become ready.
        """
        standings = {id(item): standing(item, snapshot) for item in self.wanted}
        current = min((stage(item) for item in self.wanted if not standings[id(item)].done), default=99)
        for item in self.wanted:
            self._report(standings[id(item)], stage(item) <= current)
        failures = self._failures([(item, standings[id(item)]) for item in self.wanted], current)
        if failures:
            raise failure(self.session, failures)
        return current == 99

    def overdue(self, snapshot: Snapshot) -> Problem:
        """The problem when time is up."""
        late = [one for one in (standing(item, snapshot) for item in self.wanted) if not one.done]
        spent = time.monotonic() - self.started
        found = [(one, finding) for one in late for finding in one.findings[:1]]
        bare = [one for one in late if not one.findings]
        end = f"not ready after {spent:.0f} s" + "".join(f"; {one.name}: {one.text}" for one in bare)
        return failure(self.session, found, end)

    def _failures(self, pairs: list[tuple[Object, Standing]], current: int) -> list[tuple[Standing, Finding]]:
        now = time.monotonic()
        seen: dict[tuple[str, str], float] = {}
        failures = []
        for item, one in pairs:
            for finding in one.findings:
                final = finding.weight is Weight.LASTING or (finding.weight is Weight.CRASH and stage(item) <= current)
                if not final:
                    continue
                key = (finding.where, _family(finding.reason))
                seen[key] = self.since.get(key, now)
                if one.failed or now - seen[key] >= self.session.options.grace:
                    failures.append((one, finding))
        self.since = seen
        return failures

    def _report(self, one: Standing, its_turn: bool) -> None:
        line = "ready" if one.done and one.kind != "Job" else one.text
        if not one.done and one.findings:
            line += f"; {one.findings[0].where} {one.findings[0].reason}: {one.findings[0].message}"
        elapsed = time.monotonic() - self.started
        changed = self.said.get(one.name) != line
        remind = its_turn and not one.done and time.monotonic() - self.spoke >= _REMINDER
        worth_it = its_turn or one.done or any(finding.weight is not Weight.PASSING for finding in one.findings)
        if (changed and worth_it) or remind:
            verb = "" if one.done else "waiting for "
            tail = self._last_line(one) if not one.done and (remind or elapsed > _QUIET) else ""
            self.session.say(f"[{elapsed:4.0f} s] {verb}{one.kind.lower()}/{one.name}: {line}{tail}")
            self.said[one.name] = line
            self.spoke = time.monotonic()

    def _last_line(self, one: Standing) -> str:
        finding = next((each for each in one.findings if each.container), None)
        lines = log_tail(self.session, finding, 1) if finding else []
        return f"; its log: {lines[0][:300]}" if lines else ""


def wait(session: Session, documents: list[Object]) -> None:
    """Wait until all workloads among the objects are ready.

    Raises:
        Problem: they do not become ready; pod, container and reason are in it.
    """
    wanted = sorted((item for item in documents if kind(item) in WAITED_FOR), key=stage)
    waiting = Waiting(session, wanted)
    deadline = waiting.started + session.options.timeout
    with_ray = any(kind(item) == "RayService" for item in wanted)
    missed = 0
    while True:
        try:
            snapshot = look(session.kubectl, with_ray)
            missed = 0
        except Problem as problem:
            missed += 1
            if missed > _PATIENCE:
                raise
            session.warn(f"{problem.cause}; trying again")
            time.sleep(session.options.poll)
            continue
        if waiting.step(snapshot):
            return
        if time.monotonic() >= deadline:
            raise waiting.overdue(snapshot)
        time.sleep(session.options.poll)


def failure(session: Session, found: list[tuple[Standing, Finding]], end: str = "") -> Problem:
    """The problem made of findings, each with the last lines of the log that explains it."""
    lines = [end] if end else []
    remedies: list[str] = []
    for one, finding in found:
        lines.append(f"{one.kind.lower()}/{one.name} is not ready: {finding.where} {finding.reason}: {finding.message}")
        lines += [f"    | {line}" for line in log_tail(session, finding, LOG_LINES)]
        if finding.remedy and finding.remedy not in remedies:
            remedies.append(finding.remedy)
    return Problem(
        "\n  ".join(lines), " ".join([*remedies, "`make status` and `make logs` show more; `make up` goes on from here."])
    )


def log_tail(session: Session, finding: Finding, count: int) -> list[str]:
    """The last lines of the log a finding names; none when there is no such log."""
    if not finding.pod or not finding.container:
        return []
    words = [
        "logs",
        finding.pod,
        "-n",
        session.kubectl.namespace,
        "-c",
        finding.container,
        f"--tail={count}",
        "--request-timeout=10s",
    ]
    for previous in (["--previous"], []) if finding.previous else ([],):
        done = session.kubectl.call(*words, *previous, seconds=15)
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        if done.returncode == 0 and lines:
            return lines[-count:]
    return []


def _family(reason: str) -> str:
    """Reasons that alternate while the same thing is wrong count as one."""
    if reason in ("ErrImagePull", "ImagePullBackOff"):
        return "image"
    return "crash" if reason in ("CrashLoopBackOff", "Error", "OOMKilled") else reason
