"""The system as it comes up, scores the demo bundle, and answers others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import docker.errors
import pytest
from container_system.engine import LABEL_PROJECT, ROOT
from container_system.scores import assert_equal_scores, exact
from container_system.starting import Milestones
from container_system.system import EVALUATORS, System

CALLER = Path(__file__).parent / "caller"


def test_healthy_in_order(system: System, milestones: Milestones, numbers: dict[str, Any]) -> None:
    began = {service: milestones.first(service, "start") for service in (*EVALUATORS.values(), "orchestrator")}
    ready = {service: milestones.first(service, "healthy") for service in ("database", *EVALUATORS.values(), "orchestrator")}
    weights = milestones.first("weights", "die")
    assert weights <= min(began[service] for service in EVALUATORS.values()), "evaluators wait for the weights"
    assert ready["database"] <= began["orchestrator"], "the orchestrator waits for its journal"
    assert max(ready[service] for service in EVALUATORS.values()) <= began["orchestrator"], "and for the evaluators"
    start = min(when for when, _, _ in milestones.seen)
    numbers["ready_seconds"] = {service: round(when - start, 1) for service, when in ready.items()}


def test_demo_through_containers_gives_the_scores_of_the_embedded_mode(system: System, reference: dict[str, Any], numbers: dict[str, Any]) -> None:
    system.forget()
    report = system.run("demo")
    assert_equal_scores(report, reference)
    numbers["demo"] = {"same_bits": exact(report, reference), "tasks": report["coverage"]["scored"]}


def test_a_second_run_scores_nothing_again(system: System, reference: dict[str, Any]) -> None:
    before = system.journalled()
    report = system.run("demo-again")
    assert_equal_scores(report, reference)
    assert sum(task["shards_reused"] for task in report["tasks"]) == sum(task["shards"] for task in report["tasks"]) > 0
    assert system.journalled() == before


def wanted(names: tuple[str, ...]) -> str:
    """Blocks of requirements.lock: pins and hashes of a few packages."""
    blocks: dict[str, list[str]] = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            blocks[name := line.split("==")[0]] = []
        if blocks:
            blocks[name].append(line)
    return "\n".join("\n".join(blocks[name]) for name in names) + "\n"


@pytest.fixture(scope="session")
def caller(engine: Any, bases: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image with grpcio, protobuf and the generated contract, and nothing of ours."""
    context = tmp_path_factory.mktemp("caller")
    for name in ("Dockerfile", "call.py"):
        shutil.copy(CALLER / name, context)
    shutil.copytree(ROOT / "protos" / "python" / "genlevel", context / "genlevel", ignore=shutil.ignore_patterns("__pycache__"))
    (context / "wanted.txt").write_text(wanted(("grpcio", "protobuf", "typing-extensions")))
    tag = "genlevel-test/caller:1"
    engine.images.build(path=str(context), tag=tag, network_mode="host", buildargs={"BASE_IMAGE": bases["python"]}, rm=True)
    return tag


def test_a_program_with_the_contract_alone_calls_an_evaluator(engine: Any, system: System, caller: str) -> None:
    output = engine.containers.run(
        caller, ["python3", "call.py", "eval-language:9000", "eval-3d:9000"], network=system.project.network().name, read_only=True,
        cap_drop=["ALL"], remove=True,
    )  # fmt: skip
    answers = json.loads(output)
    assert answers["absent"] == ["genlevel_evaluator", "genlevel_orchestrator", "ray", "numpy"]
    assert answers["language"]["evaluator"] == "language"
    assert "accuracy" in answers["language"]["metrics"]
    assert (answers["language"]["value"], answers["language"]["unit"], answers["language"]["issues"]) == (50.0, "percent", 0)
    # Every point has its counterpart at distance 5, both ways; each blob needs two chunks.
    assert answers["three_d"] == {"value": 50.0, "expected": 1, "issues": [], "bytes": answers["three_d"]["bytes"]}
    assert answers["three_d"]["bytes"] > 1 << 20


def test_weights_are_fetched_where_there_are_none(engine: Any, images: dict[str, str], system: System) -> None:
    """The smallest entry, by the command of the one-shot container, on the one network that reaches the world."""
    project = system.project
    volume = engine.volumes.create(labels={LABEL_PROJECT: project.name})
    common = {"read_only": True, "cap_drop": ["ALL"], "tmpfs": {"/tmp": "size=1g,mode=1777"}, "remove": True}
    cache = {"bind": "/var/lib/genlevel/cache"}
    fetch, verify = (["genlevel", "weights", verb, "dnsmos"] for verb in ("fetch", "verify"))
    with pytest.raises(docker.errors.ContainerError):
        engine.containers.run(images["orchestrator"], verify, network_mode="none", volumes={volume.name: {**cache, "mode": "ro"}}, **common)
    engine.containers.run(images["orchestrator"], fetch, network=f"{project.name}_outside", volumes={volume.name: {**cache, "mode": "rw"}}, **common)
    engine.containers.run(images["orchestrator"], verify, network_mode="none", volumes={volume.name: {**cache, "mode": "ro"}}, **common)
