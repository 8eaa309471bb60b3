"""States on the wire: columns as bytes, compressed where that is worth it, and several states read into one set of rows.

A state of a million samples is 30 to 50 MB of columns and often a tenth of that on the wire. Reading goes column by column, so
that beside the rows themselves there is never more than one column of the messages in memory.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel.v1 import evaluator_pb2 as pb
from genlevel_evaluator import states
from genlevel_evaluator.engine import Scorer
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.keys import Keys
from genlevel_evaluator.states import Column, Moments, Rows

FORMAT_VERSION = 2
_READ = (1, FORMAT_VERSION)
LARGEST_COLUMN = 2 << 30
"""Bytes of a column beyond which it is not decompressed."""
_SMALL, _TASTE, _WORTH = 1024, 1 << 14, 0.7
_LEVEL = 1
_KEYS = "keys"


def encode_state(rows: Rows, signature_digest: str) -> pb.MetricState:
    """A state as a message."""
    columns = [_column(name, rows.values[name], rows.schema[name], rows.lengths.get(name)) for name in rows.schema]
    for name, moments in rows.folded.items():
        columns += [
            _plain(f"{name}:count", np.array([moments.count], dtype="<i8")),
            _plain(f"{name}:mean", np.asarray(moments.mean, dtype="<f8")),
            _plain(f"{name}:scatter", np.asarray(moments.scatter[np.triu_indices(len(moments.mean))], dtype="<f8")),
        ]
    keys, lengths = rows.keys.columns()
    return pb.MetricState(
        format_version=FORMAT_VERSION, signature_digest=signature_digest, kind="moments" if rows.folded else "rows", columns=columns,
        key_column=_column(_KEYS, keys, Column("i8") if lengths is None else Column("u1", ragged=True), lengths),
    )  # fmt: skip


def _column(name: str, values: NDArray[Any], column: Column, lengths: NDArray[np.int64] | None) -> pb.StateColumn:
    data, size = _packed(np.ascontiguousarray(values, dtype=states.little(column.dtype)).tobytes())
    width, encoded = (0, b"") if lengths is None else _narrow(lengths)
    return pb.StateColumn(name=name, dtype=column.dtype, item_shape=column.shape, values=data, size=size, lengths=encoded, length_bytes=width)


def _packed(data: bytes) -> tuple[bytes, int]:
    """The bytes, compressed where their beginning says that it is worth it, and their size if so."""
    if len(data) < _SMALL:
        return data, 0
    taste = data[:_TASTE]
    if len(zlib.compress(taste, _LEVEL)) > _WORTH * len(taste):
        return data, 0
    return zlib.compress(data, _LEVEL), len(data)


def _narrow(lengths: NDArray[np.int64]) -> tuple[int, bytes]:
    """The lengths in as few bytes as the longest of them needs, and how many these are; 0 stands for 8."""
    most = int(lengths.max(initial=0))
    width = next((width for width in (1, 2, 4) if most < 1 << 8 * width), 0)
    return width, lengths.astype(f"<u{width or 8}").tobytes()


def _plain(name: str, values: NDArray[Any]) -> pb.StateColumn:
    return pb.StateColumn(name=name, dtype=values.dtype.str[1:], values=values.tobytes())


def decode_state(message: pb.MetricState, scorer: Scorer, signature_digest: str) -> Rows:
    """A state from a message; raises as `decode_states`."""
    return decode_states([message], scorer, signature_digest)


def decode_states(messages: Sequence[pb.MetricState], scorer: Scorer, signature_digest: str) -> Rows:
    """The union of states, in the order of the keys.

    Raises:
        EvaluatorError: INVALID_ARGUMENT for another version, another signature, columns that do not fit the metric, or the
            same key with different content.
    """
    found = [_columns(message, signature_digest) for message in messages]
    keys = [_read_keys(message) for message in messages]
    values: dict[str, NDArray[Any]] = {}
    lengths: dict[str, NDArray[np.int64]] = {}
    for name, column in scorer.schema.items():
        parts = [_read_column(_named(columns, name), column, len(part)) for columns, part in zip(found, keys, strict=True)]
        values[name] = _joined([array for array, _ in parts])
        if column.ragged:
            lengths[name] = _joined([sizes for _, sizes in parts if sizes is not None])
    folded = [_read_folded(columns, scorer.schema) for columns in found]
    rows = Rows(scorer.schema, Keys.joined(keys), values, lengths, states.merge_folded(folded))
    return states.settled(rows) if len(messages) > 1 else rows


def _joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _columns(message: pb.MetricState, signature_digest: str) -> dict[str, pb.StateColumn]:
    if message.format_version not in _READ:
        raise _bad_state(f"format version {message.format_version}, this evaluator reads {' and '.join(map(str, _READ))}")
    if message.signature_digest != signature_digest:
        raise _bad_state("it was made with other parameters, weights or another version of the metric")
    return {column.name: column for column in message.columns}


def _named(columns: Mapping[str, pb.StateColumn], name: str) -> pb.StateColumn:
    if name not in columns:
        raise _bad_state(f"column {name} is missing")
    return columns[name]


def _read_keys(message: pb.MetricState) -> Keys:
    if not message.HasField("key_column"):
        return Keys.of(message.keys)
    column = message.key_column
    if column.dtype == "i8":
        return Keys.of_columns(_values(column, Column("i8")), None)
    data = _values(column, Column("u1", ragged=True))
    try:
        return Keys.of_columns(data, _lengths(column, len(data)))
    except UnicodeDecodeError:
        raise _bad_state("its keys are not UTF-8") from None


def _read_column(message: pb.StateColumn, column: Column, rows: int) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    array = _values(message, column)
    if not column.ragged:
        if len(array) != rows:
            raise _bad_state(f"column {message.name} has {len(array)} rows for {rows} keys")
        return array, None
    sizes = _lengths(message, len(array))
    if len(sizes) != rows:
        raise _bad_state(f"column {message.name} has lengths for another number of rows")
    return array, sizes


def _values(message: pb.StateColumn, column: Column) -> NDArray[Any]:
    if message.dtype != column.dtype or tuple(message.item_shape) != column.shape:
        raise _bad_state(f"column {message.name} has another type than the metric declares")
    data = _unpacked(message)
    dtype = np.dtype(states.little(column.dtype))
    item = int(np.prod(column.shape, dtype=np.int64))
    if len(data) % (dtype.itemsize * max(item, 1)):
        raise _bad_state(f"column {message.name} is cut off")
    return np.frombuffer(data, dtype=dtype).reshape((-1, *column.shape))


def _lengths(message: pb.StateColumn, elements: int) -> NDArray[np.int64]:
    width = message.length_bytes or 8
    if width not in (1, 2, 4, 8) or len(message.lengths) % width:
        raise _bad_state(f"the lengths of column {message.name} are cut off")
    sizes = np.frombuffer(message.lengths, dtype="<i8" if width == 8 else f"<u{width}").astype(np.int64, copy=False)
    if (sizes < 0).any() or int(sizes.sum()) != elements:
        raise _bad_state(f"the lengths of column {message.name} do not add up")
    return sizes


def _unpacked(message: pb.StateColumn) -> bytes:
    """The bytes of a column, of exactly the size that it names."""
    if not message.size:
        return message.values
    if message.size > LARGEST_COLUMN:
        raise _bad_state(f"column {message.name} would have {message.size} bytes, at most {LARGEST_COLUMN} are read")
    opened = zlib.decompressobj()
    try:
        data = opened.decompress(message.values, message.size)
        whole = len(data) == message.size and not opened.decompress(opened.unconsumed_tail, 1) and opened.eof
    except zlib.error:
        whole = False
    if not whole:
        raise _bad_state(f"column {message.name} is not what was compressed")
    return data


def _read_folded(columns: Mapping[str, pb.StateColumn], names: Iterable[str]) -> dict[str, Moments]:
    return {name: _read_moments(columns, name) for name in names if f"{name}:count" in columns}


def _read_moments(found: Mapping[str, pb.StateColumn], name: str) -> Moments:
    count = int(np.frombuffer(found[f"{name}:count"].values, dtype="<i8")[0])
    mean = np.frombuffer(_named(found, f"{name}:mean").values, dtype="<f8")
    upper = np.frombuffer(_named(found, f"{name}:scatter").values, dtype="<f8")
    size = len(mean)
    if len(upper) != size * (size + 1) // 2:
        raise _bad_state(f"the moments of {name} are cut off")
    scatter = np.zeros((size, size))
    scatter[np.triu_indices(size)] = upper
    return Moments(count, mean, scatter + np.triu(scatter, 1).T)


def _bad_state(what: str) -> EvaluatorError:
    return EvaluatorError(Code.INVALID_ARGUMENT, "BAD_STATE", f"state cannot be used: {what}", "score the shard again")
