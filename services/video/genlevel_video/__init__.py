"""The GenLevel evaluator of video."""
