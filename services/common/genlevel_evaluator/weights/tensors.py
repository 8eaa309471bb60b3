"""Arrays in one file, in the safetensors layout: eight bytes of header length, a JSON header, raw little-endian data.

Writing is deterministic (names sorted, no times), so the digest of a converted file can be pinned. Reading maps
the file and copies nothing. Neither needs torch, nor can a file run code, as a pickle can.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CODES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U8": "|u1",
}
_NAMES = {np.dtype(code): name for name, code in _CODES.items()}
_MAX_HEADER = 16 << 20


def blocks(arrays: Mapping[str, NDArray[Any]]) -> Iterator[bytes]:
    """Yield the bytes of a file that holds `arrays`.

    >>> import numpy as np
    >>> len(b"".join(blocks({"a": np.zeros(2, np.float32)})))
    72
    """
    header: dict[str, Any] = {}
    offset = 0
    ready = {name: np.asarray(arrays[name], order="C") for name in sorted(arrays)}
    for name, array in ready.items():
        code = _NAMES[array.dtype.newbyteorder("<")]
        header[name] = {
            "dtype": code,
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield struct.pack("<Q", len(text)) + text
    for array in ready.values():
        yield array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def read(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file, mapped read-only."""
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        if length > _MAX_HEADER:
            raise ValueError(f"{path}: header of {length} bytes, at most {_MAX_HEADER} are allowed")
        header = json.loads(stream.read(length))
    data = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length)
    arrays: dict[str, NDArray[Any]] = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        start, stop = entry["data_offsets"]
        if not 0 <= start <= stop <= data.size:
            raise ValueError(f"{path}: {name} lies outside the file")
        arrays[name] = data[start:stop].view(np.dtype(_CODES[entry["dtype"]])).reshape(entry["shape"])
    return arrays
