"""Parts of the deployed mode that need no Ray: processors, log lines, warm-up, refusals, the KubeRay configuration."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from genlevel_evaluator import weights
from genlevel_evaluator.evaluator import Evaluator, load
from genlevel_evaluator.serve import kuberay, processors
from genlevel_evaluator.serve.local_ray import resolved
from genlevel_evaluator.serve.logs import MOST_LINES, ServeLogs
from genlevel_evaluator.serve.plan import plan_of
from genlevel_evaluator.serve.warm_up import RETRY_SECONDS, WarmUp


def group(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/").replace("cpu_max", "cpu.max").replace("cfs", "cpu.cfs")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n")
    return tmp_path


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu_max": "100000 100000"}, 1),
        ({"cpu_max": "50000 100000"}, 1),
        ({"cpu_max": "150000 100000"}, 2),
        ({"cpu_max": "max 100000"}, 64),
        ({"cpu__cfs_quota_us": "300000", "cpu__cfs_period_us": "100000"}, 3),
        ({"cpu__cfs_quota_us": "-1", "cpu__cfs_period_us": "100000"}, 64),
        ({}, 64),
    ],
)
def test_processors_of_a_limited_container(files: dict[str, str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    assert processors.count(group(tmp_path, **files)) == expected


def test_threads_are_limited_unless_the_user_said_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "count", lambda: 3)
    monkeypatch.setattr(os, "environ", {"MKL_NUM_THREADS": "7", "OPENBLAS_NUM_THREADS": "1"})  # a copy: nothing is left for other tests
    processors.limit_threads()
    assert os.environ == {"OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "7", "OPENBLAS_NUM_THREADS": "1"}


@pytest.mark.parametrize(("replicas", "threads"), [(1, "6"), (2, "3"), (4, "1"), (9, "1")])
def test_replicas_share_the_processors(replicas: int, threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "count", lambda: 6)
    monkeypatch.setattr(os, "environ", {})
    processors.limit_threads(replicas)
    assert set(os.environ.values()) == {threads}


def test_log_lines_that_matter_are_passed_on_once(tmp_path: Path) -> None:
    folder = tmp_path / "session_latest" / "logs" / "serve"
    folder.mkdir(parents=True)
    log = folder / "replica.log"
    got: list[str] = []
    logs = ServeLogs(str(tmp_path), got.append)
    logs.forward()
    log.write_text("INFO a\nERROR b\nTraceback\n  line\nWARNING c\nINFO d\nWARNING unfin")
    logs.forward()
    assert got == ["ERROR b", "Traceback", "  line", "WARNING c"]
    with log.open("a") as file:
        file.write("ished\n")
    logs.forward()
    logs.forward()
    assert got[4:] == ["WARNING unfinished"]
    log.rename(folder / "replica.log.1")  # rotated: the new file begins again
    log.write_text("ERROR e\n" * (MOST_LINES + 2))
    logs.forward()
    assert len(got[5:]) == MOST_LINES + 1
    assert got[-1] == "2 more lines in replica.log"


def test_roots_are_full_paths_and_urls_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolved("media") == str(tmp_path.resolve() / "media")
    assert resolved("s3://bucket/media") == "s3://bucket/media"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def tried(warm_up: WarmUp) -> None:
    warm_up.begin()
    task = warm_up._task
    if task is not None:
        await task


@pytest.fixture
def fresh() -> Evaluator:
    """Video with FVD's networks alone, none of them loaded, as a new process has it."""
    video = replace(load("video"), _extractors={})
    video.__dict__["backbones"] = {name: load("video").backbones[name] for name in ("i3d", "r3d_18")}
    return video


