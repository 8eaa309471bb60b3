"""Decoded values of the video evaluator and how they are read: tracks, tubes, masks, depths and grey frames."""
