"""The GenLevel evaluator of pictures."""
