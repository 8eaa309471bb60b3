"""Odd, damaged and hostile files in every kind of picture: a right value, or an issue that names file, sample, cause and remedy."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.errors import SampleError
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.pixels import pictures
from genlevel_image.decode import KINDS
from tests.image.files import encoded, file_of, sample
from tests.image.odd_pictures import (
    GREY,
    JPEG,
    LABELS,
    LOSSLESS,
    LOSSY,
    MASK,
    PHOTO,
    READ,
    REFUSED,
    array_file,
    huge_array,
    many_scans,
    opencv,
    palette,
    png,
    saved,
    turned,
)  # fmt: skip
from tests.image.scoring import value_of

FILE_KINDS = ("image", "masks", "maps", "depth", "matting")


def read(kind: str, data: bytes, name: str = "odd.png", side: str = "prediction") -> Any:
    return KINDS[kind].read(file_of(data, name), side, {})


def read_or_remedy(kind: str, data: bytes, name: str, side: str) -> Any:
    try:
        return read(kind, data, name, side)
    except SampleError as error:
        return error.remedy


def refused(kind: str, data: bytes, name: str = "odd.png", side: str = "prediction") -> SampleError:
    with pytest.raises(SampleError) as caught:
        read(kind, data, name, side)
    assert name in caught.value.message
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("case", READ)
def test_odd_pictures_have_the_right_pixels(case: str) -> None:
    data, expected = READ[case]
    found = read("image", data, "odd.jpg")  # what it is its bytes say, not its name
    assert found.pixels.dtype == expected.dtype
    assert np.array_equal(found.pixels, expected)


@pytest.mark.parametrize("case", [case for case in READ if "transparen" not in case and "alpha" not in case and "palette" not in case and case not in ("orientation of a TIFF", "no end mark")])
def test_opencv_reads_the_same_pixels(case: str) -> None:
    data, expected = READ[case]
    theirs = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION)
    assert np.array_equal(theirs[:, :, ::-1], expected)


@pytest.mark.parametrize("case", LOSSY)
def test_lossy_pictures_are_what_opencv_reads(case: str) -> None:
    theirs = cv2.imdecode(np.frombuffer(LOSSY[case], np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    difference = np.abs(read("image", LOSSY[case]).pixels.astype(int) - theirs)
    assert difference.mean() < 1.5, "two roundings of the same transform"
    assert np.abs(theirs.astype(int) - (GREY[:, :, None] if "grey" in case else PHOTO)).mean() < 6, "and it is this picture, not its negative"


def test_orientation_of_a_jpeg_is_not_applied() -> None:
    assert read("image", turned("JPEG")).size == (31, 22)


@pytest.mark.parametrize("kind", [*FILE_KINDS, "truth"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_in_every_kind(case: str, kind: str) -> None:
    data, code, part = REFUSED[case]
    error = refused("maps" if kind == "truth" else kind, data, side="reference" if kind == "truth" else "prediction")
    assert (error.code, part in error.message) == (code, True), error.message


@pytest.mark.parametrize("case", REFUSED)
def test_files_inside_json_are_refused_by_name(case: str) -> None:
    data, code, _ = REFUSED[case]
    blob = media.from_bytes(data, "odd.png")
    for kind, value in (("panoptic", {"image": blob, "segments": []}), ("instances", [{"label": "a", "mask": blob}])):
        with pytest.raises(SampleError, match=r"odd\.png") as caught:
            KINDS[kind].read(Content(json=value), "prediction", {})
        assert (caught.value.code, bool(caught.value.remedy)) == (code, True)


GOOD = {
    "psnr": (encoded(PHOTO), encoded(PHOTO)), "miou": (encoded(LABELS), encoded(LABELS)), "sad": (encoded(GREY), encoded(GREY)),
    "roc_auc": (encoded(MASK), encoded(MASK)), "depth_rms": (opencv(GREY.astype(np.uint16) + 1000, ".png"),) * 2,
}  # fmt: skip


@pytest.mark.parametrize("metric", GOOD)
@pytest.mark.parametrize("side", ["prediction", "reference"])
def test_other_samples_are_unharmed(metric: str, side: str) -> None:
    guess, truth = GOOD[metric]
    good = sample("good", file_of(guess, "good.png"), file_of(truth, "good.png"))
    bad = [
        sample(f"bad {place}", file_of(*((data, "bad.png") if side == "prediction" else (guess,))), file_of(*((data, "bad.png") if side == "reference" else (truth,))))
        for place, (data, _, _) in enumerate(REFUSED.values())
    ]
    alone, _ = value_of(metric, [good, *(sample(raw.id, None, file_of(truth)) for raw in bad if side == "prediction")])
    found, issues = value_of(metric, [good, *bad])
    assert found.value == alone.value
    assert {issue.sample_id for issue in issues} == {raw.id for raw in bad}
    assert {(issue.file, issue.severity) for issue in issues} == {("bad.png", side)}
    assert all(issue.message and issue.remedy for issue in issues)
    assert (found.expected, found.excluded) == ((1, len(REFUSED)) if side == "reference" else (len(REFUSED) + 1, 0))


LABEL_FILES: dict[str, tuple[bytes, str, NDArray[Any]]] = {
    "class numbers": (encoded(LABELS), "m.png", LABELS),
    "of two bits": (png(4, 1, 2, 0, b"\0\x1b"), "m.png", np.array([[0, 1, 2, 3]])),
    "of four bits": (png(4, 1, 4, 0, b"\0\x1f\x09"), "m.png", np.array([[1, 15, 0, 9]])),
    "of one bit": (saved(Image.fromarray(LABELS > 1)), "m.png", LABELS > 1),
    "of 16 bits": (opencv(LABELS.astype(np.uint16) * 999, ".png"), "m.png", LABELS.astype(int) * 999),
    "of 32 bits": (saved(Image.fromarray(LABELS.astype(np.int32) * 70_000), "TIFF"), "m.tif", LABELS.astype(int) * 70_000),
    "a palette": (palette(), "m.png", np.asarray(Image.open(io.BytesIO(palette())))),
    "written to three channels": (encoded(np.repeat(LABELS[:, :, None], 3, axis=2)), "m.png", LABELS),
    "with an alpha that hides nothing": (encoded(np.dstack([LABELS] * 3 + [np.full_like(LABELS, 255)])), "m.png", LABELS),
    "16 bits in three channels": (opencv(np.repeat(LABELS.astype(np.uint16)[:, :, None] * 999, 3, axis=2), ".png"), "m.png", LABELS.astype(int) * 999),
    "interlaced": (READ["interlaced"][0], "m.png", GREY),
    "an array": (array_file(LABELS.astype(np.int64)), "m.npy", LABELS),
    "an array of truth values": (array_file(LABELS > 1), "m.npy", LABELS > 1),
}  # fmt: skip


@pytest.mark.parametrize("case", LABEL_FILES)
def test_class_numbers_are_what_was_saved(case: str) -> None:
    data, name, expected = LABEL_FILES[case]
    assert np.array_equal(read("masks", data, name).labels, expected)


@pytest.mark.parametrize("kind", ["masks", "truth"])
@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_black_and_white_jpeg_is_a_mask_with_a_warning(kind: str, form: str, channels: int) -> None:
    data = saved(Image.fromarray(MASK if channels == 1 else np.repeat(MASK[:, :, None], 3, axis=2)), form, quality=60)
    found = read("masks", data, "m.jpg").labels if kind == "masks" else read("maps", data, "m.jpg", "reference").mask
    assert np.array_equal(found > 0, MASK > 0)
    metric, guess = ("miou", encoded(MASK)) if kind == "masks" else ("roc_auc", encoded(MASK))
    value, issues = value_of(metric, [sample("1", file_of(guess), file_of(data, "m.jpg"))])
    assert value.value == 100.0
    assert [(issue.code, issue.severity) for issue in issues] == [("LOSSY_MASK", "warning")]


@pytest.mark.parametrize("kind", ["masks", "truth"])
@pytest.mark.parametrize("pixels", [LABELS * 20, np.kron(LABELS, np.ones((8, 8), np.uint8)), PHOTO, np.full((8, 8), 90, np.uint8)])
def test_numbers_in_a_jpeg_are_refused(kind: str, pixels: NDArray[np.uint8]) -> None:
    error = refused("masks" if kind == "masks" else "maps", saved(Image.fromarray(pixels), "JPEG"), "m.jpg", "prediction" if kind == "masks" else "reference")
    assert error.code == "LOSSY_MASK"


def test_a_mask_of_an_instance_is_no_jpeg() -> None:
    with pytest.raises(SampleError, match="changes numbers") as caught:
        KINDS["instances"].read(Content(json=[{"label": "a", "mask": media.from_bytes(saved(Image.fromarray(MASK), "JPEG"), "m.jpg")}]), "prediction", {})
    assert caught.value.pointer == "/0/mask"


NOT_NUMBERS: dict[str, tuple[bytes, str, tuple[str, ...], str]] = {
    "a colour picture": (LOSSLESS, "m.png", ("masks", "maps", "truth", "matting", "depth"), "WRONG_TYPE"),
    "an alpha that hides": (encoded(np.dstack([LABELS, LABELS])), "m.png", ("masks", "maps", "truth", "matting"), "WRONG_TYPE"),
    "CMYK": (LOSSY["CMYK of Adobe, inverted"], "m.jpg", ("maps", "matting", "depth"), "WRONG_TYPE"),
    "a TIFF of floats": (encoded(GREY.astype(np.float32), "TIFF"), "m.tif", ("masks", "image"), "WRONG_TYPE"),
    "a TIFF of floats beyond 1": (encoded(GREY.astype(np.float32), "TIFF"), "m.tif", ("maps", "matting"), "OUT_OF_RANGE"),
    "a TIFF of NaN": (encoded(np.full((3, 3), np.nan, np.float32), "TIFF"), "m.tif", ("maps", "matting", "truth"), "NOT_FINITE"),
    "a TIFF of 32 bits": (encoded(GREY.astype(np.int32), "TIFF"), "m.tif", ("image", "maps", "matting"), "WRONG_TYPE"),
    "8 bits": (encoded(GREY), "m.png", ("depth",), "WRONG_TYPE"),
    "an array that is a picture": (LOSSLESS, "m.npy", ("masks", "maps", "truth", "matting", "depth"), "NOT_AN_ARRAY"),
    "an array of objects": (array_file(np.array([{}], dtype=object)), "m.npy", ("masks", "maps", "truth", "matting", "depth"), "NOT_AN_ARRAY"),
    "an array of three axes": (array_file(np.zeros((2, 2, 3), np.float32)), "m.npy", ("masks", "maps", "truth", "matting", "depth"), "WRONG_SHAPE"),
    "an array of nothing": (array_file(np.zeros((0, 3), np.float32)), "m.npy", ("masks", "maps", "truth", "matting", "depth"), "WRONG_SHAPE"),
    "an array of floats as labels": (array_file(np.zeros((2, 2))), "m.npy", ("masks",), "WRONG_TYPE"),
    "an array of labels beyond 32 bits": (array_file(np.full((2, 2), 2**40)), "m.npy", ("masks",), "OUT_OF_RANGE"),
    "a cut array": (array_file(np.zeros((40, 40), np.float32))[:-9], "m.npy", ("masks", "maps", "truth", "matting", "depth"), "MEDIA_TRUNCATED"),
    "an array of 16 PB": (huge_array(), "m.npy", ("masks", "maps", "truth", "matting", "depth"), "ARRAY_TOO_LARGE"),
    "a long array": (array_file(np.zeros((1, 16_385), np.float32)), "m.npy", ("masks", "maps", "truth", "matting", "depth"), "IMAGE_TOO_LARGE"),
}  # fmt: skip


@pytest.mark.parametrize(("case", "kind"), [(case, kind) for case, (_, _, kinds, _) in NOT_NUMBERS.items() for kind in kinds])
def test_what_holds_no_numbers_of_that_kind_is_refused(case: str, kind: str) -> None:
    data, name, _, code = NOT_NUMBERS[case]
    error = refused("maps" if kind == "truth" else kind, data, name, "reference" if kind == "truth" else "prediction")
    assert error.code == code, error.message


def test_segment_numbers_are_never_cut_to_8_bits() -> None:
    deep = np.repeat(LABELS.astype(np.uint16)[:, :, None] * 300, 3, axis=2)
    for data in (opencv(deep, ".png"), JPEG, palette(), saved(Image.fromarray(PHOTO), "WEBP")):
        with pytest.raises(SampleError, match=r"odd\.png") as caught:
            KINDS["panoptic"].read(Content(json={"image": media.from_bytes(data, "odd.png"), "segments": [{"id": 1, "label": 1}]}), "prediction", {})
        assert caught.value.code == "WRONG_TYPE"


def test_labels_that_no_reference_knows_are_errors_and_not_faults() -> None:
    strange = LABELS.copy()
    strange[0, :] = 200
    value, issues = value_of("miou", [sample("1", file_of(encoded(strange)), file_of(encoded(LABELS)))])
    pairs = [(strange == label, np.equal(LABELS, label)) for label in range(4)]
    assert value.value == pytest.approx(100 * float(np.mean([(ours & theirs).sum() / (ours | theirs).sum() for ours, theirs in pairs])))
    assert issues == []


def test_files_beyond_the_limit_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAX_FILE_BYTES", len(LOSSLESS) - 1)
    assert refused("image", LOSSLESS).code == "MEDIA_TOO_LARGE"
    assert refused("masks", LOSSLESS).code == "MEDIA_TOO_LARGE"


def test_a_hundred_scans_are_read() -> None:
    assert read("image", many_scans(pictures.MAX_SCANS - 20)).size == (31, 22)


_MEASURE = """
import sys
from pathlib import Path
import cv2, numpy, PIL.Image
from genlevel_evaluator.media import Blob
from genlevel_evaluator.pixels.pictures import read_picture

