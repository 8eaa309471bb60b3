"""The software renderer: the same bytes everywhere, and pictures that agree with rays cast one by one."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy._core._multiarray_umath import __cpu_dispatch__ as cpu_dispatch

from genlevel_evaluator.errors import SampleError
from genlevel_three_d.render import camera, spans, triangles
from genlevel_three_d.render.pictures import ring
from genlevel_three_d.scene import GREY, Scene
from tests.three_d import render_scenes
from tests.three_d.render_scenes import scenes


def scene_of(mesh: trimesh.Trimesh, **colours: np.ndarray) -> Scene:
    return Scene(np.asarray(mesh.vertices, dtype=float), np.asarray(mesh.faces, dtype=np.int64), **colours)


DIGESTS = {
    "cloud": "00dbd0e67099aec76ee9090b2472937a08706da3df900d020082293e5fec1d35",
    "box": "e64448d4720866fa6480c466c0333dc50aafc051373a8641f28e1a451b406bbf",
    "texture": "58fccb538692830008f9df386e3db08b89c284fc14c4c59cb1391f4307743815",
    "soup": "ca9b843c7e957c5b7cb19c20c3269b5b3267e5cb218fe4a14e2deac8e7a14b9b",
}


@pytest.mark.parametrize("name", DIGESTS)
def test_the_bytes_are_the_same_on_every_machine(name: str) -> None:
    pixels = ring(scenes()[name])
    assert pixels.shape == (camera.VIEWS, camera.SIDE, camera.SIDE, 3)
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == DIGESTS[name]


def test_the_instruction_set_and_threads_do_not_matter() -> None:
    """NumPy without all that this processor has beyond the oldest, and OpenBLAS as on another one."""
    plain = {"NPY_DISABLE_CPU_FEATURES": " ".join(cpu_dispatch), "OPENBLAS_CORETYPE": "Prescott", "OMP_NUM_THREADS": "1"}
    program = [sys.executable, "-W", "ignore", render_scenes.__file__]
    assert subprocess.run(program, capture_output=True, text=True, check=True, env={**os.environ, **plain}).stdout.strip() == render_scenes.digest()


def cast(mesh: trimesh.Trimesh, view: int, samples: np.ndarray) -> np.ndarray:
    """The face that a ray through each sample meets first, by Moeller and Trumbore's test of every face; -1 for none."""
    points = camera.turned(camera.normalised(np.asarray(mesh.vertices, dtype=float), "y"), view)
    corners = points[np.asarray(mesh.faces)]
    eye = np.array([0.0, 0.0, camera.DISTANCE])
    found = []
    for x, y in samples:
        place = 2 * (np.array([x, y]) + 0.5) / camera.GRID - 1
        ray = np.array([place[0] * camera.HALF_WIDTH, -place[1] * camera.HALF_WIDTH, -1.0])
        first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        normal = np.cross(ray, second)
        determinant = (normal * first).sum(1)
        with np.errstate(divide="ignore", invalid="ignore"):
            offset = eye - corners[:, 0]
            u = (offset * normal).sum(1) / determinant
            turned = np.cross(offset, first)
            v = (ray * turned).sum(1) / determinant
            t = (second * turned).sum(1) / determinant
            hit = (u >= 0) & (v >= 0) & (u + v <= 1) & (t > 0) & np.isfinite(t)
        found.append(int(np.argmin(np.where(hit, t, np.inf))) if hit.any() else -1)
    return np.array(found)


def test_what_is_seen_is_what_rays_meet() -> None:
    mesh = trimesh.util.concatenate([trimesh.creation.torus(1.0, 0.35, 24, 12), trimesh.creation.box((0.5, 0.7, 0.9))])
    faces = len(mesh.faces)
    random = np.random.default_rng(2)
    samples = random.integers(0, camera.GRID, (400, 2))
    for view in (0, 3):
        points = camera.turned(camera.normalised(np.asarray(mesh.vertices, dtype=float), "y"), view)
        buffer = spans.DepthBuffer()
        triangles.draw(buffer, camera.project(points), np.asarray(mesh.faces, dtype=np.int64))
        table = np.full(camera.GRID * camera.GRID, -1)
        places, owner = buffer.visible()
        table[places] = owner
        expected = cast(mesh, view, samples)
        seen = table[samples[:, 1] * camera.GRID + samples[:, 0]]
        assert np.mean(seen == expected) > 0.985  # edges are rounded to 1/256 of a sample
        assert -1 in expected
        assert len(np.unique(expected)) > faces / 20


