"""Containers die in mid-run, and the run ends with the same scores."""

from __future__ import annotations

import time
from typing import Any

import pytest
from container_system.engine import OUTPUT, Broken, inspected, until
from container_system.scores import assert_equal_scores
from container_system.single import kill_main_process
from container_system.system import GENLEVEL, SPEECH, System, background, read_report


def current_run(system: System, known: set[str]) -> str:
    """The run that was not there before."""

    def look() -> str | None:
        with system.client() as client:
            return next((run.name for run in client.list_runs() if run.name not in known), None)

    return until("the orchestrator knows the run", 60, look)


def names_of_runs(system: System) -> set[str]:
    """All runs the orchestrator knows."""
    with system.client() as client:
        return {run.name for run in client.list_runs()}


def first_shard(system: System, run: str) -> None:
    """Return when the journal holds the first shard of a run, and more are to come."""
    with system.client() as client:
        for event in client.watch_run(run):
            if event.kind == "shard_done":
                assert event.run.shards_done < len(SPEECH), "the run is at its end: there is no middle to kill in"
                return
    raise Broken(f"run {run} ended before any shard was done")


@pytest.fixture
def fresh(system: System) -> set[str]:
    """A journal without shards; the runs it knows."""
    system.forget()
    return names_of_runs(system)


def interrupted(system: System, known: set[str], name: str, kill: Any) -> tuple[dict[str, Any], dict[str, str], dict[str, str], float]:
    """A run by the command line, with `kill` called after its first shard.

    Returns:
        the report, the shards journalled before the kill and at the end, seconds from the kill to the end.
    """
    output = OUTPUT / system.project.name / name
    command = [str(GENLEVEL), *system.run_arguments(output, SPEECH)]
    log = output.with_suffix(".log")
    with background(command, system.environment(), log) as process:
        try:
            run = current_run(system, known)
            first_shard(system, run)
            before = system.journalled()
            killed = time.monotonic()
            kill()
            status = process.wait(timeout=300)
        except Exception as error:
            raise Broken(f"{error}\n--- the client ---\n{log.read_text()[-3000:]}") from error
    assert status == 0, f"the watching client ended with {status}:\n{log.read_text()[-3000:]}\n{system.project.culprits()}"
    return read_report(output), before, system.journalled(), time.monotonic() - killed


def test_an_evaluator_dies(engine: Any, images: dict[str, str], system: System, fresh: set[str], reference: dict[str, Any], numbers: dict[str, Any]) -> None:
    audio = system.project.container("eval-audio")
    began = inspected(audio)["StartedAt"]

    def kill() -> None:
        kill_main_process(engine, audio, images["orchestrator"])
        # The restart policy of the compose file starts it again.
        until("the evaluator was started again", 60, lambda: inspected(audio)["StartedAt"] != began and inspected(audio)["Running"])

    report, before, after, seconds = interrupted(system, fresh, "evaluator-dies", kill)
    assert_equal_scores(report, reference, SPEECH)
    assert 0 < len(before) < len(after)
    assert {key: after[key] for key in before} == before, "what was journalled is not scored again"
    numbers["evaluator_dies"] = {"seconds_to_the_end": round(seconds, 1), "shards_kept": len(before), "shards": len(after)}


def test_the_orchestrator_dies(engine: Any, images: dict[str, str], system: System, fresh: set[str], reference: dict[str, Any], numbers: dict[str, Any]) -> None:
    orchestrator = system.project.container("orchestrator")
    began = inspected(orchestrator)["StartedAt"]
    finished: set[str] = set()

    def kill() -> None:
        kill_main_process(engine, orchestrator, images["orchestrator"])
        finished.update(system.finished())  # the next one needs a second to start, and longer to find the run
        until("the orchestrator was started again", 60, lambda: inspected(orchestrator)["StartedAt"] != began and inspected(orchestrator)["Running"])

    report, before, after, seconds = interrupted(system, fresh, "orchestrator-dies", kill)
    assert_equal_scores(report, reference, SPEECH)
    assert {key: after[key] for key in before} == before, "what was journalled is not scored again"
    # Each task has one shard. A task whose result was journalled too is not looked at again; the shards of the others are reused.
    reused = sum(task["shards_reused"] for task in report["tasks"])
    assert len(finished) + reused >= len(before) > 0
    numbers["orchestrator_dies"] = {
        "seconds_to_the_end": round(seconds, 1), "tasks_kept": len(finished), "shards_reused": reused, "shards": len(after),
    }  # fmt: skip
