"""The plans of services.toml: numbers from four places, and no mistake in silence."""

from __future__ import annotations

import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest

from genlevel_evaluator.serve.plan import PACKAGED, ServicePlan, ServicesError, plan_of

NAMES = ("language", "image", "video", "audio", "three_d")


def plan(tmp_path: Path, text: str, name: str = "video") -> ServicePlan:
    path = tmp_path / "services.toml"
    path.write_text(text)
    return plan_of(name, {"GENLEVEL_SERVICES": str(path)})


def test_the_packaged_file_says_everything_once() -> None:
    tables = tomllib.loads(PACKAGED.read_text())
    for name in NAMES:
        found = asdict(plan_of(name, {}))
        expected = {**tables["defaults"], **tables[name]}
        own = tables[name].get("backbones", {})
        shared = {**tables["defaults"]["backbones"], **{key: value for key, value in own.items() if not isinstance(value, dict)}}
        expected["cluster"] = {**tables["defaults"]["cluster"], **tables[name].get("cluster", {})}
        expected["backbones"] = shared
        expected["own_backbones"] = {key: {**shared, **value} for key, value in own.items() if isinstance(value, dict)}
        assert found == expected


def test_what_a_file_leaves_out_is_taken_from_the_package(tmp_path: Path) -> None:
    own = plan(tmp_path, "[defaults]\nreplicas = 2\n[video]\nmax_queued_requests = 7\n[video.backbones]\nmax_replicas = 9\n")
    packaged = plan_of("video", {})
    assert (own.replicas, own.max_queued_requests, own.backbones.max_replicas) == (2, 7, 9)
    assert own.backbones.num_gpus == packaged.backbones.num_gpus == 1
    assert own.cluster == packaged.cluster
    assert own.drain_seconds == packaged.drain_seconds


def test_a_plan_survives_being_written_and_read(tmp_path: Path) -> None:
    tables = {"": asdict(plan_of("video", {}))}
    for part in ("cluster", "backbones"):
        tables[f".{part}"] = tables[""].pop(part)
    tables |= {f'.backbones."{network}"': table for network, table in tables[""].pop("own_backbones").items()}
    text = "".join(f"[video{part}]\n" + "".join(f"{key} = {value}\n" for key, value in table.items()) for part, table in tables.items())
    assert plan(tmp_path, text) == plan_of("video", {})


def test_the_tables_of_a_file_go_before_the_package_in_either_table(tmp_path: Path) -> None:
    # The package's own table for video asks for one GPU; the file's defaults take that away.
    assert plan(tmp_path, "[defaults.backbones]\nnum_gpus = 0\n").backbones.num_gpus == 0


def test_a_network_with_a_table_of_its_own_takes_the_rest_from_the_others(tmp_path: Path) -> None:
    own = plan(tmp_path, "[video.backbones]\nmax_replicas = 9\nupscale_delay_s = 2\n[video.backbones.r3d_18]\nnum_gpus = 0\nmax_replicas = 3\n")
    network = own.own_backbones["r3d_18"]
    assert (network.num_gpus, network.max_replicas, network.upscale_delay_s) == (0, 3, 2)
    assert network.target_ongoing_requests == own.backbones.target_ongoing_requests
    assert own.backbones.max_replicas == 9
    assert own.own_backbones.keys() >= {"r3d_18", *plan_of("video", {}).own_backbones}
    assert plan(tmp_path, "[video.backbones.r3d_18]\n", "audio").own_backbones == {}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[video]\nreplica = 1\n", ("video.replica", "no such key", "did you mean replicas?")),
        ("[vidoe]\nreplicas = 1\n", ("vidoe", "no evaluator", "did you mean video?")),
        ("[video]\nreplicas = 'two'\n", ("video.replicas", "'two'", "whole number of at least 1")),
        ("[video]\nreplicas = 1.5\n", ("video.replicas", "1.5", "whole number")),
        ("[video]\nreplicas = true\n", ("video.replicas", "True", "whole number")),
        ("[video]\nreplicas = 0\n", ("video.replicas", "at least 1")),
        ("[video]\ndrain_seconds = -1\n", ("video.drain_seconds", "at least 0")),
        ("[video]\ndrain_seconds = nan\n", ("video.drain_seconds", "nan")),
        ("[video]\nrequest_timeout_s = inf\n", ("video.request_timeout_s", "inf")),
        ("[audio.backbones]\ngpus = 1\n", ("audio.backbones.gpus", "did you mean num_gpus?")),
        ("[video.backbones.i3d]\ngpus = 1\n", ("video.backbones.i3d.gpus", "did you mean num_gpus?")),
        ("[video.backbones]\ni3d = 1\n", ("video.backbones.i3d", "no such key")),
        ("[video.backbones.i3d]\nmin_replicas = 99\n", ("video.backbones.i3d", "min_replicas = 99", "raise max_replicas")),
        ("[video.backbones.i3d.more]\nnum_cpus = 1\n", ("video.backbones.i3d.more", "no such key")),
        ("[defaults.backbones.i3d]\nnum_cpus = 1\n", ("defaults.backbones.i3d", "no such key")),
        ("[video.cluster.i3d]\nnum_cpus = 1\n", ("video.cluster.i3d", "no such key")),
        ("[audio]\nbackbones = 1\n", ("audio.backbones", "not a table")),
        ("video = 3\n", ("video", "not a table")),
        ("[video.cluster]\nmin_replicas = 9\n", ("video.cluster", "min_replicas = 9", "raise max_replicas")),
        ("[video\n", ("not TOML",)),
    ],
)
def test_mistakes_name_file_key_and_remedy(tmp_path: Path, text: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(ServicesError) as caught:
        plan(tmp_path, text)
    message = str(caught.value)
    assert "\n" not in message
    for part in (str(tmp_path / "services.toml"), *parts):
        assert part in message


def test_mistakes_of_another_evaluator_count_too(tmp_path: Path) -> None:
    with pytest.raises(ServicesError, match=r"audio\.replicas"):
        plan(tmp_path, "[audio]\nreplicas = 0\n")


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ServicesError, match=r"/nowhere/services\.toml.*GENLEVEL_SERVICES"):
        plan_of("video", {"GENLEVEL_SERVICES": "/nowhere/services.toml"})


def test_an_evaluator_nobody_knows() -> None:
    with pytest.raises(ServicesError, match="did you mean video"):
        plan_of("vide0", {})
