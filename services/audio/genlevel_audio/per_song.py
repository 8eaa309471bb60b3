"""Fréchet distance of single files from a set: which of the generated ones lie far from what is real (Gui et al. 2024)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.statistics.moments import Moments

MAX_FILES = 10_000


def companions(generated: NDArray[Any], lengths: NDArray[np.int64], real: NDArray[Any]) -> dict[str, float]:
    """Mean and worst over files of two windows or more; nothing where there are none, or more than 10,000.

    Args:
        generated: windows of all files, one file after another.
        lengths: windows of each file.
        real: windows of the set.
    """
    ends = np.cumsum(lengths)
    places = [(int(end - size), int(end)) for end, size in zip(ends, lengths, strict=True) if size > 1]
    if not 0 < len(places) <= MAX_FILES:
        return {}
    values = distances((np.asarray(generated[start:end], dtype=np.float64) for start, end in places), real)
    return {"per_song_mean": math.fsum(values) / len(values), "per_song_worst": max(values), "per_song_files": float(len(values))}


def distances(files: Any, real: NDArray[Any]) -> list[float]:
    """The distance of each file's rows from the set.

    The trace of the root of two covariances is the nuclear norm of the centred rows of the one times the root of the other.
    """
    moments = Moments.of(real)
    covariance = moments.scatter / (moments.count - 1)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    found = []
    for rows in files:
        mean = rows.mean(axis=0)
        centred = (rows - mean) / math.sqrt(len(rows) - 1)
        crossed = np.linalg.svd(centred @ root, compute_uv=False).sum()
        apart = mean - moments.mean
        found.append(max(0.0, float(apart @ apart + (centred * centred).sum() + np.trace(covariance) - 2.0 * crossed)))
    return found
