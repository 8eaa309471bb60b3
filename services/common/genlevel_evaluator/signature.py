"""Signatures: how a number was made. Values whose digests differ are not compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genlevel_evaluator import parameters as metric_parameters
from genlevel_evaluator import weights
from genlevel_evaluator.evaluator import Evaluator
from genlevel_evaluator.metric import Metric
from genlevel_evaluator.parameters import Parameters


@dataclass(frozen=True)
class BackboneUse:
    """A network with the weights file that a value depends on. A method without weights has no digest and is a stand-in."""

    name: str
    sha256: str
    reference: bool
    preprocessing: str


@dataclass(frozen=True)
class Signature:
    """How a number was made."""

    metric: str
    version: int
    pooling: str
    parameters: Mapping[str, Any]
    backbones: tuple[BackboneUse, ...]

    @property
    def comparable(self) -> bool:
        """Whether every network used is the reference one."""
        return all(use.reference for use in self.backbones)

    @property
    def text(self) -> str:
        """Readable form, such as `bleu_1|v:1|pooling:sample|tokenizer:nltk`."""
        parts = [self.metric, f"v:{self.version}", f"pooling:{self.pooling}"]
        parts += [f"{name}:{_plain(value)}" for name, value in self.parameters.items() if name != "pooling"]
        parts += [f"weights:{use.name}@{use.sha256[:12] or 'none'}{'' if use.reference else '(stand-in)'}" for use in self.backbones]
        return "|".join(parts)

    @property
    def digest(self) -> str:
        """SHA-256 over all that decides the value."""
        document = {
            "metric": self.metric,
            "version": self.version,
            "parameters": dict(self.parameters),
            "backbones": [[use.name, use.sha256, use.preprocessing] for use in self.backbones],
        }
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else format(value, "g") if isinstance(value, float) else str(value)


def of(evaluator: Evaluator, metric: Metric[Any], parameters: Parameters) -> Signature:
    """Signature of a metric under parameters."""
    uses = []
    for name in metric.backbones(parameters):
        backbone = evaluator.backbones[name]
        entry = weights.entry(backbone.weights) if backbone.weights else None
        uses.append(BackboneUse(name, weights.digest(backbone.weights) if entry else "", entry is not None and entry.reference, backbone.preprocessing))
        uses += [BackboneUse(also, weights.digest(also), weights.entry(also).reference, "") for also in backbone.also]
    plain = metric_parameters.as_plain(parameters)
    return Signature(metric.id, metric.version, plain.get("pooling", metric.pooling), plain, tuple(uses))
