"""The references are true: each is held against the inputs it came with, by a way of its own."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from demo import files, shapes, sound, texts
from demo.tasks import three_d_odometry as odometry
from demo.tasks import video_comprehension as films


def samples(bundle: Path, folder: str) -> tuple[Path, list[dict]]:  # type: ignore[type-arg]
    place = bundle / "references" / folder
    return place, json.loads((place / "annotation.json").read_text())["data"]


def read_flow(path: Path) -> NDArray[np.float32]:
    content = path.read_bytes()
    width, height = np.frombuffer(content, "<i4", 2, 4)
    return np.frombuffer(content, "<f4", offset=12).reshape(height, width, 2)


@pytest.mark.parametrize("task", ["OpticalFlowInSimpleSyntheticScene", "OpticalFlowInComplexSceneEstimation"])
def test_flow_takes_the_second_picture_to_the_first(bundle: Path, task: str) -> None:
    place, data = samples(bundle, f"video/comprehension/{task}")
    for sample in data:
        first, second = (cv2.imread(str(place / name)).astype(np.float32) for name in sample["input"]["images"])
        flow = read_flow(place / sample["output"]["flow"])
        known = np.abs(flow).max(2) < 1e9
        y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
        flow = np.where(known[..., None], flow, 0)
        back = cv2.remap(second, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        error = np.median(np.abs(back - first).max(2)[known])
        still = np.median(np.abs(second - first).max(2)[known])
        assert error < 0.45 * still, sample["id"]


def test_scans_agree_on_the_true_path(bundle: Path) -> None:
    place, data = samples(bundle, "3d/comprehension/3DOdometry")
    sample = data[0]
    poses = np.loadtxt(place / sample["output"]["trajectory"]).reshape(-1, 3, 4)
    rotations = poses[:, :, :3]
    np.testing.assert_allclose(rotations @ rotations.transpose(0, 2, 1), np.broadcast_to(np.eye(3), rotations.shape), atol=1e-6)
    scans = [np.asarray(trimesh.load(place / name).vertices) for name in sample["input"]["pointclouds"][:6]]
    # Rings on the ground look alike from everywhere; walls, poles and cars do not.
    standing = [scan[np.abs(scan[:, 1] + odometry.HEIGHT) > 0.3] for scan in scans]
    placed = [scan @ pose[:, :3].T + pose[:, 3] for scan, pose in zip(standing, poses, strict=False)]
    loose = [float(np.median(cKDTree(standing[k]).query(standing[k + 1])[0])) for k in range(5)]
    moved = [float(np.median(cKDTree(placed[k]).query(placed[k + 1])[0])) for k in range(5)]
    assert np.mean(moved) < 0.8 * np.mean(loose)


def test_scan_matching_recovers_a_known_motion() -> None:
    generator = np.random.default_rng(5)
    faces = [np.insert(generator.uniform(-5, 5, (600, 2)), axis, offset, axis=1) for axis in range(3) for offset in (-5, 5)]
    target = np.concatenate(faces)
    truth = odometry._turn(1, 0.05) @ odometry._turn(0, -0.03)
    truth[:3, 3] = (0.2, -0.1, 0.3)
    source = (target - truth[:3, 3]) @ truth[:3, :3]
    found = odometry.match(source, target, np.eye(4))
    np.testing.assert_allclose(found, truth, atol=2e-3)


def test_meshes_and_clouds_of_the_answer_lie_where_the_question_is(bundle: Path) -> None:
    for folder, key in (("PointCloudToMeshObjectReconstruction", "mesh"), ("3DPointCloudCompletion", "pointcloud")):
        place, data = samples(bundle, f"3d/generation/{folder}")
        for sample in data:
            given = np.asarray(trimesh.load(place / sample["input"]["pointcloud"]).vertices)
            whole = trimesh.load(place / sample["output"][key])
            answer = np.asarray(whole.sample(20000, seed=0) if key == "mesh" else whole.vertices)
            assert np.median(cKDTree(answer).query(given)[0]) < 0.04, sample["id"]


def test_masks_mark_what_is_dark(bundle: Path) -> None:
    place, data = samples(bundle, "image/comprehension/RoadCrackDetection")
    for sample in data:
        image = cv2.imread(str(place / sample["input"]["image"]), cv2.IMREAD_GRAYSCALE)
        mask = cv2.imread(str(place / sample["output"]["mask"]), cv2.IMREAD_UNCHANGED)
        assert set(np.unique(mask)) == {0, 1}
        around = cv2.dilate(mask, np.ones((15, 15), np.uint8)) - cv2.dilate(mask, np.ones((5, 5), np.uint8))
        assert image[mask == 1].mean() < image[around == 1].mean(), sample["id"]


def test_boxes_hold_dark_ink_and_their_margin_does_not(bundle: Path) -> None:
    place, data = samples(bundle, "image/comprehension/TabularDataDetection")
    for sample in data:
        page = cv2.imread(str(place / sample["input"]["image"]), cv2.IMREAD_GRAYSCALE)
        for entry in sample["output"]["boxes"]:
            x1, y1, x2, y2 = entry["box"]
            assert (page[y1:y2, x1:x2] < 128).any()
            assert (page[y1 : y2 + 1, x2 + 2 : x2 + 12] > 128).all()


def test_degraded_photos_are_worse_than_their_references_differ_in_size_not(bundle: Path) -> None:
    for task in ("ImageDeraining", "ImageDeblurring", "LowLightImageEnhancement"):
        place, data = samples(bundle, f"image/generation/{task}")
        for sample in data:
            given, truth = (cv2.imread(str(place / name)) for name in (sample["input"]["image"], sample["output"]["image"]))
            assert given.shape == truth.shape
            assert cv2.PSNR(given, truth) < 32


def test_video_files_hold_sixteen_frames(bundle: Path) -> None:
    import av

    for path in sorted(bundle.rglob("*.mp4"))[::7]:
        with av.open(str(path)) as container:
            assert sum(1 for _ in container.decode(video=0)) == films.FRAMES, path


def test_translations_are_the_projects_own() -> None:
    pairs = dict(texts.catalogue_pairs("django/conf/locale/fr/LC_MESSAGES/django.po"))
    assert pairs["Enter a valid date."] == "Saisissez une date valide."


def test_models_are_real_shapes() -> None:
    for name in shapes.MODELS:
        vertices, faces = shapes.model(name)
        assert len(vertices) > 100, name
        assert faces.max() < len(vertices), name
        assert np.linalg.norm(vertices, axis=1).max() == pytest.approx(1.0)
    points = shapes.sample(*shapes.model("nut"), 500, np.random.default_rng(0))
    assert np.linalg.norm(points, axis=1).max() <= 1.0 + 1e-9


def test_pitch_is_found() -> None:
    time = np.arange(16000) / 16000
    for frequency in (110.0, 220.0):
        wave = sum(np.sin(2 * np.pi * frequency * k * time) / k for k in range(1, 6))
        assert sound.median_pitch(np.asarray(wave) * 0.3, 16000) == pytest.approx(frequency, rel=0.02)
    assert sound.median_pitch(np.zeros(16000), 16000) == 0.0


def test_warping_ignores_pace() -> None:
    curve = np.sin(np.linspace(0, 6, 40))[:, None]
    slow = np.sin(np.linspace(0, 6, 70))[:, None]
    other = np.cos(np.linspace(0, 9, 40))[:, None]
    assert sound.warped_distance(curve, slow) < 0.2 * sound.warped_distance(curve, other)


def test_files_can_be_read_back(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    flow = generator.normal(size=(6, 9, 2)).astype(np.float32)
    files.write_flow(tmp_path / "a.flo", flow)
    np.testing.assert_array_equal(read_flow(tmp_path / "a.flo"), flow)
    cloud = generator.normal(size=(20, 3))
    files.write_points(tmp_path / "a.ply", cloud)
    np.testing.assert_allclose(np.asarray(trimesh.load(tmp_path / "a.ply").vertices), cloud, atol=1e-6)
    files.write_mesh(tmp_path / "b.ply", cloud, np.array([[0, 1, 2], [3, 4, 5]]))
    mesh = trimesh.load(tmp_path / "b.ply", process=False)
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [3, 4, 5]])
    files.write_poses(tmp_path / "a.txt", [np.eye(4), np.diag([1.0, 2, 3, 1])])
    np.testing.assert_allclose(np.loadtxt(tmp_path / "a.txt").reshape(-1, 3, 4)[1, :, :3], np.diag([1.0, 2, 3]))
