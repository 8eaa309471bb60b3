"""Matching of detections to ground truth, and the curves of average precision."""
