"""Colours of shapes from files: what programs wrote is what is read, and bad files give a clear error."""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import numpy as np
import open3d
import pytest
import trimesh
from PIL import Image

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content
from genlevel_three_d import scene_files
from genlevel_three_d.app import EVALUATOR
from genlevel_three_d.decode import KINDS
from genlevel_three_d.forms.views import Views
from genlevel_three_d.scene import GREY, Scene

BOX = trimesh.creation.box()
COLOURS = np.random.default_rng(3).integers(0, 256, (8, 3), dtype=np.uint8)


def read(data: bytes | str, name: str) -> Scene:
    found = KINDS["views"].read(Content(media=media.from_bytes(data.encode() if isinstance(data, str) else data, name)), "prediction", {})
    assert isinstance(found, Scene)
    return found


def refused(content: Content, side: str = "prediction", kind: str = "views") -> SampleError:
    with pytest.raises(SampleError) as error:
        KINDS[kind].read(content, side, {})
    assert error.value.remedy
    return error.value


def coloured() -> trimesh.Trimesh:
    return trimesh.Trimesh(BOX.vertices, BOX.faces, vertex_colors=COLOURS, process=False)


def textured(size: tuple[int, int] = (4, 2)) -> trimesh.Trimesh:
    pixels = np.random.default_rng(4).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    uv = np.array(BOX.vertices)[:, :2] + 0.5
    material = trimesh.visual.material.PBRMaterial(baseColorTexture=Image.fromarray(pixels), baseColorFactor=[255, 128, 0, 255])
    return trimesh.Trimesh(BOX.vertices, BOX.faces, visual=trimesh.visual.TextureVisuals(uv=uv, material=material), process=False)


@pytest.mark.parametrize("suffix", ["ply", "glb", "obj", "off"])
def test_colours_of_corners(suffix: str) -> None:
    found = read(coloured().export(file_type=suffix), f"a.{suffix}")
    assert found.colours is not None
    assert found.faces is not None
    order = [int(np.argmin(np.abs(found.points - corner).sum(axis=1))) for corner in np.asarray(BOX.vertices)]
    if suffix == "off":  # trimesh writes no colours there
        assert (found.colours == GREY).all()
    else:
        np.testing.assert_array_equal(found.colours[order], COLOURS)


def test_colours_of_faces() -> None:
    head = "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nelement face 2\nproperty list uchar int vertex_indices\n"
    text = head + "property uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2 255 0 9\n3 2 1 0 1 2 3\n"
    found = read(text, "f.ply")
    assert found.face_colours is not None
    assert found.face_colours.tolist() == [[255, 0, 9], [1, 2, 3]]
    np.testing.assert_allclose(found.colours_of_faces(np.array([1]), np.full((1, 3), 1 / 3)), [[1, 2, 3]])


def test_colours_of_polygons_go_with_their_triangles() -> None:
    head = "ply\nformat binary_little_endian 1.0\nelement vertex 4\n" + "".join(f"property float {axis}\n" for axis in "xyz")
    head += "element face 2\nproperty list uchar int vertex_indices\n" + "".join(f"property uchar {name}\n" for name in ("red", "green", "blue")) + "end_header\n"
    body = np.eye(4, 3, dtype="<f4").tobytes()
    for first, colours in (([0, 1, 2], [[1, 2, 3], [4, 5, 6], [4, 5, 6]]), ([3, 2, 1, 0], [[1, 2, 3], [4, 5, 6], [1, 2, 3], [4, 5, 6]])):
        faces = b"".join(struct.pack(f"<B{len(face)}i", len(face), *face) + bytes(own) for face, own in ((first, [1, 2, 3]), ([0, 1, 2, 3], [4, 5, 6])))
        found = read(head.encode() + body + faces, "quads.ply")
        assert found.face_colours is not None
        assert found.face_colours.tolist() == colours


def test_textures_and_base_colours_of_glb() -> None:
    scene = trimesh.Scene([textured(), coloured().apply_translation([3, 0, 0])])
    found = read(scene.export(file_type="glb"), "s.glb")
    assert found.texture_of is not None
    assert found.corners is not None
    assert len(found.textures) == 1
    assert sorted(np.unique(found.texture_of)) == [-1, 0]
    picture = textured().visual.material.baseColorTexture
    np.testing.assert_array_equal(found.textures[0], np.asarray(picture.convert("RGB")))
    face = int(np.flatnonzero(found.texture_of == 0)[0])
    weights = np.array([[0.5, 0.3, 0.2]])
    u, v = (weights[0] @ found.corners[found.faces[face]]).tolist()  # type: ignore[index]
    column, row = int(np.floor(u * 4)) % 4, int(np.floor((1 - v) * 2)) % 2
    expected = found.textures[0][row, column] * np.array([255, 128, 0]) / 255
    np.testing.assert_allclose(found.colours_of_faces(np.array([face]), weights)[0], expected, atol=1.0)
    assert np.ptp(found.points[:, 0]) == pytest.approx(4.0)  # the second is where the scene puts it