def test_a_ball_has_the_outline_and_the_light_of_a_ball() -> None:
    pixels = ring(scene_of(trimesh.creation.icosphere(5)))
    inside = (pixels < 250).all(axis=3)
    # The outline of a ball of radius 1 at distance d: tan(asin(1 / d)) of half the width.
    radius = np.tan(np.arcsin(1 / camera.DISTANCE)) / camera.HALF_WIDTH * camera.SIDE / 2
    for view in range(camera.VIEWS):
        assert inside[view].sum() == pytest.approx(np.pi * radius**2, rel=0.01)
    rows, columns = np.indices(inside[0].shape)
    core = np.hypot(rows + 0.5 - camera.SIDE / 2, columns + 0.5 - camera.SIDE / 2) < 0.9 * radius
    assert pixels[0][core].max() == pytest.approx(GREY, abs=1)
    brightest = np.unravel_index(np.argmax(np.where(core, pixels[0, :, :, 0], 0)), core.shape)
    assert brightest[0] < camera.SIDE / 2 < brightest[1]  # the light is above, and right
    middle = pixels[:, camera.SIDE // 2, camera.SIDE // 2, 0]
    assert middle.min() == pytest.approx(GREY * (0.4 + 0.6 * 3 / np.sqrt(14)), abs=3)


def test_views_go_round_by_way_of_the_right_and_z_can_be_up() -> None:
    """A red point to the right of a green one, and a blue one in front: seen from the front, the right, behind, the left."""
    points = np.array([[1.0, 0, 0], [-1.0, 0, 0], [0, 0, 1.0]])
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255]], dtype=np.uint8)
    lying = np.column_stack([points[:, 0], -points[:, 2], points[:, 1]])
    pixels = ring(Scene(points, colours=colours))
    np.testing.assert_array_equal(pixels, ring(Scene(lying, colours=colours), "z"))

    def column(view: int, channel: int) -> float:
        picture = pixels[view].astype(int)
        others = [c for c in range(3) if c != channel]
        return float(np.argwhere(picture[:, :, channel] - picture[:, :, others].max(axis=2) > 60)[:, 1].mean())

    middle = camera.SIDE / 2
    assert column(0, 0) > middle > column(0, 1)  # front: red at the right
    assert column(4, 0) < middle < column(4, 1)  # behind: red at the left
    assert column(2, 2) < middle  # from +x, what is in front lies at the left
    assert column(6, 2) > middle


def test_textures_are_looked_up_and_repeat() -> None:
    """A square that faces the camera, with a texture of two by two texels, twice across."""
    points = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    texture = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], dtype=np.uint8)
    corners = np.array([[0.0, 0], [2, 0], [2, 1], [0, 1]])
    white = np.full((4, 3), 255, dtype=np.uint8)
    scene = Scene(points, np.array([[0, 1, 2], [0, 2, 3]]), white, None, corners, [texture], np.zeros(2, dtype=np.int64))
    picture = ring(scene)[0].astype(int)
    inside = np.argwhere((picture != 255).any(axis=2))
    top, bottom = inside[:, 0].min(), inside[:, 0].max()
    upper, lower = picture[(3 * top + bottom) // 4], picture[(top + 3 * bottom) // 4]
    names = {(True, False, False): "r", (False, True, False): "g", (False, False, True): "b"}
    runs = "".join(names.get(tuple(pixel > 100), ".") for pixel in upper)
    assert "".join(dict.fromkeys(runs.strip("."))) == "rg"
    assert [part[0] for part in re.findall(r"r{9,}|g{9,}", runs)] == ["r", "g", "r", "g"]
    assert "b" in "".join(names.get(tuple(pixel > 100), ".") for pixel in lower)


def test_a_closed_mesh_has_no_holes_and_winding_does_not_matter() -> None:
    ball = trimesh.creation.icosphere(4)
    flipped = np.asarray(ball.faces).copy()
    flipped[::2] = flipped[::2, ::-1]
    plain = ring(scene_of(ball))
    np.testing.assert_array_equal(plain, ring(Scene(np.asarray(ball.vertices, dtype=float), flipped)))
    inside = (plain[0] < 250).all(axis=2)
    for row in inside[inside.any(axis=1)]:
        columns = np.flatnonzero(row)
        assert len(columns) == columns[-1] - columns[0] + 1


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-30, 1.0, 1e30]), st.booleans())
def test_size_and_place_do_not_matter_and_nothing_fails(seed: int, scale: float, cloud: bool) -> None:
    random = np.random.default_rng(seed)
    points = random.integers(-4, 5, (int(random.integers(3, 9)), 3)).astype(float)  # flat, thin and empty faces among them
    faces = None if cloud else random.integers(0, len(points), (5, 3))
    first, second = ring(Scene(points, faces)), ring(Scene(points * scale, faces))
    assert np.abs(first.astype(int) - second).mean() < 0.05
    assert first.dtype == np.uint8


def test_a_single_point_is_seen_and_unused_corners_change_nothing() -> None:
    assert (ring(Scene(np.array([[3.0, 4.0, 5.0]]))) < 250).any(axis=(1, 2, 3)).all()
    box = scene_of(trimesh.creation.box())
    assert box.faces is not None
    far = Scene(np.concatenate([box.points, [[1e9, 0, 0]]]), box.faces)
    np.testing.assert_array_equal(ring(box), ring(far))


def test_what_hides_itself_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "MOST_SAMPLES", 100_000)
    with pytest.raises(SampleError) as error:
        ring(scene_of(trimesh.creation.icosphere(3)))
    assert (error.value.code, bool(error.value.remedy)) == ("TOO_COMPLEX", True)
