"""What this evaluator offers. Importing it imports no metric and no network."""

from __future__ import annotations

from genlevel_evaluator.evaluator import Evaluator

EVALUATOR = Evaluator(
    name="audio",
    package="genlevel_audio",
    metric_ids=("wer", "mcd", "fad", "clap_score", "clap_style_score", "cider", "pcc", "e_accuracy", "mos"),
    has_backbones=True,
)
