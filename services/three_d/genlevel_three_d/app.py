"""What this evaluator offers. Importing it imports no metric and no network."""

from __future__ import annotations

from genlevel_evaluator.evaluator import Evaluator

EVALUATOR = Evaluator(
    name="three_d",
    package="genlevel_three_d",
    metric_ids=("chamfer_distance", "rte", "map", "rmse_angle_deg"),
    has_backbones=False,
)
