"""Meshes and scans of the demo bundle under transformations whose effect on the Chamfer distance is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from genlevel_evaluator import score

GENERATION = "3d/generation"
TURN = Rotation.from_euler("xyz", [0.4, -1.1, 2.3]).as_matrix()


def meshes(bundle: Path) -> list[tuple[trimesh.Trimesh, trimesh.Trimesh]]:
    """Reconstructed and true meshes."""
    folder = f"{GENERATION}/PointCloudToMeshObjectReconstruction/outputs"
    found = [(bundle / "predictions" / folder / f"{name}.ply", bundle / "references" / folder / f"{name}-mesh.ply") for name in ("0001", "0003", "0007")]
    return [tuple(trimesh.load_mesh(path, process=False) for path in pair) for pair in found]


def scans(bundle: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Completed and whole clouds."""
    folder = f"{GENERATION}/3DPointCloudCompletion/outputs"
    found = sorted((bundle / "predictions" / folder).glob("*.ply"))[:3]
    whole = [bundle / "references" / folder / f"{path.stem}-pointcloud.ply" for path in found]
    return [tuple(np.asarray(trimesh.load(path).vertices, dtype=np.float64) for path in pair) for pair in zip(found, whole, strict=True)]


def moved(shape: trimesh.Trimesh | np.ndarray, scale: float, turn: np.ndarray) -> trimesh.Trimesh | np.ndarray:
    if isinstance(shape, np.ndarray):
        return scale * shape @ turn.T + scale * np.array([3.0, -2.0, 5.0])
    return trimesh.Trimesh(moved(np.asarray(shape.vertices, dtype=np.float64), scale, turn), shape.faces, process=False)


def written(shape: trimesh.Trimesh | np.ndarray, path: Path) -> str:
    if isinstance(shape, np.ndarray):
        np.savez(path.with_suffix(".npz"), points=shape)
    else:
        np.savez(path.with_suffix(".npz"), vertices=np.asarray(shape.vertices), faces=np.asarray(shape.faces))
    return path.with_suffix(".npz").name


@pytest.mark.parametrize("kind", [meshes, scans])
def test_real_shapes_under_known_transformations(kind: object, bundle: Path, tmp_path: Path) -> None:
    pairs = kind(bundle)  # type: ignore[operator]

    def value(scale: float, turn: np.ndarray, **parameters: object) -> float:
        samples = [
            {"id": place, "prediction": written(moved(guess, scale, turn), tmp_path / f"p{place}"), "reference": written(moved(truth, scale, turn), tmp_path / f"t{place}")}
            for place, (guess, truth) in enumerate(pairs)
        ]
        found = score("chamfer_distance", samples, parameters={"sampled_points": 2000, "emd_points": 0, **parameters}, folder=tmp_path)
        assert not found.issues
        assert found.value is not None
        return found.value

    still = np.eye(3)
    base, plain, cube = value(1.0, still), value(1.0, still, squared=False), value(1.0, still, normalisation="unit_cube")
    assert base > 0
    assert value(1.0, TURN) == pytest.approx(base, rel=1e-9)
    for scale in (0.01, 25.4):
        assert value(scale, TURN) == pytest.approx(scale**2 * base, rel=1e-9)
        assert value(scale, TURN, squared=False) == pytest.approx(scale * plain, rel=1e-9)
        assert value(scale, still, normalisation="unit_cube") == pytest.approx(cube, rel=1e-9)
    if kind is scans:
        ways = [(cKDTree(truth).query(guess)[0], cKDTree(guess).query(truth)[0]) for guess, truth in pairs]
        assert base == pytest.approx(np.mean([np.mean(there**2) + np.mean(back**2) for there, back in ways]), rel=1e-12)
