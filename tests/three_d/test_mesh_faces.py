"""Faces of PLY and OBJ files: what trimesh reads from text is what is read, and bad faces give a clear error."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import trimesh

from genlevel_evaluator import media
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content
from genlevel_three_d import headers
from genlevel_three_d.forms.points import decode_points
from genlevel_three_d.shapes import PointSet

HEAD = "ply\nformat {} 1.0\nelement vertex 9\nproperty float x\nproperty float y\nproperty float z\n"


def decode(data: bytes, name: str) -> PointSet:
    found = decode_points(Content(media=media.from_bytes(data, name)), {})
    assert isinstance(found, PointSet)
    return found


def _mixed(faces: list[list[int]], order: str = "<", length: str = "uchar", edges: bool = False, extra: bool = False) -> bytes:
    """A binary PLY of nine points whose faces differ in corners; colours, texture coordinates and edges where asked for."""
    head = HEAD.format("binary_little_endian" if order == "<" else "binary_big_endian") + "element edge 1\nproperty list int short ends\n" * edges + f"element face {len(faces)}\n" + "property float quality\n" * extra
    head += f"property list {length} int vertex_indices\n" + "property uchar red\nproperty uchar green\nproperty uchar blue\nproperty list uchar float texcoord\n" * extra
    body = np.random.default_rng(5).normal(size=(9, 3)).astype(order + "f4").tobytes() + struct.pack(order + "ihh", 2, 0, 1) * edges
    for place, face in enumerate(faces):
        body += struct.pack(order + "f", 0.5) * extra + struct.pack(f"{order}{'B' if length == 'uchar' else 'I'}{len(face)}i", len(face), *face)
        body += (bytes([place, 2 * place, 7, 2 * len(face)]) + bytes(8 * len(face))) * extra
    return (head + "end_header\n").encode() + body


def _as_text(faces: list[list[int]]) -> bytes:
    points = np.random.default_rng(5).normal(size=(9, 3)).astype("f4").tolist()
    lines = [" ".join(map(repr, point)) for point in points] + [" ".join(map(str, [len(face), *face])) for face in faces]
    return f"{HEAD.format('ascii')}element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n".encode() + "\n".join(lines).encode()


POLYGONS = {
    "triangles and quads": [[0, 1, 2], [3, 4, 5, 6], [6, 7, 8], [0, 2, 4, 6]], "all lengths": [[8, 7], [0, 1, 2, 3, 4], [0, 1, 2], [1], [4, 3, 2, 1], [2, 3, 4, 5, 6, 7], [5, 6, 7]],
    "pentagons": [[0, 1, 2, 3, 4], [4, 5, 6, 7, 8]], "quads": [[0, 1, 2, 3], [4, 5, 6, 7]],
}  # fmt: skip


@pytest.mark.parametrize("extra", [False, True])
@pytest.mark.parametrize("name", POLYGONS)
def test_faces_of_binary_ply_are_those_that_trimesh_reads_from_text(name: str, extra: bool) -> None:
    text = trimesh.load(io.BytesIO(_as_text(POLYGONS[name])), file_type="ply", process=False)
    for order, length, edges in (("<", "uchar", False), (">", "uint", True)):
        found = decode(_mixed(POLYGONS[name], order, length, edges, extra), "mixed.ply")
        np.testing.assert_array_equal(found.points, text.vertices)
        np.testing.assert_array_equal(found.faces, text.faces)


def test_the_corners_of_obj_count_from_one_or_backwards_from_their_line() -> None:
    square = "v 0 0 {0}\nv 1 0 {0}\nv 0 1 {0}\nvt 0 0\nvt 1 0\nvt 0 1\n"
    found = decode((square.format(0) + "f -3/-3 -2/-2 -1/-1\n" + square.format(5) + "f\t-3 \\\n-2 -1\nf 1 -1 2 # f 0\n").encode(), "a.obj")
    assert found.faces is not None
    assert found.faces.tolist() == [[0, 1, 2], [3, 4, 5], [0, 5, 1]]
    for face, line in (("f 0 1 2", 7), ("f 1 2 3\nf 1//1 2//1 0//1", 8), ("f 1 2 \\\n0", 8), ("f -4 -2 -1", 7), ("f 1 2 -", 7)):
        with pytest.raises(SampleError, match=f"line {line} of a.obj") as caught:
            decode((square.format(0) + face + "\n").encode(), "a.obj")
        assert caught.value.code == "BAD_FACE"


BAD = {
    "cut short": (_mixed([[0, 1, 2], [3, 4, 5, 6], [6, 7, 8]])[:-3], "MEDIA_TRUNCATED"),
    "more behind": (_mixed([[0, 1, 2], [3, 4, 5, 6]]) + b"\n", "NOT_3D_DATA"),
    "a list longer than the file": (_mixed([[0, 1, 2], [3, 4, 5, 6]]).replace(b"\4\3\0", b"\xff\3\0"), "MEDIA_TRUNCATED"),
    "a face of a vertex that is not there": (_mixed([[0, 1, 2], [3, 4, 5, 9]]), "BAD_FACE"),
    "faces without corners": (_mixed([[0, 1, 2]], extra=True).replace(b"vertex_indices", b"something_else"), "NOT_3D_DATA"),
    "text without its last face": (_as_text([[0, 1, 2], [3, 4, 5], [6, 7, 8]])[:-8], "MEDIA_TRUNCATED"),
    "text cut within its last face": (_as_text([[0, 1, 2], [6, 7, 8]])[:-2], "MEDIA_TRUNCATED"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_faces_of_ply_name_the_file_and_a_remedy(case: str) -> None:
    data, code = BAD[case]
    with pytest.raises(SampleError, match=r"a\.ply") as caught:
        decode(data, "a.ply")
    assert caught.value.code == code, caught.value.message
    assert caught.value.remedy


def test_polygons_that_make_too_many_triangles_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headers, "MAX_POINTS", 9)
    with pytest.raises(SampleError, match="10 triangles"):
        decode(_mixed([[0, 1, 2, 3, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6]]), "a.ply")
