"""The demo bundle: real media and texts from pinned packages, tasks of the catalogue, predictions of simple baselines."""
