"""Services outside that a metric asks about its samples, such as a judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from genlevel_evaluator.flags import EXCLUDED, PRESENT
from genlevel_evaluator.metric import Metric, Sample
from genlevel_evaluator.parameters import Parameters


def whole(samples: Sequence[tuple[Sample, int]]) -> list[int]:
    """Places of the samples that have a prediction and a reference, both usable."""
    return [place for place, (sample, flags) in enumerate(samples) if flags & PRESENT and not flags & EXCLUDED and sample.references]


def consulted(
    metric: Metric[Any], parameters: Parameters, samples: list[tuple[Sample, int]], check: Callable[[], None]
) -> list[tuple[Sample, int]]:
    """Samples with what the service says of those that are whole; the same samples where the metric asks nobody."""
    if metric.consult is None or not (places := whole(samples)):
        return samples
    answers = metric.consult([samples[place][0] for place in places], parameters, check)
    result = list(samples)
    for place, answer in zip(places, answers, strict=True):
        result[place] = (replace(samples[place][0], answer=answer), samples[place][1])
    return result
