"""Pieces of music: notes, bars, pitch classes."""