def test_base_colour_without_a_texture() -> None:
    material = trimesh.visual.material.PBRMaterial(baseColorFactor=[10, 20, 30, 255])
    mesh = trimesh.Trimesh(BOX.vertices, BOX.faces, visual=trimesh.visual.TextureVisuals(uv=np.zeros((8, 2)), material=material), process=False)
    found = read(mesh.export(file_type="glb"), "b.glb")
    assert found.colours is not None
    assert np.unique(found.colours, axis=0).tolist() == [[10, 20, 30]]


QUADS = "mtllib my box.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 1 1 0\nusemtl red\nf 1 2 3\nusemtl none\nf 2 3 4\nusemtl blue\nf 1 2 4\n"
MATERIALS = "newmtl red\nKd 1 0 0.5\nmap_Kd x.png\nnewmtl blue\nKa 1 1 1\nKd 0 0.2 1\n"


def with_material(text: str, given: str = MATERIALS, name: str = "a.obj") -> Content:
    return Content(json={"shape": media.from_bytes(text.encode(), name), "material": media.from_bytes(given.encode(), "my box.mtl")})


def test_an_obj_has_the_colours_of_its_material_file() -> None:
    for kind, side in (("views", "prediction"), ("views", "reference"), ("views_image", "prediction")):
        found = KINDS[kind].read(with_material(QUADS), side, {})
        assert found.faces is not None
        seen = {tuple(sorted(map(tuple, found.points[face].astype(int).tolist()))): tuple(found.colours[face[0]].tolist()) for face in found.faces}
        first, second, third = ((0, 0, 0), (0, 1, 0), (1, 0, 0)), ((0, 1, 0), (1, 0, 0), (1, 1, 0)), ((0, 0, 0), (1, 0, 0), (1, 1, 0))
        assert seen == {first: (255, 0, 128), second: (GREY, GREY, GREY), third: (0, 51, 255)}
        assert found.remains == ""
    plain = read(QUADS, "a.obj")
    assert plain.colours is not None
    assert np.unique(plain.colours).tolist() == [GREY]
    assert plain.remains == "my box.mtl"
    assert plain.sha256 != KINDS["views"].read(with_material(QUADS), "prediction", {}).sha256


def test_a_material_file_that_was_not_given_is_told() -> None:
    scorer = Scorer.of(EVALUATOR, "clip_score_image", {})
    shape, picture = media.from_bytes(QUADS.encode(), "a.obj"), Content(media=media.from_bytes(photo(), "p.png"))
    _, issues = scorer.observe([RawSample("1", Content(media=shape), (picture,)), RawSample("2", with_material(QUADS), (picture,))])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("1", "MATERIAL_MISSING", "warning")]
    assert "my box.mtl" in issues[0].message


def test_bad_materials_are_refused() -> None:
    assert refused(with_material(QUADS, "Kd 1 0 0")).code == "NOT_3D_DATA"
    assert refused(with_material(QUADS, name="a.ply")).code == "WRONG_TYPE"
    assert refused(Content(json={"shape": media.from_bytes(b"0 0 0", "a.xyz"), "material": 3})).code == "WRONG_TYPE"


def test_colours_of_clouds(tmp_path: Any) -> None:
    points = np.random.default_rng(5).random((8, 3)).round(4)
    for suffix in ("ply", "glb"):
        found = read(trimesh.PointCloud(points, colors=COLOURS).export(file_type=suffix), f"c.{suffix}")
        np.testing.assert_array_equal(found.colours, COLOURS)
    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points))
    cloud.colors = open3d.utility.Vector3dVector(COLOURS / 255.0)
    open3d.io.write_point_cloud(str(tmp_path / "c.pcd"), cloud)
    np.testing.assert_array_equal(read((tmp_path / "c.pcd").read_bytes(), "c.pcd").colours, COLOURS)
    as_floats = {"points": points, "colors": COLOURS / 255.0}
    point_e = {"coords": points, **{name: COLOURS[:, i] / np.float32(255) for i, name in enumerate("RGB")}}
    for arrays in (as_floats, {**as_floats, "colors": COLOURS}, point_e):
        np.testing.assert_array_equal(read(saved(**arrays), "c.npz").colours, COLOURS)
    buffer = io.BytesIO()
    np.save(buffer, np.column_stack([points, COLOURS / 255.0]))
    np.testing.assert_array_equal(read(buffer.getvalue(), "c.npy").colours, COLOURS)
    assert read("0 0 0\n1 1 1\n", "c.xyz").colours is None


