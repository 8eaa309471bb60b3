"""Chamfer distance against Open3D, SciPy, torch and closed forms."""

from __future__ import annotations

import itertools

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
from genlevel_three_d.nearest import SMALL, distances, neighbours
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


@settings(max_examples=25)
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
        ({"emd_points": 5000}, "emd_points"),
        ({"emd_points": -1}, "emd_points"),
    ],
)
def test_bad_parameters_are_refused(parameters: dict[str, object], word: str) -> None:
    with pytest.raises(EvaluatorError, match=word):
        Scorer.of(EVALUATOR, "chamfer_distance", parameters)


def test_the_library_for_small_clouds_gives_the_same_bits() -> None:
    """Open3D's trees and SciPy's, around the size where one follows the other; with equal points, lines and extreme sizes."""
    random = np.random.default_rng(8)
    spread = [random.normal(size=(SMALL, 3)), random.integers(0, 3, (900, 3)).astype(float), np.zeros((500, 3)), random.normal(size=(40, 3)) * 1e150]
    spread += [np.column_stack([np.arange(700.0), np.zeros(700), np.zeros(700)]), random.normal(size=(50, 3)) * 1e-160, random.normal(size=(1, 3))]
    for left in spread:
        for right in spread:
            ours, theirs = distances(left, right), neighbours(left, right)
            for one, (other, places) in zip(ours, theirs, strict=True):
                np.testing.assert_array_equal(one, other)
                assert places.min() >= 0
    frozen = spread[1].copy()
    frozen.setflags(write=False)  # as arrays of files are
    np.testing.assert_array_equal(distances(frozen, frozen)[0], 0.0)


def test_earth_movers_distance_is_the_best_of_all_pairings() -> None:
    random = np.random.default_rng(9)
    a, b = random.normal(size=(6, 3)), random.normal(size=(6, 3))
    best = min(np.linalg.norm(a - b[list(order)], axis=1).mean() for order in itertools.permutations(range(6)))
    assert value_of(a, b).companions["emd"] == pytest.approx(best, rel=1e-12)
    assert "emd" not in value_of(a, b, emd_points=0).companions
    # Moved as a whole, every point travels as far; a draw of both sides pairs others, and never finds less than the means' distance.
    cloud_, shift = random.normal(size=(800, 3)), np.array([0, 0, 3.0])
    assert value_of(cloud_, cloud_ + shift, emd_points=800).companions["emd"] == pytest.approx(3.0, rel=1e-9)
    drawn = value_of(cloud_, cloud_[:700] + shift, emd_points=300).companions["emd"]
    assert drawn > 2.5
    assert drawn == value_of(cloud_, cloud_[:700] + shift, emd_points=300).companions["emd"]


def test_normals_of_meshes_agree_as_they_are_tilted() -> None:
    """A square tilted about an edge by 30 degrees: every normal is off by as much; a flipped one is not."""
    square = trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], [[0, 1, 2], [0, 2, 3]], process=False)
    tilted = square.copy().apply_transform(trimesh.transformations.rotation_matrix(np.pi / 6, [1, 0, 0]))
    flipped = trimesh.Trimesh(square.vertices, square.faces[:, ::-1], process=False)
    for other, expected in ((tilted, np.cos(np.pi / 6)), (flipped, 1.0)):
        assert value_of(other, square, sampled_points=200).companions["normal_consistency"] == pytest.approx(expected, rel=1e-6)
    assert "normal_consistency" not in value_of(np.zeros((2, 3)), np.zeros((2, 3))).companions


def test_noise_of_the_sampling_is_that_of_two_draws() -> None:
    box, ball = trimesh.creation.box(), trimesh.creation.icosphere(2)
    # The distance to the nearest of n points on an area A: the mean of its square is about A / (n pi), both ways twice that.
    for points in (500, 4_000):
        noise = value_of(ball, box, sampled_points=points).companions["sampling_noise"]
        assert noise == pytest.approx(2 * 6 / (points * np.pi), rel=0.25)
    halved = value_of(ball, box, sampled_points=500, directions="mean").companions["sampling_noise"]
    assert halved == pytest.approx(value_of(ball, box, sampled_points=500).companions["sampling_noise"] / 2)
    assert "sampling_noise" not in value_of(np.zeros((2, 3)), np.zeros((2, 3))).companions


@pytest.mark.parametrize("scale", [1000.0, 0.001])
def test_sides_in_different_units_are_a_warning(scale: float) -> None:
    a, b = _clouds(11, 30, 30)
    scorer = Scorer.of(EVALUATOR, "chamfer_distance", {})
    rows, issues = scorer.observe([RawSample("1", _content(a * scale), (_content(b),)), RawSample("2", _content(a * 3), (_content(b),))])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("1", "UNIT_SUSPECT", "warning")]
    assert ("prediction" if scale > 1 else "reference") in issues[0].message.split(" is ")[0]
    assert scorer.finalize(rows).present == 2


@pytest.mark.parametrize("count", [3_000, 20_000])
def test_a_scaled_scan_is_as_far_as_the_formula_says(count: int) -> None:
    """A scan of Open3D's kind: noisy, uneven and of one side only, moved, turned and scaled."""
    random = np.random.default_rng(12)
    scan = random.normal(size=(count, 3)) ** 3 + 0.01 * random.normal(size=(count, 3))
    other = scan[random.permutation(count)[: count // 2]] + 0.02 * random.normal(size=(count // 2, 3))
    turn = trimesh.transformations.rotation_matrix(0.7, [1, 2, 3])[:3, :3]
    base, plain = value_of(other, scan, emd_points=0), value_of(other, scan, emd_points=0, squared=False)
    for scale in (0.25, 40.0):
        moved = [scale * cloud_ @ turn.T + [5, -3, 2] for cloud_ in (other, scan)]
        assert value_of(*moved, emd_points=0).value == pytest.approx(scale**2 * base.value, rel=1e-9)
        assert value_of(*moved, emd_points=0, squared=False).value == pytest.approx(scale * plain.value, rel=1e-9)
        assert value_of(*moved, emd_points=0).companions["hausdorff"] == pytest.approx(scale * base.companions["hausdorff"], rel=1e-9)
