"""From what the replicas say to `ready` and `live`. No Ray and no clock in here, so that every case can be tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SILENCE_SECONDS = 30.0
"""A replica that computes may answer late. Only after this long without an answer is a pod taken out."""

STARTING = "the evaluator starts"


@dataclass(frozen=True)
class Look:
    """One look at the evaluator.

    Attributes:
        reports: of each replica that answered.
        dead: whether a replica was found dead, or is not there.
        answered: whether a real call came back over gRPC.
        why: what failed, when something did.
    """

    reports: tuple[Mapping[str, Any], ...] = ()
    dead: bool = False
    answered: bool = False
    why: str = ""


class Readiness:
    """Decides whether calls may come, and whether a restart would help.

    Args:
        replicas: how many there should be.
        live_seconds: without an answer for this long it is not live.
        now: seconds of a monotonic clock.
    """

    def __init__(self, replicas: int, live_seconds: float, now: float) -> None:
        self._replicas = replicas
        self._live_seconds = live_seconds
        self._last_answer = now
        self.ready = False
        self.live = True
        self.reasons: tuple[str, ...] = (STARTING,)

    def take(self, look: Look, now: float) -> None:
        """Takes the next look into account."""
        reasons = self._reasons(look)
        if look.answered:
            self._last_answer = now
        silent = now - self._last_answer
        self.live = silent < self._live_seconds
        if self.ready and reasons and not look.dead and not _cold(look.reports) and silent < SILENCE_SECONDS:
            return  # late, not gone
        self.ready = not reasons
        self.reasons = reasons

    def _reasons(self, look: Look) -> tuple[str, ...]:
        faults = {fault: None for report in look.reports for fault in report["faults"] if not report["warm"]}
        if faults:
            return tuple(faults)
        if len(look.reports) < self._replicas:
            return (look.why or f"{len(look.reports)} of {self._replicas} replicas answer",)
        if _cold(look.reports):
            return ("backbones are being loaded",)
        return () if look.answered else (look.why or STARTING,)


def _cold(reports: Sequence[Mapping[str, Any]]) -> bool:
    return any(not report["warm"] for report in reports)