def peak():  # not getrusage's, which begins with the peak of the process that started this one
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))

before = peak()
found = read_picture(Blob("0" * 64, "large.jpg", path=Path(sys.argv[1])))
print(found.pixels.shape, peak() - before)
"""


def test_a_large_picture_takes_seven_bytes_a_pixel(tmp_path: Any) -> None:
    """Four in Pillow and three for the result, and no third copy."""
    side = 5000
    (tmp_path / "large.jpg").write_bytes(saved(Image.new("RGB", (side, side), (90, 120, 30)), "JPEG"))
    done = subprocess.run([sys.executable, "-c", _MEASURE, str(tmp_path / "large.jpg")], capture_output=True, text=True, check=True)
    shape, kilobytes = done.stdout.rsplit(" ", 1)
    assert shape == f"({side}, {side}, 3)"
    assert 3 * side * side < int(kilobytes) * 1024 < 7.5 * side * side + (16 << 20)


SEEDS = [LOSSLESS, JPEG, encoded(GREY, "TIFF"), saved(Image.fromarray(PHOTO), "WEBP"), encoded(GREY, "BMP"), palette(), opencv(PHOTO.astype(np.uint16) * 257, ".png"),
         opencv(PHOTO.astype(np.uint16) * 257, ".tiff"), READ["interlaced"][0], LOSSY["two pictures in a JPEG"], array_file(GREY.astype(np.float32))]  # fmt: skip


@settings(max_examples=150)
@given(st.integers(0, len(SEEDS) - 1), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8), st.floats(0, 1), st.booleans())
def test_changed_bytes_give_a_picture_or_an_issue(seed: int, changes: list[tuple[float, int]], cut: float, whole: bool) -> None:
    data = bytearray(SEEDS[seed])
    for place, value in changes:
        # Half of the changes go to the first bytes, where headers are.
        data[int(place * place * (len(data) - 1))] = value
    changed = bytes(data if whole else data[: int(cut * len(data))])
    for kind in FILE_KINDS:
        for name in ("a.png", "a.npy") if seed == len(SEEDS) - 1 else ("a.png",):
            for side in ("prediction", "reference"):
                assert read_or_remedy(kind, changed, name, side)


def test_an_issue_of_the_engine_names_the_sample() -> None:
    _, issues = value_of("psnr", [RawSample("7", file_of(b"", "empty.png"), (file_of(LOSSLESS, "t.png"),))])
    (issue,) = issues
    assert (issue.sample_id, issue.code, issue.file, issue.severity) == ("7", "MEDIA_EMPTY", "empty.png", "prediction")


def test_issues_of_the_metric_and_of_a_later_reference_name_their_file() -> None:
    small, wide = (file_of(encoded(np.zeros((9, width, 3), np.uint8)), f"{width}.png") for width in (9, 12))
    cut = file_of(b"cut", "cut.png")
    given = [sample("1", wide, small), RawSample("2", small, (small, cut)), RawSample("3", wide, (small, small))]
    _, issues = value_of("psnr", given)
    assert [(issue.sample_id, issue.severity, issue.file) for issue in sorted(issues, key=lambda issue: issue.sample_id)] == [
        ("1", "prediction", "12.png"), ("2", "reference", "cut.png"), ("3", "prediction", "12.png"),
    ]
