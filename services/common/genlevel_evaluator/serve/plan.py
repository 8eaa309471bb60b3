"""How Serve runs an evaluator: `services.toml`, checked strictly.

A value is looked for in four places, in this order: the evaluator's table in the file GENLEVEL_SERVICES names, the `defaults` of that
file, and the same two in the file of this package.

>>> plan_of("video").backbones.num_gpus, plan_of("video").cluster.num_gpus
(1.0, 0.0)
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

from genlevel_evaluator.evaluator import installed

VARIABLE = "GENLEVEL_SERVICES"
PACKAGED = Path(__file__).with_name("services.toml")
DEFAULTS = "defaults"

Tables = Mapping[str, Mapping[str, Any]]


class ServicesError(ValueError):
    """A file of services that says something we do not understand: file, key and remedy in one line."""


def at_least(minimum: float) -> Any:
    """A field that is never smaller."""
    return field(metadata={"minimum": minimum})


@dataclass(frozen=True)
class Scaling:
    """How Serve scales a deployment over the nodes of a Ray cluster.

    Attributes:
        num_cpus: logical CPUs a replica asks of Ray.
        num_gpus: GPUs a replica asks of Ray.
        min_replicas: fewest replicas; 0 scales to zero.
        max_replicas: most replicas.
        target_ongoing_requests: calls in work that a replica is meant to have.
        upscale_delay_s: seconds of load before a replica is added.
        downscale_delay_s: seconds without load before a replica is taken away.
        downscale_to_zero_delay_s: the same for the last one.
    """

    num_cpus: float = at_least(0)
    num_gpus: float = at_least(0)
    min_replicas: int = at_least(0)
    max_replicas: int = at_least(1)
    target_ongoing_requests: float = at_least(0.1)
    upscale_delay_s: float = at_least(0)
    downscale_delay_s: float = at_least(0)
    downscale_to_zero_delay_s: float = at_least(0)


@dataclass(frozen=True, kw_only=True)
class ServicePlan:
    """How Serve runs one evaluator.

    Attributes:
        replicas: Serve replicas in a pod.
        parallel_shards: shards a replica works on at once.
        max_ongoing_requests: calls a replica admits.
        max_queued_requests: calls that wait in front of the replicas.
        request_timeout_s: after which Serve ends a call.
        graceful_shutdown_timeout_s: how long a shutdown waits for calls in flight.
        drain_seconds: how long a pod that is told to end still takes calls.
        live_seconds: how long a pod may stay without an answer before it is to be restarted.
        health_check_period_s: between Serve's own looks at a replica.
        health_check_timeout_s: how long such a look may take.
        cluster: scaling of the evaluator where Ray spans pods.
        backbones: scaling of its networks where they are split off.
        own_backbones: the same for networks that get a deployment of their own, by name; `[video.backbones.i3d]` in the file.
    """

    replicas: int = at_least(1)
    parallel_shards: int = at_least(1)
    max_ongoing_requests: int = at_least(1)
    max_queued_requests: int = at_least(1)
    request_timeout_s: float = at_least(1)
    graceful_shutdown_timeout_s: float = at_least(0)
    drain_seconds: float = at_least(0)
    live_seconds: float = at_least(10)
    health_check_period_s: float = at_least(1)
    health_check_timeout_s: float = at_least(1)
    cluster: Scaling
    backbones: Scaling
    own_backbones: Mapping[str, Scaling] = field(default_factory=dict)


_PARTS = ("cluster", "backbones")
_PLAIN = tuple(f for f in fields(ServicePlan) if f.name not in (*_PARTS, "own_backbones"))


def plan_of(name: str, environment: Mapping[str, str] = os.environ) -> ServicePlan:
    """The plan of an evaluator.

    Raises:
        ServicesError: no such file, a key that is unknown, a value of the wrong kind, an evaluator that is not known.
    """
    given = environment.get(VARIABLE)
    files = [Path(given), PACKAGED] if given else [PACKAGED]
    names = _known()
    layers = [layer for path in files for layer in _layers(read(path, names), name)]
    if name not in names:
        raise ServicesError(f"no evaluator is named {name!r}; {_hint(name, names)}")
    parts = {part: _scaling([layer.get(part, {}) for layer in layers]) for part in _PARTS}
    shared = [layer.get("backbones", {}) for layer in layers]
    own = {network: _scaling([*(layer.get(network, {}) for layer in shared), *shared]) for network in _networks(shared)}
    for part, scaling in (parts | {f"backbones.{network}": scaling for network, scaling in own.items()}).items():
        if scaling.min_replicas > scaling.max_replicas:
            raise ServicesError(
                f"{files[0]}: {name}.{part}: min_replicas = {scaling.min_replicas} is more than max_replicas = {scaling.max_replicas};"
                " raise max_replicas"
            )
    return ServicePlan(**_first(_PLAIN, layers), cluster=parts["cluster"], backbones=parts["backbones"], own_backbones=own)


def _scaling(layers: Sequence[Mapping[str, Any]]) -> Scaling:
    return Scaling(**_first(fields(Scaling), layers))


def _networks(shared: Sequence[Mapping[str, Any]]) -> list[str]:
    """Networks that have a table of their own in any file."""
    return sorted({key for layer in shared for key, value in layer.items() if isinstance(value, Mapping)})


def _known() -> list[str]:
    with PACKAGED.open("rb") as file:
        return sorted({*tomllib.load(file), *installed()} - {DEFAULTS})


def _layers(tables: Tables, name: str) -> list[Mapping[str, Any]]:
    return [tables.get(name, {}), tables.get(DEFAULTS, {})]


def _first(wanted: Sequence[Field[Any]], layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The plain values of some fields, each from the first table that has it."""
    return {f.name: next(layer[f.name] for layer in layers if f.name in layer) for f in wanted}