def saved(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def photo(size: tuple[int, int] = (5, 4), **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (9, 8, 7)).save(buffer, "PNG", **options)
    return buffer.getvalue()


def file(data: bytes, name: str) -> Content:
    return Content(media=media.from_bytes(data, name))


def test_given_pictures_and_what_they_are_held_against() -> None:
    one, two = (media.from_bytes(photo(size), "a.png") for size in ((5, 4), (3, 3)))
    found = KINDS["views"].read(Content(json=[one, two]), "prediction", {})
    assert [picture.size for picture in found.pictures] == [(5, 4), (3, 3)]
    single = KINDS["views_image"].read(Content(media=one), "reference", {})
    assert isinstance(single, Views)
    assert isinstance(KINDS["views"].read(Content(media=one), "prediction", {}), Views)
    assert isinstance(KINDS["views"].read(Content(json={"shape": media.from_bytes(b"0 0 0\n", "a.xyz")}), "reference", {}), Scene)
    other_order = KINDS["views"].read(Content(json=[two, one]), "prediction", {})
    assert len({found.sha256, other_order.sha256, single.sha256, one.sha256}) == 4


def test_the_suffix_is_part_of_what_features_are_remembered_by() -> None:
    assert len({read("0 0 0\n", name).sha256 for name in ("a.xyz", "b.xyz")}) == 1
    assert read(saved(points=np.zeros((1, 3))), "a.npz").sha256 != read(saved(points=np.zeros((1, 3))), "a.npy").sha256


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (Content(text="a chair"), "WRONG_TYPE"),
        (Content(json=[]), "WRONG_TYPE"),
        (Content(json=[[0, 0, 0]]), "WRONG_TYPE"),
        (Content(json=[media.from_bytes(photo(), "a.png")] * 65), "TOO_MANY_VIEWS"),
        (Content(json=[media.from_bytes(photo(), "a.png"), media.from_bytes(b"no picture", "b.png")]), "UNREADABLE"),
        (file(b"", "a.ply"), "EMPTY_FILE"),
        (file(b"PK\x03\x04 an archive", "a.ply"), "NOT_3D_DATA"),
        (file(b"x", "a.fbx"), "UNKNOWN_FORMAT"),
        (file(saved(points=np.zeros((0, 3))), "a.npz"), "EMPTY_POINT_SET"),
        (file(saved(points=np.zeros((2, 3)), colors=np.zeros((3, 3))), "a.npz"), "WRONG_SHAPE"),
        (file(saved(points=np.zeros((2, 3)), R=np.zeros(2), G=np.zeros(3), B=np.zeros(2)), "a.npz"), "WRONG_SHAPE"),
        (file(saved(points=np.zeros((2, 3)), colors=np.full((2, 3), np.nan)), "a.npz"), "NOT_FINITE"),
        (file(saved(points=np.full((2, 3), np.inf)), "a.npz"), "NOT_FINITE"),
        (file(saved(vertices=np.zeros((2, 3)), faces=np.array([[0, 1, 2]])), "a.npz"), "BAD_FACE"),
        (file(saved(cloud=np.zeros(2), other=np.zeros(2)), "a.npz"), "NOT_3D_DATA"),
    ],
)
def test_bad_shapes_are_refused(content: Content, code: str) -> None:
    assert refused(content).code == code


def test_pictures_of_16_bits_and_too_many_pixels_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import cv2

    deep = cv2.imencode(".png", np.zeros((3, 3, 3), np.uint16))[1].tobytes()
    assert refused(file(deep, "a.png"), "reference", "views_image").code == "WRONG_TYPE"
    assert refused(Content(text="x"), "reference", "views_image").code == "WRONG_TYPE"
    monkeypatch.setattr("genlevel_three_d.forms.views.MOST_PIXELS", 30)
    error = refused(Content(json=[media.from_bytes(photo(), "a.png")] * 2))
    assert error.code == "IMAGE_TOO_LARGE"


def test_large_textures_are_refused_before_they_are_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene_files, "MOST_TEXELS", 7)
    assert refused(file(textured().export(file_type="glb"), "a.glb")).code == "IMAGE_TOO_LARGE"


def test_a_damaged_texture_is_an_issue_and_not_a_grey_shape() -> None:
    data = textured((64, 64)).export(file_type="glb")
    start = data.index(b"\x89PNG")
    broken = data[: start + 60] + bytes(40) + data[start + 100 :]
    assert refused(file(broken, "a.glb")).code in ("NOT_3D_DATA", "MEDIA_TRUNCATED")


def test_other_files_are_not_read() -> None:
    """A GLB whose picture lies elsewhere has no texture to be looked up."""
    data = textured().export(file_type="glb")
    length = struct.unpack_from("<I", data, 12)[0]
    tree = json.loads(data[20 : 20 + length])
    tree["images"] = [{"uri": "/etc/hostname"}]
    text = json.dumps(tree).encode()
    text += b" " * (-len(text) % 4)
    rest = data[20 + length :]
    changed = struct.pack("<4sII", b"glTF", 2, 20 + len(text) + len(rest)) + struct.pack("<I4s", len(text), b"JSON") + text + rest
    assert refused(file(changed, "a.glb")).code == "MEDIA_OUTSIDE_ROOT"
