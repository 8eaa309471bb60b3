"""Bundles: predictions and references in the General-Bench layout."""
