"""Scores samples of the image evaluator in tests."""

from __future__ import annotations

from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_image.app import EVALUATOR


def value_of(metric: str, samples: list[RawSample], **parameters: object) -> tuple[Value, list[Issue]]:
    """The value of samples and what was said about them."""
    scorer = Scorer.of(EVALUATOR, metric, parameters)
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues
