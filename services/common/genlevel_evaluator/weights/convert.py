"""Turn weights that only a framework or a pickle could read into plain tensor files.

A converter takes the extracted members in order and yields the bytes of the converted file. Converters are
deterministic; the manifest pins the SHA-256 of what they give.
"""

from __future__ import annotations

import base64
import json
import math
import pickle
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator.weights import tensors

Converter = Callable[[list[Path]], Iterator[bytes]]

# All that a pickle of arrays needs; whatever else a file asks for is refused, so loading it cannot run code.
_ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that knows numpy arrays and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the few names that rebuild an array."""
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which arrays do not need")
        if name == "_reconstruct":
            module = "numpy._core.multiarray"
        return super().find_class(module, name)


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, NDArray[Any]]:
    """Return nested dictionaries of arrays as one, keys joined by a slash."""
    flat: dict[str, NDArray[Any]] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{name}/")
        else:
            flat[name] = np.asarray(value)
    return flat


def numpy_pickle(members: list[Path]) -> Iterator[bytes]:
    """One pickle of nested dictionaries of arrays -> tensors named by their path."""
    with members[0].open("rb") as stream:
        tree = ArrayUnpickler(stream).load()
    return tensors.blocks(flatten(tree))


def _embedded_base64(path: Path) -> bytes:
    """Return the longest base64 string literal of a script, decoded."""
    literals = re.findall(r'"([A-Za-z0-9+/=]{64,})"', path.read_text(encoding="utf-8"))
    return base64.b64decode(max(literals, key=len), validate=True)


def _weight_specifications(script: str) -> list[dict[str, Any]]:
    """Return the weights array of a minified TensorFlow.js model script.

    The script is JavaScript: keys are bare and numbers may begin with a point, so both are mended before the JSON
    reader sees them.
    """
    start = script.index("weights:[", script.index("weightsManifest:")) + len("weights:")
    depth = 0
    for position in range(start, len(script)):
        depth += {"[": 1, "]": -1}.get(script[position], 0)
        if depth == 0:
            break
    literal = re.sub(r"([{,])([A-Za-z_]\w*):", r'\1"\2":', script[start : position + 1])
    literal = re.sub(r"(?<=[:\[,])(-?)\.(\d)", r"\g<1>0.\2", literal)
    specifications: list[dict[str, Any]] = json.loads(literal)
    return specifications


def tensorflowjs_quantised(members: list[Path]) -> Iterator[bytes]:
    """A TensorFlow.js model script and its shards -> float32 tensors, value = quantum * scale + minimum."""
    specifications = _weight_specifications(members[0].read_text(encoding="utf-8"))
    data = b"".join(_embedded_base64(path) for path in members[1:])
    arrays: dict[str, NDArray[Any]] = {}
    offset = 0
    for entry in specifications:
        quantisation = entry.get("quantization")
        dtype = np.dtype(quantisation["dtype"] if quantisation else entry["dtype"]).newbyteorder("<")
        count = math.prod(entry["shape"])
        raw = np.frombuffer(data, dtype=dtype, count=count, offset=offset)
        offset += raw.nbytes
        if quantisation:
            raw = raw.astype(np.float64) * quantisation["scale"] + quantisation["min"]
        arrays[entry["name"]] = raw.astype(np.float32).reshape(entry["shape"])
    if offset != len(data):
        raise ValueError(f"{len(data) - offset} bytes of the shards belong to no tensor")
    return tensors.blocks(arrays)


CONVERTERS: dict[str, Converter] = {
    "numpy_pickle": numpy_pickle,
    "tensorflowjs_quantised": tensorflowjs_quantised,
}
