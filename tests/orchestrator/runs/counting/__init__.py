"""A small evaluator whose predictions hold files inside JSON: for tests of how such files travel."""

from __future__ import annotations

from genlevel_evaluator.evaluator import Evaluator

EVALUATOR = Evaluator(name="language", package="counting", metric_ids=("mae",))
