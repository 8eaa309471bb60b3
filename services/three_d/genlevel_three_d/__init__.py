"""The GenLevel evaluator of 3D data."""
