"""The GenLevel evaluator of audio."""
