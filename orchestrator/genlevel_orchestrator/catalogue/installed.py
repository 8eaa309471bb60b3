"""Which metrics the installed evaluators offer, found without starting or importing any heavy part."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any

GROUP = "genlevel.evaluators"


@dataclass(frozen=True)
class InstalledMetrics:
    """The (evaluator, metric id) pairs on this machine, and the evaluators that failed to answer."""

    pairs: frozenset[tuple[str, str]]
    broken: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)
def installed_metrics() -> InstalledMetrics:
    """Ask every installed evaluator which metrics it offers.

    An entry point of the group names the evaluator and leads to an object with ``metric_ids``. An evaluator that cannot be
    imported is listed as broken instead of hiding the others.
    """
    pairs: set[tuple[str, str]] = set()
    broken: list[tuple[str, str]] = []
    for entry in entry_points(group=GROUP):
        try:
            metric_ids = entry.load().metric_ids
            pairs.update((entry.name, str(metric_id)) for metric_id in metric_ids)
        except Exception as error:
            broken.append((entry.name, f"{type(error).__name__}: {error}"))
    return InstalledMetrics(frozenset(pairs), tuple(broken))


def describe_implementation(evaluator: str, metric_id: str) -> dict[str, Any] | None:
    """Return what an installed evaluator says of a metric: version, unit, input kind and parameters with defaults.

    Imports the metric's module, which the list of metrics never does. None when the evaluator is not installed or the
    module cannot be imported.
    """
    for entry in entry_points(group=GROUP):
        if entry.name != evaluator:
            continue
        try:
            metric = entry.load().metric(metric_id)
        except Exception:  # whatever a foreign module raises: there is nothing to describe
            return None
        return {
            "version": metric.version,
            "unit": metric.unit,
            "input_kind": metric.input_kind,
            "pooling": metric.pooling,
            "parameters": _parameters(metric.parameters),
        }
    return None


def _parameters(declared: Any) -> dict[str, Any]:
    return {
        field.name: {
            "type": field.type if isinstance(field.type, str) else str(field.type),
            "default": None if field.default is dataclasses.MISSING else field.default,
        }
        for field in dataclasses.fields(declared)
    }
