"""The plan of a run: pure functions from a bundle's tasks and the evaluators' metrics to shards and their keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from genlevel_orchestrator.bundle.fields import Form, type_parameters
from genlevel_orchestrator.catalogue import Task

# Samples of a shard by input kind: so many that a call is worth its cost, so few that a lost one does not hurt.
SHARD_SAMPLES: Mapping[str, int] = {
    **dict.fromkeys(("text", "labels", "spans", "events", "count", "transcript", "ratings", "votes"), 512),
    **dict.fromkeys(("boxes", "grounding", "keypoints", "scene_graph", "series", "tubes", "boxes_3d", "tracking_boxes"), 256),
    "verdict": 64,  # each may be a question to a judge, which takes seconds and costs money
    **dict.fromkeys(("image", "image_text", "masks", "instances", "maps", "depth", "matting", "panoptic"), 64),
    **dict.fromkeys(("audio", "audio_text", "speech", "midi", "orchestration"), 32),
    **dict.fromkeys(("video", "video_text", "video_image", "video_masks", "frames", "depth_video", "frame_detections"), 16),
}
DEFAULT_SHARD_SAMPLES = 32
SHARD_BYTES = 8 << 20
"""JSON bytes of a shard, media not counted. A message holds 64 MiB."""


@dataclass(frozen=True)
class MetricFacts:
    """What the plan must know of a metric an evaluator has."""

    evaluator: str
    metric: str
    version: int
    form: Form
    parameters: frozenset[str] = frozenset()


@dataclass(frozen=True)
class TaskPlan:
    """How a task is scored.

    Attributes:
        facts: None when no evaluator at hand has the metric.
        parameters: those that differ from the metric's defaults.
    """

    task: Task
    facts: MetricFacts | None
    parameters: Mapping[str, Any] = field(default_factory=dict)


def plan_task(
    task: Task, metrics: Mapping[tuple[str, str], MetricFacts], envelope: Mapping[str, Any] | None = None
) -> TaskPlan:
    """The plan of a task.

    Args:
        task: the task.
        metrics: by (evaluator, metric).
        envelope: what the annotation says beside its samples; its ``parameters`` go before the catalogue's, these before what is usual for its ``type``.
    """
    facts = metrics.get((task.evaluator, task.metric_id))
    if facts is None:
        return TaskPlan(task, None)
    usual = type_parameters((envelope or {}).get("type"), task.metric_id)
    parameters = {**usual, **task.parameters, **declared_parameters(envelope or {}, facts)}
    if parameters.get("match") == "set" and facts.form.kind == "text":
        facts = replace(facts, form=replace(facts.form, joined=True))
    if parameters.get("bbox_format") == "xywh":
        facts = replace(facts, form=replace(facts.form, box_format="xywh"))
    return TaskPlan(task, facts, parameters)


def declared_parameters(envelope: Mapping[str, Any], facts: MetricFacts) -> dict[str, Any]:
    """Metric parameters that an annotation declares, in our words or in General-Bench's.

    >>> facts = MetricFacts("image", "ap_50_box", 1, Form("boxes"), frozenset({"bbox_format"}))
    >>> declared_parameters({"others": {"bbox_format": "(x_min,y_min,width,height)"}}, facts)
    {'bbox_format': 'xywh'}
    """
    declared: dict[str, Any] = {}
    others = envelope.get("others")
    box_format = others.get("bbox_format") if isinstance(others, Mapping) else None
    if isinstance(box_format, str) and "bbox_format" in facts.parameters:
        declared["bbox_format"] = "xywh" if "w" in box_format.lower().replace("raw", "") else "xyxy"
    own = envelope.get("parameters")
    if isinstance(own, Mapping):
        declared.update(own)
    return declared


def cut(sizes: Sequence[int], kind: str, most_bytes: int = SHARD_BYTES) -> list[tuple[int, int]]:
    """Ranges of samples, each a shard.

    Blocks begin at fixed counts and are divided further where they hold too many bytes, so that an edited sample changes no shard but
    its own.

    >>> cut([10] * 5, "", most_bytes=25)
    [(0, 2), (2, 4), (4, 5)]
    """
    count = SHARD_SAMPLES.get(kind, DEFAULT_SHARD_SAMPLES)
    ranges: list[tuple[int, int]] = []
    for block in range(0, len(sizes), count):
        first, total = block, 0
        last = min(block + count, len(sizes))
        for index in range(block, last):
            if total and total + sizes[index] > most_bytes:
                ranges.append((first, index))
                first, total = index, 0
            total += sizes[index]
        ranges.append((first, last))
    return ranges


def shard_key(evaluator: str, signature: str, samples: Iterable[bytes]) -> str:
    """The key of a shard: how it is scored (metric, version, parameters, backbones with their preprocessing: all in the
    signature's digest) and what is scored (the digests of its samples, in order)."""
    digest = hashlib.sha256(f"genlevel shard 1\n{evaluator}\n{signature}\n".encode())
    for sample in samples:
        digest.update(sample)
    return digest.hexdigest()
