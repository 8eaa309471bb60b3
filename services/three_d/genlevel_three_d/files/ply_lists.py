"""Binary PLY files that trimesh cannot read as they are, rewritten as vertices and triangles.

trimesh takes the length of the first list for that of all, so it refuses triangles beside quads; it gives quads fewer colours than
triangles, and other vertices to faces with texture coordinates. Faces become triangles as in its reading of text: those of three
corners, then both halves of quads, then the fans of polygons; faces of fewer corners are left out. The numbers of a face (its colour)
go with each of its triangles.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.errors import SampleError
from genlevel_three_d import headers

_CODES = {
    "char": "i1", "uchar": "u1", "int8": "i1", "uint8": "u1", "short": "i2", "ushort": "u2", "int16": "i2", "uint16": "u2",
    "int": "i4", "uint": "u4", "int32": "i4", "uint32": "u4", "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip
_NAMES = {"i1": "char", "u1": "uchar", "i2": "short", "u2": "ushort", "i4": "int", "u4": "uint", "f4": "float", "f8": "double"}
_UNPACKED = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I"}
_CORNERS = ("vertex_indices", "vertex_index")
_LENGTH = "number of corners"  # a name that no property can have

Places = NDArray[np.int64]


@dataclass
class _Element:
    """An element of the header: numbers as (name, type, ""), lists as (name, type of the length, type of an entry)."""

    name: str
    count: int
    properties: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def lists(self) -> list[str]:
        return [key for key, _, entry in self.properties if entry]


@dataclass(frozen=True)
class _List:
    """One list of all records: where its entries begin, how many they are, and their type."""

    places: Places
    counts: Places
    kind: str

    @property
    def end(self) -> Places:
        return self.places + self.counts * int(self.kind[-1])


def even(data: bytes, name: str) -> bytes:
    """The file itself where trimesh can read it, else one of the same vertices and of triangles.

    Raises:
        SampleError: the lists lead beyond the end of the file, or make too many triangles.
    """
    start = place = data.find(b"\n", data.find(b"end_header")) + 1
    elements, order = _header(data[:start].decode("latin-1"))
    if not order or not any(element.lists for element in elements):
        return data
    lists = []
    for element in elements:
        found, place = _lists(data, element, place, order, name)
        lists.append(found)
    if all(_is_simple(element, found) for element, found in zip(elements, lists, strict=True)):
        return data
    if place != len(data):
        raise SampleError("NOT_3D_DATA", f"{name} has {len(data) - place} bytes behind its last element", remedy="save it again")
    head, body, raw = f"ply\nformat binary_{'little' if order == '<' else 'big'}_endian 1.0\n", [], np.frombuffer(data, np.uint8)
    for element, found in zip(elements, lists, strict=True):
        numbers, start = _numbers(raw, element, found, start, order)
        if element.name in ("vertex", "face"):
            numbers = _triangles(raw, found, numbers, name) if element.name == "face" else numbers
            head += f"element {element.name} {len(numbers)}\n" + "".join(_declared(numbers.dtype))
            body.append(numbers.tobytes())
    return head.encode("latin-1") + b"end_header\n" + b"".join(body)


def _is_simple(element: _Element, lists: Mapping[str, _List]) -> bool:
    """Whether trimesh can read it: no list but the corners of faces, all three, or all four without colours."""
    lengths = [np.unique(one.counts).tolist() for one in lists.values()]
    if element.name != "face" or not element.count:
        return not lengths
    return lengths == [[3]] or (lengths == [[4]] and len(element.properties) == 1)


def _header(text: str) -> tuple[list[_Element], str]:
    """The elements, and the order of bytes; empty for text and for types that PLY does not have."""
    elements: list[_Element] = []
    order = ""
    for words in map(str.split, text.splitlines()):
        if words[:1] == ["format"]:
            order = {"binary_little_endian": "<", "binary_big_endian": ">"}.get("".join(words[1:2]), "")
        elif words[:1] == ["element"]:
            elements.append(_Element(words[1], int(words[2])))
        elif words[:1] == ["property"]:
            of_list = words[1:2] == ["list"] and len(words) == 5
            codes = [_CODES.get(word, "") for word in (words[2:4] if of_list else words[1:-1])]
            if not elements or len(codes) != 1 + of_list or not all(codes) or (of_list and codes[0] not in _UNPACKED):
                return [], ""
            elements[-1].properties.append((words[-1], codes[0], codes[1] if of_list else ""))
    return elements, order


_Step = tuple[int, struct.Struct, int, int]
"""Bytes before the length of a list, how to read the length, its bytes, and those of an entry."""


def _lists(data: bytes, element: _Element, start: int, order: str, name: str) -> tuple[dict[str, _List], int]:
    """The lists of an element by name, and where the element ends."""
    steps: list[_Step] = []
    gap = 0
    for _, kind, entry in element.properties:
        if entry:
            steps.append((gap, struct.Struct(order + _UNPACKED[kind]), int(kind[1]), int(entry[1])))
            gap = 0
        else:
            gap += int(kind[1])
    if not steps:
        return {}, start + gap * element.count
    try:
        places, counts, end = _repeated(data, element.count, steps, gap, start) or _walked(data, element.count, steps, gap, start)
    except struct.error:
        end = len(data) + 1
    if end > len(data):
        raise SampleError("MEDIA_TRUNCATED", f"the lists of {element.name} in {name} lead beyond its end", remedy="copy the file again")
    kinds = [order + entry for _, _, entry in element.properties if entry]
    return {key: _List(places[:, at], counts[:, at], kinds[at]) for at, key in enumerate(element.lists)}, end


def _walked(data: bytes, count: int, steps: list[_Step], gap: int, place: int) -> tuple[Places, Places, int]:
    # Each record begins where the one before it ends, so they are visited one by one: half a second for a million faces.
    places, counts = array("q"), array("q")
    for _ in range(count):
        for before, form, width, size in steps:
            place += before
            entries = form.unpack_from(data, place)[0]
            if entries < 0:
                raise struct.error
            place += width
            places.append(place)
            counts.append(entries)
            place += entries * size
        place += gap
    shape = (-1, len(steps))
    return np.frombuffer(places, np.int64).reshape(shape), np.frombuffer(counts, np.int64).reshape(shape), place


def _repeated(data: bytes, count: int, steps: list[_Step], gap: int, start: int) -> tuple[Places, Places, int] | None:
    """The same at once where every record is as long as the first; None where one is not."""
    if not count:
        return np.zeros((0, len(steps)), np.int64), np.zeros((0, len(steps)), np.int64), start
    places, counts, after = _walked(data, 1, steps, gap, start)
    stride = after - start
    if start + count * stride > len(data):
        return None
    for column, (_, form, width, _) in enumerate(steps):
        begin = int(places[0, column]) - width
        found = np.ndarray((count,), np.dtype(form.format), data, begin, (stride,))
        if (found != counts[0, column]).any():
            return None
    return places + stride * np.arange(count)[:, None], np.repeat(counts, count, axis=0), start + count * stride


def _numbers(raw: NDArray[np.uint8], element: _Element, lists: Mapping[str, _List], start: int, order: str) -> tuple[NDArray[Any], int]:
    """The properties that are no lists, a record a row, and where the element ends."""
    single = [(key, kind) for key, kind, entry in element.properties if not entry]
    rest = sum(int(kind[1]) for _, kind in single)
    if not lists:
        table = np.frombuffer(raw, np.dtype([(key, order + kind) for key, kind in single]), element.count, start) if single else np.zeros(element.count, [])
        return table, start + rest * element.count
    table = np.zeros(element.count, np.dtype([(key, order + kind) for key, kind in single]))
    # A number lies behind the list before it; those in front of the first list lie behind the record before.
    last = lists[element.lists[-1]]
    behind = sum(int(kind[1]) for _, kind, entry in element.properties[[key for key, _, _ in element.properties].index(element.lists[-1]) + 1 :] if not entry)
    ends = last.end + behind
    base, offset = np.concatenate([[start], ends[:-1]]) if element.count else last.end, 0
    for key, kind, entry in element.properties:
        if entry:
            base, offset = lists[key].end, 0
            continue
        width = int(kind[1])
        table[key] = np.ascontiguousarray(raw[base[:, None] + offset + np.arange(width)]).view(order + kind)[:, 0]
        offset += width
    return table, int(ends[-1]) if element.count else start


def _triangles(raw: NDArray[np.uint8], lists: Mapping[str, _List], numbers: NDArray[Any], name: str) -> NDArray[Any]:
    """The triangles of all faces, each with its numbers."""
    corners = next((lists[key] for key in _CORNERS if key in lists), next(iter(lists.values())) if len(lists) == 1 else None)
    if corners is None:
        raise SampleError("NOT_3D_DATA", f"{name} has faces without vertex_indices", remedy="save it again, its faces as triangles")
    counts = corners.counts
    total = int(np.maximum(counts - 2, 0).sum())
    if total > headers.MAX_POINTS:
        raise SampleError("TOO_MANY_POINTS", f"{name} has {total} triangles, at most {headers.MAX_POINTS} are read", remedy="give a coarser mesh")
    three, four, more = (np.flatnonzero(found) for found in (counts == 3, counts == 4, counts > 4))
    fans = counts[more] - 2
    step = np.arange(fans.sum()) - np.repeat(np.cumsum(fans) - fans, fans)
    faces = np.concatenate([three, four, four, np.repeat(more, fans)])
    chosen = np.concatenate([
        np.tile([0, 1, 2], (len(three), 1)), np.tile([0, 1, 2], (len(four), 1)), np.tile([2, 3, 0], (len(four), 1)),
        np.column_stack([np.zeros_like(step), step + 1, step + 2]),
    ])  # fmt: skip
    width = int(corners.kind[-1])
    bytes_of = (corners.places[faces, None] + chosen * width)[:, :, None] + np.arange(width)
    table = np.zeros(total, np.dtype([(_LENGTH, "u1"), ("vertex_indices", corners.kind, (3,)), *numbers.dtype.descr] if numbers.dtype.names else [(_LENGTH, "u1"), ("vertex_indices", corners.kind, (3,))]))
    table[_LENGTH] = 3
    table["vertex_indices"] = raw[bytes_of].reshape(total, -1).view(corners.kind)
    for key in numbers.dtype.names or ():
        table[key] = numbers[key][faces]
    return table


def _declared(kinds: np.dtype[Any]) -> Iterator[str]:
    for key in kinds.names or ():
        if key != _LENGTH:
            own = kinds[key]
            name = _NAMES[own.base.str[1:]]
            yield f"property {f'list uchar {name}' if own.shape else name} {key}\n"
