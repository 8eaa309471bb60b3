"""Ratings and votes as samples, for the tests of mos and user_preference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence

LANGUAGE = load("language")


def sample(key: str, entries: Any) -> RawSample:
    """One item; ``entries`` is None where nobody judged it."""
    if entries is None:
        return RawSample(key, presence=Presence.PREDICTION_MISSING)
    return RawSample(key, Content(json=entries), presence=Presence.PREDICTION_ONLY)


def evaluate(metric: str, items: Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> tuple[Value, list[Issue]]:
    """The value of items."""
    scorer = Scorer.of(LANGUAGE, metric, parameters)
    rows, issues = scorer.observe([sample(key, entries) for key, entries in items.items()])
    return scorer.finalize(rows), issues
