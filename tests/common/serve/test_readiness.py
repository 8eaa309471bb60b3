"""When calls may come, and when a restart would help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlevel_evaluator.serve.readiness import SILENCE_SECONDS, Look, Readiness

LIVE_SECONDS = 100.0


def report(name: str = "r", *faults: str, warm: bool = True) -> Mapping[str, Any]:
    return {"replica": name, "warm": warm and not faults, "faults": faults, "loaded": (), "in_flight": 0}


WELL = Look((report(),), answered=True)
GONE = Look(dead=True, why="no replica runs")
LATE = Look(why="late")


def taken(*looks: tuple[float, Look], replicas: int = 1) -> Readiness:
    state = Readiness(replicas, LIVE_SECONDS, 0.0)
    for now, look in looks:
        state.take(look, now)
    return state


def test_it_begins_live_and_not_ready() -> None:
    state = taken()
    assert (state.ready, state.live) == (False, True)
    assert state.reasons


def test_ready_needs_warm_replicas_and_an_answer() -> None:
    assert taken((1, WELL)).ready
    assert taken((1, Look((report(warm=False),), answered=True))).reasons == ("backbones are being loaded",)
    assert taken((1, Look((report(),), why="no answer over gRPC"))).reasons == ("no answer over gRPC",)
    assert not taken((1, WELL), replicas=2).ready
    assert taken((1, Look((report("a"), report("b")), answered=True)), replicas=2).ready


def test_faults_are_said_once_for_all_replicas() -> None:
    look = Look((report("a", "no weights"), report("b", "no weights", "bad file")), answered=True)
    assert taken((1, look), replicas=2).reasons == ("no weights", "bad file")


def test_a_dead_replica_is_not_ready_at_once() -> None:
    state = taken((1, WELL), (2, GONE))
    assert (state.ready, state.live, state.reasons) == (False, True, ("no replica runs",))
    # Its successor must warm up again.
    state.take(Look((report(warm=False),), answered=True), 3)
    assert not state.ready
    state.take(WELL, 4)
    assert state.ready


def test_a_late_answer_is_borne_for_a_while() -> None:
    state = taken((1, WELL), (1 + SILENCE_SECONDS - 1, LATE))
    assert state.ready
    state.take(LATE, 1 + SILENCE_SECONDS + 1)
    assert not state.ready
    assert state.live


def test_live_fails_after_its_own_longer_time_and_comes_back() -> None:
    state = taken((1, WELL), (1 + LIVE_SECONDS + 1, GONE))
    assert not state.live
    state.take(WELL, 300)
    assert state.live
    assert state.ready


def test_an_evaluator_that_never_answers_is_not_live_in_the_end() -> None:
    assert taken((LIVE_SECONDS - 1, LATE)).live
    assert not taken((LIVE_SECONDS + 1, LATE)).live


def test_missing_weights_never_make_it_restart() -> None:
    look = Look((report("a", "no weights"),), answered=True)
    assert taken((LIVE_SECONDS * 3, look), (LIVE_SECONDS * 6, look)).live