@pytest.mark.weights
def test_late_weights_are_found_at_the_next_try(tmp_path: Path, fresh: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    have = weights.weights_root()
    monkeypatch.setenv("GENLEVEL_CACHE_DIR", str(tmp_path))
    clock = Clock()
    warm_up = WarmUp(fresh, clock)

    async def story() -> None:
        await tried(warm_up)
        (fault,) = warm_up.faults  # r3d_18 is not among them: its weights are not the manifest's to fetch
        assert fault.startswith(f"backbone i3d: the weights i3d-kinetics-400 are not in {tmp_path}/weights, file {tmp_path}/weights/")
        assert "genlevel weights fetch i3d-kinetics-400" in fault
        (tmp_path / "weights").symlink_to(have)
        clock.now += RETRY_SECONDS - 1
        await tried(warm_up)
        assert not warm_up.done  # not yet due
        clock.now += 1
        await tried(warm_up)

    asyncio.run(story())
    assert warm_up.done
    assert (warm_up.loaded, warm_up.faults) == (("i3d",), ())


@pytest.mark.weights
def test_a_network_that_cannot_be_loaded_is_named(fresh: Evaluator) -> None:
    def build() -> object:
        raise OSError("libtorch_cpu.so:\ncannot open")

    broken = replace(fresh.backbones["i3d"], build=build)  # type: ignore[arg-type]
    fresh.__dict__["backbones"] = {"i3d": broken}
    warm_up = WarmUp(fresh)
    asyncio.run(tried(warm_up))
    (fault,) = warm_up.faults
    assert "backbone i3d cannot be loaded: OSError: libtorch_cpu.so: cannot open" in fault
    assert "genlevel weights verify i3d-kinetics-400" in fault
    assert "\n" not in fault


def test_an_evaluator_without_networks_is_warm_at_once() -> None:
    assert WarmUp(load("language")).done


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "genlevel_evaluator.serve.deployed", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment})


@pytest.mark.parametrize(
    ("arguments", "environment", "parts"),
    [
        (["--evaluator", "vidio"], {}, ("'vidio'", "installed:")),
        ([], {"GENLEVEL_EVALUATOR": ""}, ("''", "installed:")),
        (["--evaluator", "video"], {"GENLEVEL_CACHE_DIR": "/nowhere/cache"}, ("/nowhere/cache", "mount the volume")),
        (["--evaluator", "language"], {"GENLEVEL_SERVICES": "/nowhere/services.toml"}, ("/nowhere/services.toml", "readable file")),
        (["--evaluator", "language", "--roots", "nosuch://bucket/x"], {}, ("nosuch",)),
        (["--evaluator", "language"], {"GENLEVEL_MEDIA_CACHE_BYTES": "4GiB"}, ("GENLEVEL_MEDIA_CACHE_BYTES=4GiB", "not a number of bytes")),
    ],
)
def test_what_cannot_work_is_one_line_and_a_status(arguments: list[str], environment: dict[str, str], parts: tuple[str, ...]) -> None:
    found = run(*arguments, **environment)
    assert found.returncode == 2
    assert found.stdout == ""
    (line,) = [text for text in found.stderr.splitlines() if "WARNING root" not in text]
    for part in ("ERROR", *parts):
        assert part in line


def test_a_taken_port_is_one_line_and_a_status() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = str(listener.getsockname()[1])
        for option in ("--port", "--health-port"):
            found = run("--evaluator", "language", option, port)
            assert found.returncode == 2
            assert f"cannot listen on port {port}" in found.stderr
            assert option in found.stderr
            assert len(found.stderr.splitlines()) == 1


def test_serve_configuration_passes_rays_own_schema() -> None:
    from ray.serve.schema import ServeDeploySchema

    for name in ("language", "image", "video", "audio", "three_d"):
        splits = (False, True) if load(name).has_backbones else (False,)
        for split in splits:
            config = kuberay.serve_config(name, ["s3://bucket/media"], split)
            checked = ServeDeploySchema.model_validate(config)
            assert checked.model_dump(exclude_unset=True)["applications"][0]["args"]["split"] is split
            own = [f"{name}-backbones-{network}" for network in plan_of(name, {}).own_backbones]
            assert [d.name for d in checked.applications[0].deployments] == ([name, f"{name}-backbones", *own] if split else [name])


def test_only_the_networks_of_video_ask_for_a_gpu_and_scale_to_zero() -> None:
    application = kuberay.serve_config("video", split=True)["applications"][0]
    evaluator, networks, *own = application["deployments"]
    assert len(own) >= 8
    assert all(one["autoscaling_config"] == {**networks["autoscaling_config"], "max_replicas": 2} for one in own)
    assert evaluator["ray_actor_options"]["num_gpus"] == 0
    assert networks["ray_actor_options"]["num_gpus"] == 1
    assert (evaluator["autoscaling_config"]["min_replicas"], networks["autoscaling_config"]["min_replicas"]) == (1, 0)


def test_the_printed_configuration_is_always_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    kuberay.main(["--evaluator", "video", "--split", "--roots", "/data"])
    first = capsys.readouterr().out
    kuberay.main(["--evaluator", "video", "--split", "--roots", "/data"])
    assert capsys.readouterr().out == first
    assert yaml.safe_load(first) == kuberay.serve_config("video", ["/data"], True)
    with pytest.raises(SystemExit, match="no backbones"):
        kuberay.main(["--evaluator", "language", "--split"])
