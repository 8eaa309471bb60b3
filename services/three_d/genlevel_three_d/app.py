"""What this evaluator offers. Importing it imports no metric and no network."""

from __future__ import annotations

from genlevel_evaluator.evaluator import Evaluator

EVALUATOR = Evaluator(
    name="three_d",
    package="genlevel_three_d",
    metric_ids=("chamfer_distance", "rte", "amota", "map", "map_50", "instance_miou", "miou", "fid_motion", "rmse_angle_deg", "clip_score_text", "clip_score_image"),
    has_backbones=True,
)
