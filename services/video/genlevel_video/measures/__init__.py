"""Arithmetic on decoded clips: overlap, success, structure, depth."""
