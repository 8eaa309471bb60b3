"""Arithmetic of boxes, tracks and instances in scenes."""
