"""Chamfer distance against Open3D, SciPy, torch and closed forms."""

from __future__ import annotations

import numpy as np
import open3d
import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.kinds import Content
from genlevel_three_d.app import EVALUATOR
from genlevel_three_d.nearest import distances
from genlevel_three_d.shapes import PointSet
from genlevel_three_d.surface import cloud


def value_of(prediction: object, reference: object, **parameters: object) -> Value:
    scorer = Scorer.of(EVALUATOR, "chamfer_distance", parameters)
    rows, issues = scorer.observe([RawSample("1", _content(prediction), (_content(reference),))])
    assert not issues
    return scorer.finalize(rows)


def _content(value: object) -> Content:
    if isinstance(value, trimesh.Trimesh):
        return Content(media=media.from_bytes(value.export(file_type="ply"), "shape.ply"))
    return Content(json=np.asarray(value).tolist())


def _clouds(seed: int, left: int = 700, right: int = 500) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.normal(size=(left, 3)), random.normal(size=(right, 3)) + 0.1


@pytest.mark.parametrize("squared", [True, False])
@pytest.mark.parametrize("directions", ["sum", "mean"])
def test_equals_scipy_and_torch_in_float64(squared: bool, directions: str) -> None:
    a, b = _clouds(1)
    power = 2 if squared else 1
    plain = (cKDTree(b).query(a)[0] ** power).mean() + (cKDTree(a).query(b)[0] ** power).mean()
    pairs = torch.cdist(torch.from_numpy(a), torch.from_numpy(b), compute_mode="donot_use_mm_for_euclid_dist") ** power
    brute = float(pairs.min(1).values.mean() + pairs.min(0).values.mean())
    factor = 1.0 if directions == "sum" else 0.5
    found = value_of(a, b, squared=squared, directions=directions).value
    assert found == pytest.approx(factor * plain, rel=1e-12)
    assert found == pytest.approx(factor * brute, rel=1e-12)


@pytest.mark.parametrize("count", [50, 30_000])  # below and above the size from which threads are used
def test_equals_open3d(count: int) -> None:
    a, b = _clouds(2, count, count - 7)
    left, right = (open3d.geometry.PointCloud(open3d.utility.Vector3dVector(x)) for x in (a, b))
    ours = distances(a, b)
    np.testing.assert_allclose(ours[0], np.asarray(left.compute_point_cloud_distance(right)), rtol=1e-12)
    np.testing.assert_allclose(ours[1], np.asarray(right.compute_point_cloud_distance(left)), rtol=1e-12)


def test_companions_against_brute_force() -> None:
    a, b = _clouds(3, 40, 60)
    pairs = np.linalg.norm(a[:, None] - b[None], axis=2)
    to_reference, to_prediction = pairs.min(axis=1), pairs.min(axis=0)
    precision, recall = (to_reference < 0.5).mean(), (to_prediction < 0.5).mean()
    found = value_of(a, b, f_score_threshold=0.5).companions
    assert found["hausdorff"] == pytest.approx(max(to_reference.max(), to_prediction.max()), rel=1e-12)
    assert found["f_score"] == pytest.approx(100 * 2 * precision * recall / (precision + recall), rel=1e-12)
    assert found["prediction_to_reference"] == pytest.approx((to_reference**2).mean(), rel=1e-12)
    assert found["reference_to_prediction"] == pytest.approx((to_prediction**2).mean(), rel=1e-12)


def test_parallel_squares_have_a_known_distance() -> None:
    # Two dense grids 0.5 apart, one above the other: each nearest point is straight above.
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 20), np.linspace(0, 1, 20), [0.0]), axis=-1).reshape(-1, 3)
    assert value_of(grid, grid + np.array([0, 0, 0.5])).value == pytest.approx(0.5, rel=1e-12)
    assert value_of(grid, grid + np.array([0, 0, 0.5]), squared=False, directions="mean").value == pytest.approx(0.5, rel=1e-12)


def test_normalisation_is_that_of_the_reference() -> None:
    a, b = _clouds(4)
    cube = value_of(a, b).value / float((b.max(0) - b.min(0)).max()) ** 2
    assert value_of(a, b, normalisation="unit_cube").value == pytest.approx(cube, rel=1e-9)
    centre = (b.max(0) + b.min(0)) / 2
    sphere = value_of(a, b).value / float(np.linalg.norm(b - centre, axis=1).max()) ** 2
    assert value_of(a, b, normalisation="unit_sphere").value == pytest.approx(sphere, rel=1e-9)
    # The prediction's own size is not normalised away.
    assert value_of(2 * b, b, normalisation="unit_cube").value > 0.01


