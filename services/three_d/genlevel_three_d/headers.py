"""Headers of 3D files, checked before a parser that trusts them is let loose on the bytes.

Each check gives the number of points the header announces, or None where the format announces none. A file that announces
more than it has bytes for is refused without allocating anything.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable

from genlevel_evaluator.errors import SampleError
from genlevel_three_d import pcd_files

MAX_POINTS = 10_000_000
"""Most points or faces that are read: 0.24 GB of coordinates a side."""

_PLY_TYPES = {
    "char": 1, "uchar": 1, "int8": 1, "uint8": 1, "short": 2, "ushort": 2, "int16": 2, "uint16": 2,
    "int": 4, "uint": 4, "int32": 4, "uint32": 4, "float": 4, "float32": 4, "double": 8, "float64": 8,
}  # fmt: skip


def check(data: bytes, suffix: str, name: str) -> int | None:
    """Refuses bytes that are not what the suffix says, or that announce more than they hold."""
    if not data:
        raise SampleError("EMPTY_FILE", f"{name} is empty", remedy="copy the file again")
    announced = _CHECKS[suffix](data, name)
    if announced is not None and announced > MAX_POINTS:
        raise _too_many(name, announced)
    return announced


def check_beginning(head: bytes, suffix: str, name: str) -> None:
    """Refuses a file whose first bytes announce too many points, before the others are read."""
    counts = [_number(found) for found in re.findall(_ANNOUNCED[suffix], head)] if suffix in _ANNOUNCED else []
    if counts and max(counts) > MAX_POINTS:
        raise _too_many(name, max(counts))


_ANNOUNCED = {
    ".ply": rb"(?m)^element\s+\w+\s+(\d+)", ".off": rb"\A\s*\w*OFF\s+(\d+)\s", ".pcd": rb"(?m)^POINTS\s+(\d+)",
}  # fmt: skip


def _number(digits: str | bytes) -> int:
    """A count; Python refuses to read one of thousands of digits, so those are cut off."""
    return int(digits) if len(digits) < 19 else 10**18


def _too_many(name: str, announced: int) -> SampleError:
    return SampleError(
        "TOO_MANY_POINTS", f"{name} announces {announced} points, at most {MAX_POINTS} are read", remedy="give a thinned cloud"
    )


def _not_a(kind: str, name: str, detail: str = "") -> SampleError:
    return SampleError(
        "NOT_3D_DATA",
        f"{name} is no {kind} file{': ' + detail if detail else ''}",
        remedy=f"save it as {kind}, or name it as what it is",
    )


def _short(name: str, needed: int, there: int) -> SampleError:
    return SampleError(
        "MEDIA_TRUNCATED", f"{name} announces at least {needed} bytes of data and has {there}", remedy="copy the file again"
    )


def _ply(data: bytes, name: str) -> int:
    if not data.startswith(b"ply"):
        raise _not_a("PLY", name, "it does not begin with 'ply'")
    end = data.find(b"end_header", 0, 1 << 16)
    if end < 0:
        raise _not_a("PLY", name, "its header has no end")
    lines = [line.split() for line in data[:end].decode("latin-1").splitlines()]
    form = next((line[1] for line in lines if line[:1] == ["format"] and len(line) > 1), "")
    elements = _ply_elements(lines, ascii_file=form == "ascii", name=name)
    body = len(data) - end - len("end_header")
    needed = sum(count * size for _, count, size in elements)
    # Two bytes a number is the least that text needs; its last line may end without a line break.
    if needed > body + 1:
        raise _short(name, needed, body)
    if form == "ascii":
        _check_lines(data, end, sum(count for _, count, _ in elements), elements[-1][0] if elements else "", name)
    if any(count > MAX_POINTS for _, count, _ in elements):
        return max(count for _, count, _ in elements)
    return next((count for element, count, _ in elements if element == "vertex"), 0)


def _check_lines(data: bytes, end: int, needed: int, last: str, name: str) -> None:
    """Refuses a text with fewer lines than elements, or whose last face breaks off."""
    there = max(data.count(end_of_line, end) for end_of_line in (b"\n", b"\r")) - data.endswith((b"\n", b"\r"))
    if there < needed:
        raise SampleError("MEDIA_TRUNCATED", f"{name} announces {needed} lines of data and has {there}", remedy="copy the file again")
    words = data[max(end, len(data) - (1 << 16)) :].rstrip().splitlines()[-1].split()
    if there == needed and last == "face" and words[0].isdigit() and len(words) <= int(words[0][:9]):
        raise SampleError("MEDIA_TRUNCATED", f"the last face of {name} breaks off", remedy="copy the file again")


def _ply_elements(lines: list[list[str]], ascii_file: bool, name: str) -> list[tuple[str, int, int]]:
    elements: list[tuple[str, int, int]] = []
    for line in lines:
        if line[:1] == ["element"]:
            if len(line) != 3 or not (line[2].isascii() and line[2].isdigit()):
                raise _not_a("PLY", name, "an element has no count")
            elements.append((line[1], _number(line[2]), 0))
        elif line[:1] == ["property"] and elements and len(line) > 2:
            element, count, size = elements[-1]
            elements[-1] = (element, count, size + _ply_least(line, ascii_file))
    return elements


def _ply_least(line: list[str], ascii_file: bool) -> int:
    """Fewest bytes a property takes: a list may be empty."""
    return 2 if ascii_file else _PLY_TYPES.get(line[2] if line[1] == "list" else line[1], 1)


def _off(data: bytes, name: str) -> int:
    # Only the beginning is looked at: comments, then OFF, then three counts.
    head = re.sub(rb"#[^\n]*", b"", data[: 1 << 16])
    found = re.match(rb"\s*\w*OFF\s+(\d+)\s+(\d+)(?:\s+(\d+))?", head)
    if not found:
        raise _not_a("OFF", name)
    points, faces = _number(found[1]), _number(found[2])
    if 6 * points + 2 * faces > len(data):
        raise _short(name, 6 * points + 2 * faces, len(data))
    return points


def _stl(data: bytes, name: str) -> int | None:
    if data[:5].lower() == b"solid" and b"facet" in data[: 1 << 16]:
        if b"endsolid" not in data[-(1 << 12) :]:
            raise SampleError("MEDIA_TRUNCATED", f"{name} has no endsolid", remedy="copy the file again")
        return None
    if len(data) < 84:
        raise _not_a("STL", name, "it is shorter than its header")
    count = int(struct.unpack_from("<I", data, 80)[0])
    if 84 + 50 * count > len(data):
        if data[:2] == b"PK" or data[:5].lower() == b"solid":
            raise _not_a("STL", name)
        raise _short(name, 84 + 50 * count, len(data))
    return 3 * count


def _obj(data: bytes, name: str) -> int:
    if data[:2] == b"PK" or b"\0" in data[: 1 << 12]:
        raise _not_a("OBJ", name, "it is not text")
    # Every vertex line begins with "v " or "v<tab>"; counting them bounds what the parser will make.
    return data.count(b"\nv ") + data.count(b"\nv\t") + data.startswith((b"v ", b"v\t"))


def _xyz(data: bytes, name: str) -> int:
    if data[:2] == b"PK" or b"\0" in data[: 1 << 12]:
        raise _not_a("XYZ", name, "it is not text")
    return data.count(b"\n") + 1


def _glb(data: bytes, name: str) -> int:
    if data[:4] != b"glTF" or len(data) < 20:
        raise _not_a("GLB", name, "it does not begin with 'glTF'")
    length, json_length = struct.unpack_from("<8xII", data)
    if length > len(data) or 20 + json_length > len(data):
        raise _short(name, max(length, 20 + json_length), len(data))
    try:
        tree = json.loads(data[20 : 20 + json_length])
        counts = [int(accessor["count"]) for accessor in tree.get("accessors", [])]
        outside = any("uri" in item and not str(item["uri"]).startswith("data:") for item in tree.get("buffers", []))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise _not_a("GLB", name, "its JSON cannot be read") from None
    if outside:
        raise SampleError(
            "MEDIA_OUTSIDE_ROOT", f"{name} refers to another file for its data", remedy="save it as one binary file"
        )
    if any(count > len(data) for count in counts):
        raise _short(name, max(counts), len(data))
    return sum(counts)


def check_pictures(data: bytes, name: str) -> None:
    """Refuses a GLB file, whose header was checked, with pictures that lie elsewhere."""
    tree = json.loads(data[20 : 20 + struct.unpack_from("<12xI", data)[0]])
    pictures = tree.get("images", [])
    if any("uri" in picture and not str(picture["uri"]).startswith("data:") for picture in pictures):
        raise SampleError("MEDIA_OUTSIDE_ROOT", f"{name} refers to another file for a texture", remedy="save it as one binary file")


def _pcd(data: bytes, name: str) -> int:
    try:
        header = pcd_files.header(data)
        least = pcd_files.least_bytes(header, data)
    except ValueError as error:
        raise _not_a("PCD", name, str(error)) from None
    if least > len(data) - header.start:
        raise _short(name, least, len(data) - header.start)
    return header.points


_CHECKS: dict[str, Callable[[bytes, str], int | None]] = {
    ".ply": _ply, ".off": _off, ".stl": _stl, ".obj": _obj, ".glb": _glb, ".pcd": _pcd, ".xyz": _xyz,
}  # fmt: skip
