"""What this evaluator offers. Importing it imports no metric and no network."""

from __future__ import annotations

from genlevel_evaluator.evaluator import Evaluator

EVALUATOR = Evaluator(
    name="video",
    package="genlevel_video",
    metric_ids=(
        "fvd", "epe", "success_auc", "m_viou", "miou_video", "abs_rel", "s_measure", "psnr", "object_class", "multiple_objects", "color", "spatial_relationship", "scene",
        "dynamic_degree", "motion_smoothness", "human_action", "temporal_style", "overall_consistency", "i2v_composite",
        "subject_consistency", "background_consistency", "appearance_style", "frame_accuracy", "clip_style_similarity", "aesthetic_quality", "imaging_quality", "musiq",
        "temporal_flickering",
    ),
    has_backbones=True,
)
