"""An evaluator: its name, its metrics, its decoders and its backbones, each loaded on first use."""

from __future__ import annotations

import difflib
import importlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import entry_points
from typing import Any

from genlevel_evaluator.backbones import Backbone, Extractor, FeatureProvider
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.kinds import InputKind
from genlevel_evaluator.metric import Metric

GROUP = "genlevel.evaluators"


@dataclass(frozen=True)
class Evaluator:
    """What a service declares in its app.py; nothing heavy is imported until it is needed.

    Attributes:
        name: language, image, video, audio or three_d.
        package: Python package; metrics are `<package>.metrics.<id>`, `<package>.decode.KINDS` are the input kinds and
            `<package>.backbones.BACKBONES` the networks (a service without networks has no such module and says so).
        metric_ids: all metrics.
        has_backbones: whether the package has a `backbones` module.
        provider: where features come from, when not from networks in this process.
    """

    name: str
    package: str
    metric_ids: tuple[str, ...]
    has_backbones: bool = False
    provider: FeatureProvider | None = field(default=None, compare=False, repr=False)
    _extractors: dict[str, Extractor] = field(default_factory=dict, compare=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    def metric(self, metric_id: str) -> Metric[Any]:
        """The metric of that id.

        Raises:
            EvaluatorError: NOT_FOUND, with the nearest names.
        """
        if metric_id not in self.metric_ids:
            near = difflib.get_close_matches(metric_id, self.metric_ids, n=3)
            raise EvaluatorError(
                Code.NOT_FOUND, "UNKNOWN_METRIC", f"evaluator {self.name} has no metric {metric_id!r}",
                f"did you mean {', '.join(near)}?" if near else f"it has {', '.join(self.metric_ids)}",
            )
        module = importlib.import_module(f"{self.package}.metrics.{metric_id}")
        metric: Metric[Any] = module.METRIC
        return metric

    @cached_property
    def kinds(self) -> Mapping[str, InputKind]:
        """Input kinds by name."""
        kinds: Mapping[str, InputKind] = importlib.import_module(f"{self.package}.decode").KINDS
        return kinds

    @cached_property
    def backbones(self) -> Mapping[str, Backbone]:
        """Networks by name."""
        if not self.has_backbones:
            return {}
        backbones: Mapping[str, Backbone] = importlib.import_module(f"{self.package}.backbones").BACKBONES
        return backbones

    def extractor(self, name: str) -> Extractor:
        """The loaded network of that name; loaded once."""
        with self._lock:
            if name not in self._extractors:
                self._extractors[name] = self.backbones[name].build()
            return self._extractors[name]


@cache
def installed() -> Mapping[str, Callable[[], Evaluator]]:
    """Loaders of the evaluators installed here, by name. Looking them up reads every package's metadata, so it is done once."""
    return {entry.name: entry.load for entry in entry_points(group=GROUP)}


def load(name: str) -> Evaluator:
    """The evaluator of that name.

    Raises:
        EvaluatorError: NOT_FOUND when it is not installed.
    """
    found = installed()
    if name not in found:
        raise EvaluatorError(
            Code.NOT_FOUND, "UNKNOWN_EVALUATOR", f"no evaluator {name!r} is installed here",
            f"installed: {', '.join(sorted(found)) or 'none'}",
        )
    evaluator: Evaluator = found[name]()
    return evaluator
