"""What this evaluator offers. Importing it imports no metric and no network."""

from __future__ import annotations

from genlevel_evaluator.evaluator import Evaluator

EVALUATOR = Evaluator(
    name="image",
    package="genlevel_image",
    metric_ids=("psnr", "miou", "ap_50_box", "ap_75_box", "ap_10", "ap_50_mask", "ap_50_keypoint", "fid", "ms_ssim", "rmse_shadow", "sad", "mse", "depth_rms", "ap_anomaly", "roc_auc", "dice", "pq", "recall_at_50", "clip_score_text", "clip_score_image", "psnr_or_clip_score"),
    has_backbones=True,
)
