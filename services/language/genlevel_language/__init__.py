"""The GenLevel evaluator of text."""