def test_concentric_spheres_by_sampling() -> None:
    small, large = trimesh.creation.icosphere(5, radius=1.0), trimesh.creation.icosphere(5, radius=1.2)
    found = value_of(large, small, sampled_points=50_000, squared=False, directions="mean").value
    assert found == pytest.approx(0.2, abs=0.004)


def test_sampling_is_uniform_by_area() -> None:
    # One triangle has three times the area of the other; a chi-square bound at five sigma on where points fall.
    vertices = np.array([[0, 0, 0], [3, 0, 0], [0, 1, 0], [10, 0, 0], [11, 0, 0], [10, 1, 0], [20, 0, 0]], dtype=float)
    faces = np.array([[6, 6, 6], [0, 1, 2], [3, 4, 5], [3, 3, 4]])
    points = cloud(PointSet(vertices, faces), 40_000, 7, "prediction")
    share = (points[:, 0] < 5).mean()
    assert abs(share - 0.75) < 5 * np.sqrt(0.75 * 0.25 / 40_000)
    inside = points[points[:, 0] < 5]
    np.testing.assert_allclose(inside.mean(axis=0), [1.0, 1 / 3, 0.0], atol=0.02)  # the centroid
    assert (inside[:, 0] / 3 + inside[:, 1] <= 1 + 1e-12).all()


def test_equal_meshes_are_at_zero_and_the_seed_matters() -> None:
    box, ball = trimesh.creation.box(), trimesh.creation.icosphere(2)
    assert value_of(box, box, sampled_points=500).value == 0.0
    first = [value_of(ball, box, sampled_points=500, seed=seed).value for seed in (0, 0, 1)]
    assert first[0] == first[1] != first[2]


def test_tiny_and_huge_meshes_are_sampled_alike() -> None:
    box = trimesh.creation.box()
    for size in (1e-120, 1e120):
        shape = PointSet(np.asarray(box.vertices) * size, np.asarray(box.faces))
        np.testing.assert_allclose(
            cloud(shape, 50, 0, "prediction") / size,
            cloud(PointSet(np.asarray(box.vertices), np.asarray(box.faces)), 50, 0, "prediction"),
            rtol=1e-9,
        )


point = st.lists(st.integers(-4, 4), min_size=3, max_size=3)


@settings(max_examples=60, deadline=None)
@given(st.lists(point, min_size=1, max_size=8), st.lists(point, min_size=1, max_size=8), st.permutations(range(8)))
def test_laws(a: list[list[int]], b: list[list[int]], order: list[int]) -> None:
    value = value_of(a, b).value
    assert value is not None
    assert value >= 0
    assert value_of(b, a).value == pytest.approx(value, rel=1e-12)  # symmetric
    assert value_of(a, a).value == 0.0
    shuffled = [a[i] for i in order if i < len(a)]
    assert value_of(shuffled, b).value == pytest.approx(value, rel=1e-12)
    assert value_of(np.array(a) * 2, np.array(b) * 2).value == pytest.approx(4 * value, rel=1e-12)


def test_value_is_the_mean_over_shapes_with_an_interval() -> None:
    scorer = Scorer.of(EVALUATOR, "chamfer_distance", {})
    pairs = [_clouds(seed, 20, 20) for seed in range(6)]
    rows, _ = scorer.observe([RawSample(str(i), _content(a), (_content(b),)) for i, (a, b) in enumerate(pairs)])
    value = scorer.finalize(rows)
    singles = [value_of(a, b).value for a, b in pairs]
    assert value.value == pytest.approx(np.mean(singles), rel=1e-12)
    assert value.interval is not None
    assert min(singles) <= value.interval.low <= value.value <= value.interval.high <= max(singles)


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"sampled_points": 0}, "sampled_points"),
        ({"seed": -1}, "seed"),
        ({"f_score_threshold": 0}, "f_score"),
        ({"directions": "half"}, "directions"),
    ],
)
def test_bad_parameters_are_refused(parameters: dict[str, object], word: str) -> None:
    with pytest.raises(EvaluatorError, match=word):
        Scorer.of(EVALUATOR, "chamfer_distance", parameters)
