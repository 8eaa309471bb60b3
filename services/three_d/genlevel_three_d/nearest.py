"""Nearest neighbours between point sets, exact and in float64."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAF = 32
"""Points in a leaf: measured fastest for clouds of 10,000 to 1,000,000 points (benchmarks/bench_chamfer.py)."""

SMALL = 15_000
"""Up to this many points Open3D's trees are faster than SciPy's, above it slower; distances are the same to the last bit."""

THREADED = 10_000
"""Below this many points, starting threads costs more than they save."""

Points = NDArray[np.float64]
Places = NDArray[np.intp]


def distances(left: Points, right: Points) -> tuple[Points, Points]:
    """From each point of one set the distance to the nearest of the other, both ways.

    >>> distances(np.zeros((1, 3)), np.array([[3.0, 4.0, 0.0], [0.0, 1.0, 0.0]]))
    (array([1.]), array([5., 1.]))
    """
    if max(len(left), len(right)) <= SMALL:
        return _by_open3d(left, right)
    found = neighbours(left, right)
    return found[0][0], found[1][0]


def neighbours(left: Points, right: Points) -> tuple[tuple[Points, Places], tuple[Points, Places]]:
    """The same, each with the places of the nearest points.

    Trees are split at the middle of the box instead of the median (half the time to build), and the points of one set are
    looked up in the order of its own tree, so that neighbours are asked for one after another and find the caches warm.
    """
    if max(len(left), len(right)) < THREADED:
        return _tree(right).query(left), _tree(left).query(right)
    with ThreadPoolExecutor(2) as pool:
        tree_left, tree_right = pool.map(_tree, (left, right))
    return _query(tree_right, left, tree_left.indices), _query(tree_left, right, tree_right.indices)


def _by_open3d(left: Points, right: Points) -> tuple[Points, Points]:
    import open3d

    # Open3D takes no array that cannot be written to, as those of files are.
    first, second = (open3d.geometry.PointCloud(open3d.utility.Vector3dVector(np.require(points, requirements=("C", "W")))) for points in (left, right))
    return np.asarray(first.compute_point_cloud_distance(second)), np.asarray(second.compute_point_cloud_distance(first))


def _tree(points: Points) -> Any:
    from scipy.spatial import cKDTree

    return cKDTree(points, leafsize=LEAF, balanced_tree=False)


def _query(tree: Any, points: Points, order: Places) -> tuple[Points, Places]:
    result, places = np.empty(len(points)), np.empty(len(points), dtype=np.intp)
    result[order], places[order] = tree.query(points[order], workers=-1)
    return result, places
