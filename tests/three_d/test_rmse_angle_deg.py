"""rmse_angle_deg: the formula of PCPNet's evaluation written out with arccos, rotations by known angles, files and bad input."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.kinds import Content
from genlevel_three_d.app import EVALUATOR


def value_of(samples: list[RawSample], **parameters: Any) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(EVALUATOR, "rmse_angle_deg", parameters)
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), list(issues)


def unit(random: np.random.Generator, count: int) -> np.ndarray:
    rows = random.normal(size=(count, 3))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def sample(key: str, prediction: Any, reference: Any, **attributes: Any) -> RawSample:
    return RawSample(key, listed(prediction), (listed(reference),), attributes=attributes)


def listed(rows: Any) -> Content:
    return rows if isinstance(rows, Content) else Content(json=np.asarray(rows).tolist())


def by_arccos(prediction: np.ndarray, reference: np.ndarray, oriented: bool) -> np.ndarray:
    dots = np.clip(np.einsum("ni,ni->n", prediction, reference), -1.0, 1.0)
    return np.rad2deg(np.arccos(dots if oriented else np.abs(dots)))


@pytest.mark.parametrize("oriented", [False, True])
def test_it_is_the_formula(oriented: bool) -> None:
    random = np.random.default_rng(3)
    pairs = [(unit(random, n), unit(random, n)) for n in (1, 40, 500)]
    near = unit(random, 300)
    bent = near + 0.1 * random.normal(size=near.shape)
    pairs.append((bent / np.linalg.norm(bent, axis=1, keepdims=True), near))
    found, issues = value_of([sample(str(i), *pair) for i, pair in enumerate(pairs)], oriented=oriented)
    angles = [by_arccos(*pair, oriented) for pair in pairs]
    assert issues == []
    assert found.value == pytest.approx(np.mean([np.sqrt(np.mean(a**2)) for a in angles]), abs=1e-6)
    assert found.companions["pgp5"] == pytest.approx(100 * np.mean([np.mean(a < 5) for a in angles]))
    assert found.companions["pgp10"] == pytest.approx(100 * np.mean([np.mean(a < 10) for a in angles]))
    assert found.companions["point_rmse"] == pytest.approx(np.sqrt(np.mean(np.concatenate(angles) ** 2)), abs=1e-6)
    assert found.companions["oriented" if oriented else "unoriented"] == found.value


def test_a_known_rotation_is_found_even_when_tiny() -> None:
    along_x = np.tile([1.0, 0.0, 0.0], (7, 1))
    for degrees in (0.0, 1e-9, 0.01, 30.0, 89.999, 120.0, 180.0):
        angle = np.radians(degrees)
        turned = np.tile([np.cos(angle), np.sin(angle), 0.0], (7, 1))
        found, _ = value_of([sample("1", turned, along_x)])
        signed, _ = value_of([sample("1", turned, along_x)], oriented=True)
        assert found.value == pytest.approx(min(degrees, 180.0 - degrees), rel=1e-9, abs=1e-13)
        assert signed.value == pytest.approx(degrees, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("kind", [int, float])  # a message has no whole numbers
def test_listed_points_alone_are_scored(kind: type[float]) -> None:
    random = np.random.default_rng(5)
    prediction, reference = unit(random, 50), unit(random, 50)
    chosen = [3, 3, 49, 0]
    found, _ = value_of([sample("1", prediction, reference, indices=[kind(place) for place in chosen])])
    expected, _ = value_of([sample("1", prediction[chosen], reference[chosen])])
    assert found.value == expected.value


def test_subsets_weigh_alike() -> None:
    random = np.random.default_rng(6)
    raws = [sample(str(i), unit(random, 9), unit(random, 9), subset=name) for i, name in enumerate(["clean", "noisy", "noisy", "noisy"])]
    each = [value_of([raw])[0].value or 0.0 for raw in raws]
    assert value_of(raws)[0].value == pytest.approx(np.mean(each))
    found, _ = value_of(raws, average="subsets")
    assert found.value == pytest.approx((each[0] + np.mean(each[1:])) / 2)
    assert found.companions["subsets"] == 2
    assert found.interval is None


def file(name: str, data: bytes) -> Content:
    return Content(media=media.from_bytes(data, name))


def array(rows: np.ndarray, **named: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    if named:
        np.savez(buffer, **named)
    else:
        np.save(buffer, rows)
    return buffer.getvalue()


def ply(rows: np.ndarray, binary: bool, faces: bool = False) -> bytes:
    form = "binary_little_endian" if binary else "ascii"
    head = f"ply\nformat {form} 1.0\nelement vertex {len(rows)}\n" + "".join(f"property float {axis}\n" for axis in ("x", "y", "z", "nx", "ny", "nz"))
    table = np.column_stack([np.arange(3 * len(rows)).reshape(-1, 3), rows]).astype("<f4")
    head += "element face 1\nproperty list uchar int vertex_indices\nend_header\n" if faces else "end_header\n"
    body = table.tobytes() if binary else "".join(" ".join(f"{value:.9g}" for value in row) + "\n" for row in table).encode()
    last = (b"\x03" + np.array([0, 1, 2], "<i4").tobytes() if binary else b"3 0 1 2\n") if faces else b""
    return head.encode() + body + last


def test_every_file_says_the_same() -> None:
    random = np.random.default_rng(7)
    truth, rows = unit(random, 20), unit(random, 20)
    text = "".join(f"{x:.7f} {y:.7f} {z:.7f}\n" for x, y, z in rows).encode()
    files = {
        "n.npy": array(rows), "n.npz": array(rows, normals=rows), "one.npz": array(rows, whatever=rows), "n.normals": text, "n.xyz": text,
        "a.ply": ply(rows, binary=False), "b.ply": ply(rows, binary=True), "m.ply": ply(rows, binary=True, faces=True), "c.ply": ply(rows, binary=False, faces=True),
    }  # fmt: skip
    expected = value_of([sample("1", rows, truth)])[0].value
    for name, data in files.items():
        found, issues = value_of([sample("1", file(name, data), truth)])
        assert issues == []
        assert found.value == pytest.approx(expected, abs=1e-4), name


@pytest.mark.parametrize(
    ("prediction", "code"),
    [
        ([], "EMPTY_POINT_SET"),
        ([[0, 0, 1]], "LENGTH_MISMATCH"),
        ([[0, 0, 1], [0, 0, 2]], "NOT_A_UNIT_VECTOR"),
        ([[0, 0, 1], [0, 0, 0]], "NOT_A_UNIT_VECTOR"),
        ([[0, 1], [1, 0]], "WRONG_SHAPE"),
        ([[0, 0, 1], [0, "x", 1]], "WRONG_SHAPE"),
        (Content(text="up"), "WRONG_TYPE"),
        (file("n.npy", b""), "EMPTY_FILE"),
        (file("n.png", b"x"), "UNKNOWN_FORMAT"),
        (file("n.npy", b"PK\x03\x04 no archive"), "NOT_AN_ARRAY"),
        (file("n.normals", b"a b c\n"), "NOT_3D_DATA"),
        (file("n.normals", b"PK\x03\x04"), "NOT_3D_DATA"),
        (file("n.npy", array(np.array([[0, 0, 1], [0, np.nan, 1]]))), "NOT_FINITE"),
        (file("n.npy", array(np.array([[0, 0, 1], [0, 1e300, 1]]))), "NOT_A_UNIT_VECTOR"),
        (file("n.npz", array(np.zeros(1), a=np.zeros(3), b=np.zeros(3))), "NOT_3D_DATA"),
        (file("n.ply", b"ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\nproperty float z\nend_header\n0 0 0\n"), "NOT_3D_DATA"),
        (file("n.ply", ply(np.eye(3), binary=True).replace(b"vertex 3", b"vertex 100000000")), "MEDIA_TRUNCATED"),
    ],
)
def test_bad_predictions_are_issues(prediction: Any, code: str) -> None:
    given = prediction if isinstance(prediction, Content) else Content(json=prediction)
    found, issues = value_of([RawSample("1", given, (listed([[0, 0, 1], [0, 1, 0]]),)), sample("2", [[1, 0, 0]], [[1, 0, 0]])])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("1", code, "prediction")]
    assert issues[0].remedy
    assert (found.value, found.present, found.expected) == (0.0, 1, 2)


@pytest.mark.parametrize("indices", [[], [2], [-1], ["0"], [0.5], "0", [True]])
def test_bad_lists_of_points_are_issues_of_the_reference(indices: Any) -> None:
    _, issues = value_of([sample("1", [[0, 0, 1]], [[0, 0, 1]], indices=indices)])
    assert [issue.severity for issue in issues] == ["reference"]