def read(path: Path, names: Sequence[str]) -> Tables:
    """The checked tables of a file.

    Raises:
        ServicesError: see `plan_of`.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ServicesError(f"{path}: {error.strerror or error}; {VARIABLE} must name a readable file") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ServicesError(f"{path}: not TOML: {error}; correct it there") from None
    for name, table in tables.items():
        if name not in (DEFAULTS, *names):
            raise ServicesError(f"{path}: {name}: no evaluator has this name; {_hint(name, (DEFAULTS, *names))}")
        tables[name] = _checked(path, name, table, _PLAIN, _PARTS)
    return tables


def _checked(path: Path, where: str, table: Any, wanted: Sequence[Field[Any]], parts: Sequence[str] = (), inner: bool = False) -> dict[str, Any]:
    """A table of numbers.

    Args:
        path: of the file.
        where: name of the table in messages.
        table: as it was read.
        wanted: its numbers.
        parts: its tables of scaling.
        inner: whether it may hold tables of scaling under names of networks.
    """
    if not isinstance(table, dict):
        raise ServicesError(f"{path}: {where} is not a table; write [{where}] and its keys below")
    known = {f.name: f for f in wanted}
    result: dict[str, Any] = {}
    for key, value in table.items():
        if key in parts:
            result[key] = _checked(path, f"{where}.{key}", value, fields(Scaling), inner=key == "backbones" and where != DEFAULTS)
        elif inner and isinstance(value, dict):
            result[key] = _checked(path, f"{where}.{key}", value, fields(Scaling))
        elif key not in known:
            raise ServicesError(f"{path}: {where}.{key}: no such key; {_hint(key, [*known, *parts])}")
        else:
            result[key] = _number(path, f"{where}.{key}", value, known[key].type == "int", known[key].metadata["minimum"])
    return result


def _number(path: Path, where: str, value: Any, whole: bool, minimum: float) -> int | float:
    wanted = f"a {'whole ' if whole else ''}number of at least {minimum:g}"
    right = isinstance(value, int) if whole else isinstance(value, int | float)
    # True is an int for Python, and not-a-number is below nothing.
    if isinstance(value, bool) or not right or not minimum <= value < float("inf"):
        raise ServicesError(f"{path}: {where} = {value!r} is not {wanted}; give one, or leave the key out")
    return int(value) if whole else float(value)


def _hint(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
