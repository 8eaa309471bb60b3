"""Numbers of corners in OBJ files: from 1, or relative to the lines above where negative.

trimesh takes 0 for the first vertex, counts negative numbers from the end of the file instead of from the face, and refuses comments behind numbers.
"""

from __future__ import annotations

import re

from genlevel_evaluator.errors import SampleError

_UNUSUAL = re.compile(rb"(?m)^ *+f(?=[ \\])(?:(?:[ /]|\\\r?\n)++[1-9][0-9]*+)*+(?:[ /]|\\\r?\n)++[-+0]")
"""A face of which a number is not written as plain digits."""
_COMMENT = re.compile(rb"(?m)^( *+(?:f|v|vt|vn) [^#\n]*+)#[^\n]*+")
_NUMBER = re.compile(rb"[-+]?[0-9]{1,18}")


def counted(data: bytes, name: str) -> bytes:
    """The file with all corners counted from 1, and without comments behind them.

    Raises:
        SampleError: BAD_FACE with its line, a face names vertex 0 or one before the first.
    """
    data = _COMMENT.sub(rb"\1", data)
    if not _UNUSUAL.search(data):
        return data
    seen = [0, 0, 0]
    lines = data.split(b"\n")
    for place, line in enumerate(lines):
        if line.rstrip(b"\r").endswith(b"\\") and place + 1 < len(lines):
            lines[place], lines[place + 1] = b"", line.rstrip(b"\r")[:-1] + b" " + lines[place + 1]
            continue
        kind, _, rest = line.lstrip(b" ").partition(b" ")
        if kind in _KINDS:
            seen[_KINDS.index(kind)] += 1
        elif kind == b"f":
            lines[place] = b"f " + b" ".join(_corner(corner, seen, place + 1, name) for corner in rest.split())
    return b"\n".join(lines)


_KINDS = (b"v", b"vt", b"vn")


def _corner(corner: bytes, seen: list[int], line: int, name: str) -> bytes:
    """A corner such as `-1/2/-1` with its numbers from 1."""
    numbers = corner.split(b"/")
    if not numbers[0] or not all(_NUMBER.fullmatch(number) for number in numbers if number):
        raise SampleError("BAD_FACE", f"a face in line {line} of {name} has a corner that is no number", remedy="write corners as 1, 1/1, 1//1 or 1/1/1")
    found = [int(number) + (total + 1 if number.startswith(b"-") else 0) if number else 0 for number, total in zip(numbers, seen, strict=False)]
    if found[0] < 1:
        raise SampleError(
            "BAD_FACE", f"a face in line {line} of {name} names vertex {int(numbers[0])}, which is not there",
            remedy="count vertices from 1; negative numbers count back from the face's line, -1 being the vertex before it",
        )  # fmt: skip
    return b"/".join(str(number).encode() if number > 0 else b"" for number in found).rstrip(b"/")
