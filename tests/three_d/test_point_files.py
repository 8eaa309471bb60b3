"""Point sets: every format gives the same shape, and bad files give a clear error and no value."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import open3d
import pytest
import trimesh

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content
from genlevel_three_d import headers
from genlevel_three_d.app import EVALUATOR
from genlevel_three_d.forms.points import decode_points
from genlevel_three_d.shapes import PointSet

MESH = trimesh.creation.box(extents=(1.0, 2.0, 3.0))


def _bytes(mesh: trimesh.Trimesh | trimesh.Scene, suffix: str, **options: object) -> bytes:
    data = mesh.export(file_type=suffix, **options)
    return data.encode() if isinstance(data, str) else bytes(data)


def _saved(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def read(data: bytes, name: str) -> PointSet:
    found = decode_points(Content(media=media.from_bytes(data, name)), {})
    assert isinstance(found, PointSet)
    return found


@pytest.mark.parametrize("suffix", ["ply", "obj", "stl", "off", "glb"])
def test_meshes_of_every_format(suffix: str) -> None:
    found = read(_bytes(MESH, suffix), f"shape.{suffix}")
    assert found.faces is not None
    assert len(found.faces) == 12
    triangles = found.points[found.faces]
    area = np.linalg.norm(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1).sum() / 2
    assert area == pytest.approx(22.0, rel=1e-6)
    np.testing.assert_allclose(np.ptp(found.points, axis=0), [1, 2, 3], rtol=1e-6)


def test_ascii_forms() -> None:
    for data, name in ((_bytes(MESH, "ply", encoding="ascii"), "a.ply"), (_bytes(MESH, "stl_ascii"), "a.stl")):
        found = read(data, name)
        assert found.faces is not None
        assert len(found.faces) == 12


@pytest.mark.parametrize("form", ["ascii", "binary", "compressed"])
def test_pcd_forms(form: str, tmp_path: object) -> None:
    points = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32).astype(np.float64)
    path = f"{tmp_path}/cloud.pcd"
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    assert open3d.io.write_point_cloud(path, cloud, write_ascii=form == "ascii", compressed=form == "compressed")
    with open(path, "rb") as file:
        np.testing.assert_allclose(read(file.read(), "cloud.pcd").points, points, rtol=1e-6)


@pytest.mark.parametrize("kind", ["F4", "F8", "I1", "I2", "I4", "U1", "U8"])
@pytest.mark.parametrize("form", ["ascii", "binary"])
def test_pcd_of_every_number_type(kind: str, form: str) -> None:
    table = np.random.default_rng(0).uniform(0, 99, (7, 5)).astype(f"<{kind.lower()}")
    head = f"VERSION .7\nFIELDS z n x y\nSIZE {' '.join(kind[1] * 4)}\nTYPE {' '.join(kind[0] * 4)}\nCOUNT 1 2 1 1\nWIDTH 7\nHEIGHT 1\nPOINTS 7\nDATA {form}\n"
    body = table.tobytes() if form == "binary" else "\r\n".join(" ".join(map(repr, row)) for row in table.tolist()).encode()
    np.testing.assert_array_equal(read(head.encode() + body, "a.pcd").points, table[:, [3, 4, 0]].astype(np.float64))


def test_a_huge_file_is_refused_by_its_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media.Blob, "read", lambda _: pytest.fail("the file was read"))
    for name, data in (("a.ply", _ply(100_000_000, "")), ("a.pcd", _pcd(100_000_000, b"")), ("a.off", b"OFF\n100000000 1 0\n")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(SampleError, match="announces 100000000 points") as caught:
            decode_points(Content(media=media.from_path(tmp_path / name, name)), {})
        assert caught.value.code == "TOO_MANY_POINTS"


def test_arrays_and_json() -> None:
    points = np.random.default_rng(0).normal(size=(9, 3))
    for data, name in ((_npy(points), "a.npy"), (_saved(points=points), "a.npz"), (_saved(cloud=points), "b.npz")):
        np.testing.assert_array_equal(read(data, name).points, points)
    np.testing.assert_array_equal(read(b"# x y z colour\n1 2 3 255\n4 5 6e1 0\n", "a.xyz").points, [[1, 2, 3], [4, 5, 60]])
    mesh = read(_saved(vertices=points, faces=np.array([[0, 1, 2]])), "m.npz")
    assert mesh.faces is not None
    assert mesh.faces.tolist() == [[0, 1, 2]]
    assert decode_points(Content(json=[[1, 2, 3]]), {}).points.tolist() == [[1.0, 2.0, 3.0]]


def test_a_scene_keeps_its_transforms_and_joins_its_meshes() -> None:
    scene = trimesh.Scene()
    scene.add_geometry(MESH)
    scene.add_geometry(trimesh.creation.box(), transform=trimesh.transformations.translation_matrix([10, 0, 0]))
    found = read(_bytes(scene, "glb"), "scene.glb")
    assert found.faces is not None
    assert len(found.faces) == 24
    assert found.points[:, 0].max() == pytest.approx(10.5)
    assert (found.points[found.faces[12:], 0] > 5).all() or (found.points[found.faces[:12], 0] > 5).all()


def test_a_cloud_without_faces_is_a_cloud() -> None:
    cloud = trimesh.PointCloud([[0.0, 0, 0], [1, 2, 3]])
    for data, name in (
        (_bytes(cloud, "ply"), "c.ply"),
        (b"v 0 0 0\nv 1 2 3\n", "c.obj"),
        (b"v\t0\t0\t0\nv\t1\t2\t3\n", "c.obj"),
        (b"OFF\n2 0 0\n0 0 0\n1 2 3\n", "c.off"),
    ):
        found = read(data, name)
        assert found.faces is None
        assert found.points.tolist() == [[0, 0, 0], [1, 2, 3]]


def _ply(count: int, body: str, encoding: str = "ascii") -> bytes:
    head = f"ply\nformat {encoding} 1.0\nelement vertex {count}\n" + "".join(f"property float {axis}\n" for axis in "xyz")
    return (head + "end_header\n" + body).encode()


def _pcd(count: int, body: bytes, data: str = "binary") -> bytes:
    head = f"# .PCD v0.7\nVERSION 0.7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH {count}\nHEIGHT 1\nPOINTS {count}\nDATA {data}\n"
    return head.encode() + body


def _archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("shape.ply", _ply(1, "0 0 0\n"))
    return buffer.getvalue()


def _bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 3)})
        archive.writestr("points.npy", head.getvalue() + bytes(1 << 20))
    return buffer.getvalue()


def _glb(document: dict[str, object]) -> bytes:
    body = json.dumps(document).encode()
    body += b" " * (-len(body) % 4)
    return b"glTF" + struct.pack("<III4s", 2, 20 + len(body), len(body), b"JSON") + body


BAD = {
    "archive disguised as PLY": (_archive(), "a.ply", "NOT_3D_DATA"),
    "archive disguised as OBJ": (_archive(), "a.obj", "NOT_3D_DATA"),
    "archive disguised as STL": (_archive(), "a.stl", "NOT_3D_DATA"),
    "archive without arrays": (_archive(), "a.npz", "NOT_3D_DATA"),
    "header of 100 million points, text": (_ply(100_000_000, "0 0 0\n"), "a.ply", "MEDIA_TRUNCATED"),
    "header of 100 million points, binary": (_ply(100_000_000, "x" * 24, "binary_little_endian"), "a.ply", "MEDIA_TRUNCATED"),
    "OFF header of 100 million points": (b"OFF\n100000000 0 0\n0 0 0\n", "a.off", "MEDIA_TRUNCATED"),
    "PCD header of 100 million points": (_pcd(100_000_000, b"x" * 24), "a.pcd", "MEDIA_TRUNCATED"),
    "compressed PCD header of 100 million points": (_pcd(100_000_000, b"x" * 24, "binary_compressed"), "a.pcd", "MEDIA_TRUNCATED"),
    "PCD of fewer lines than it says": (_pcd(10, b"0 0 0\n1 1 1\n" + b"2 " * 40 + b"\n", "ascii"), "a.pcd", "MEDIA_TRUNCATED"),
    "PCD with a line of two numbers": (_pcd(2, b"0 0 0\n1 1\n2 2 2\n", "ascii"), "a.pcd", "NOT_3D_DATA"),
    "PCD of negative sizes": (_pcd(2, b"0" * 24).replace(b"SIZE 4", b"SIZE -4"), "a.pcd", "NOT_3D_DATA"),
    "PCD count of thousands of digits": (_pcd(10**30, b"0"), "a.pcd", "NOT_3D_DATA"),
    "PLY count of thousands of digits": (_ply(1, "0 0 0\n").replace(b"vertex 1", b"vertex " + b"9" * 5000), "a.ply", "MEDIA_TRUNCATED"),
    "PLY count in other digits": (_ply(1, "0 0 0\n").replace(b"vertex 1", b"vertex \xb2"), "a.ply", "NOT_3D_DATA"),
    "OFF count of thousands of digits": (b"OFF\n" + b"9" * 5000 + b" 1 0\n", "a.off", "MEDIA_TRUNCATED"),
    "GLB accessor of infinitely many points": (_glb({"accessors": [{"count": 1e999}]}).replace(b"Infinity", b"1e400   "), "a.glb", "NOT_3D_DATA"),
    "GLB accessor of 100 million points": (_glb({"accessors": [{"count": 100_000_000}]}), "a.glb", "MEDIA_TRUNCATED"),
    "GLB that names another file": (_glb({"buffers": [{"uri": "/etc/passwd", "byteLength": 9}]}), "a.glb", "MEDIA_OUTSIDE_ROOT"),
    "GLB without JSON": (b"glTF" + struct.pack("<III4s", 2, 24, 4, b"JSON") + b"{{{{", "a.glb", "NOT_3D_DATA"),
    "npz bomb": (_bomb(), "a.npz", "ARRAY_TOO_LARGE"),
    "npz cut short": (_saved(points=np.ones((50, 3)))[:300], "a.npz", "NOT_AN_ARRAY"),
    "npy cut short": (_npy(np.ones((50, 3)))[:300], "a.npy", "MEDIA_TRUNCATED"),
    "npy of objects": (_npy(np.array([{}], dtype=object)), "a.npy", "NOT_AN_ARRAY"),
    "npy of another shape": (_npy(np.ones((5, 2))), "a.npy", "WRONG_SHAPE"),
    "one vertex too few": (_ply(3, "0 0 0\n1 2222222 333333\n"), "a.ply", "MEDIA_TRUNCATED"),
    "binary PLY cut short": (_bytes(MESH, "ply")[:-30], "a.ply", "MEDIA_TRUNCATED"),
    "binary STL cut short": (_bytes(MESH, "stl")[:-30], "a.stl", "MEDIA_TRUNCATED"),
    "text STL cut short": (_bytes(MESH, "stl_ascii")[:-60], "a.stl", "MEDIA_TRUNCATED"),
    "GLB cut short": (_bytes(MESH, "glb")[:-30], "a.glb", "MEDIA_TRUNCATED"),
    "OFF cut short": (_bytes(MESH, "off")[:60], "a.off", "MEDIA_TRUNCATED"),
    "NaN": (_ply(2, "0 0 0\n1 nan 0\n"), "a.ply", "NOT_FINITE"),
    "infinity": (_npy(np.array([[0, np.inf, 0]])), "a.npy", "NOT_FINITE"),
    "no point, PLY": (_ply(0, ""), "a.ply", "EMPTY_POINT_SET"),
    "no point, NPY": (_npy(np.zeros((0, 3))), "a.npy", "EMPTY_POINT_SET"),
    "empty file": (b"", "a.ply", "EMPTY_FILE"),
    "face of a vertex that is not there": (_saved(vertices=np.ones((3, 3)), faces=np.array([[0, 1, 3]])), "a.npz", "BAD_FACE"),
    "faces of quads": (_saved(vertices=np.ones((4, 3)), faces=np.array([[0, 1, 2, 3]])), "a.npz", "WRONG_SHAPE"),
    "unknown suffix": (b"0 0 0", "a.step", "UNKNOWN_FORMAT"),
    "two columns of text": (b"0 0\n1 1\n", "a.xyz", "NOT_3D_DATA"),
    "archive disguised as text": (_archive(), "a.xyz", "NOT_3D_DATA"),
    "text as PLY": (b"hello", "a.ply", "NOT_3D_DATA"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_files_name_the_file_and_a_remedy(case: str) -> None:
    data, name, code = BAD[case]
    with pytest.raises(SampleError) as caught:
        read(data, name)
    assert caught.value.code == code, caught.value.message
    assert name in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    "value", [None, 3, {"points": []}, [], [[]], [[1, 2]], [[1, 2, "x"]], [[1, 2, 3], [1, 2]], [[1e400, 0, 0]]]
)
def test_bad_json(value: object) -> None:
    with pytest.raises(SampleError) as caught:
        decode_points(Content(json=value), {})
    assert caught.value.remedy


def test_too_many_points_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "MAX_POINTS", 2)
    with pytest.raises(SampleError, match="announces 3 points"):
        read(_ply(3, "0 0 0\n1 1 1\n2 2 2\n"), "a.ply")


def test_too_many_points_of_an_array_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genlevel_three_d.forms.points.MAX_POINTS", 2)
    with pytest.raises(SampleError, match="has 3 points"):
        decode_points(Content(json=[[0, 0, 0]] * 3), {})


def test_a_bad_shape_costs_coverage_and_not_the_others() -> None:
    scorer = Scorer.of(EVALUATOR, "chamfer_distance", {})
    flat = Content(media=media.from_bytes(b"v 0 0 0\nv 1 1 1\nv 2 2 2\nf 1 2 3\n", "flat.obj"))
    good, far = Content(json=[[0, 0, 0]]), Content(json=[[1, 0, 0]])
    rows, issues = scorer.observe([RawSample("1", flat, (good,)), RawSample("2", far, (good,)), RawSample("3", good, (flat,))])
    value = scorer.finalize(rows)
    assert value.value == 2.0
    assert (value.expected, value.present, value.excluded) == (2, 1, 1)
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [
        ("1", "DEGENERATE_GEOMETRY", "prediction"),
        ("3", "DEGENERATE_GEOMETRY", "reference"),
    ]


@pytest.mark.parametrize("reference", [[[1, 2, 3]], [[0, 0, 0], [1e-200, 0, 0]]])
def test_a_single_place_cannot_be_normalised(reference: list[list[float]]) -> None:
    scorer = Scorer.of(EVALUATOR, "chamfer_distance", {"normalisation": "unit_cube"})
    rows, issues = scorer.observe([RawSample("1", Content(json=[[1, 2, 3]]), (Content(json=reference),))])
    assert scorer.finalize(rows).value is None
    assert issues[0].code == "DEGENERATE_GEOMETRY"
    assert issues[0].severity == "reference"


def test_nothing_heavy_is_imported_to_describe() -> None:
    program = (
        "import sys; from genlevel_three_d.app import EVALUATOR as e; [e.metric(m) for m in e.metric_ids]; e.kinds;"
        "print([m for m in ('torch', 'scipy', 'trimesh', 'open3d') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
