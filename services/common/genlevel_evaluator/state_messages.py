"""States on the wire: columns as bytes, compressed where that is worth it, and several states read into one set of rows.

A state of a million samples is 30 to 50 MB of columns and often a tenth of that on the wire. Reading goes column by column, so
that beside the rows themselves there is never more than one column of the messages in memory.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel.v1 import evaluator_pb2 as pb
from genlevel_evaluator import scratch, states
from genlevel_evaluator.engine import Scorer
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.keys import Keys
from genlevel_evaluator.states import Column, Rows

FORMAT_VERSION = 2
_READ = (1, FORMAT_VERSION)
LARGEST = 2 << 30
"""Bytes of all columns of a call together, beyond which nothing is decompressed."""
_SMALL, _BITE, _BITES, _WORTH = 1024, 1024, 16, 0.7
_LEVEL = 1
_STEP = 1 << 20
_KEYS = "keys"
_HALF = re.compile(rb"\xed[\xa0-\xbf]")
"""Half of a surrogate pair: no message could name such a sample."""


def encode_state(rows: Rows, signature_digest: str) -> pb.MetricState:
    """A state as a message."""
    columns = [_column(name, rows.values[name], rows.schema[name], rows.lengths.get(name)) for name in rows.schema]
    keys, lengths = rows.keys.columns()
    return pb.MetricState(
        format_version=FORMAT_VERSION, signature_digest=signature_digest, kind="rows", columns=columns,
        key_column=_column(_KEYS, keys, Column("i8") if lengths is None else Column("u1", ragged=True), lengths),
    )  # fmt: skip


def _column(name: str, values: NDArray[Any], column: Column, lengths: NDArray[np.int64] | None) -> pb.StateColumn:
    data, size = _packed(np.ascontiguousarray(values, dtype=states.little(column.dtype)).tobytes())
    width, encoded = (0, b"") if lengths is None else _narrow(lengths)
    return pb.StateColumn(name=name, dtype=column.dtype, item_shape=column.shape, values=data, size=size, lengths=encoded, length_bytes=width)


def _packed(data: bytes) -> tuple[bytes, int]:
    """The bytes, compressed where some of them, from everywhere, say that it is worth it, and their size if so."""
    if len(data) < _SMALL:
        return data, 0
    taste = b"".join(data[start : start + _BITE] for start in range(0, len(data), max(_BITE, len(data) // _BITES)))
    if len(zlib.compress(taste, _LEVEL)) > _WORTH * len(taste):
        return data, 0
    return zlib.compress(data, _LEVEL), len(data)


def _narrow(lengths: NDArray[np.int64]) -> tuple[int, bytes]:
    """The lengths in as few bytes as the longest of them needs, and how many these are; 0 stands for 8."""
    most = int(lengths.max(initial=0))
    width = next((width for width in (1, 2, 4) if most < 1 << 8 * width), 0)
    return width, lengths.astype(f"<u{width or 8}").tobytes()


def decode_state(message: pb.MetricState, scorer: Scorer, signature_digest: str) -> Rows:
    """A state from a message; raises as `decode_states`."""
    return decode_states([message], scorer, signature_digest)


def decode_states(messages: Sequence[pb.MetricState], scorer: Scorer, signature_digest: str) -> Rows:
    """The union of states, in the order of the keys.

    Raises:
        EvaluatorError: INVALID_ARGUMENT for another version, another signature, columns that do not fit the metric, or the
            same key with different content; RESOURCE_EXHAUSTED for more than LARGEST bytes.
    """
    _refuse_too_much(messages)
    found = [_columns(message, signature_digest) for message in messages]
    parts_of_keys = [_read_keys(message) for message in messages]
    counts = [len(part) for part in parts_of_keys]
    keys = Keys.joined(parts_of_keys)
    del parts_of_keys  # from here on there is one copy of everything, and the next bytes of a message
    values: dict[str, NDArray[Any]] = {}
    lengths: dict[str, NDArray[np.int64]] = {}
    for name, column in scorer.schema.items():
        mine = [_named(columns, name) for columns in found]
        if column.ragged:
            lengths[name] = np.concatenate([_lengths(part, column, rows) for part, rows in zip(mine, counts, strict=True)])
        values[name] = _joined(mine, column, counts)
    return states.settled(Rows(scorer.schema, keys, values, lengths))


def _refuse_too_much(messages: Sequence[pb.MetricState]) -> None:
    """Raises where a few bytes would become more than fits: what is compressed may be a thousand times its size."""
    size = sum(column.size for message in messages for column in (message.key_column, *message.columns))
    if size > LARGEST:
        raise EvaluatorError(
            Code.RESOURCE_EXHAUSTED, "STATES_TOO_LARGE", f"the states would take {size} bytes, at most {LARGEST} are read in one call",
            "combine fewer states at a time, or send them one by one with FinalizeStates",
        )


def _joined(messages: Sequence[pb.StateColumn], column: Column, counts: Sequence[int]) -> NDArray[Any]:
    """The values of a column of several states, one after another."""
    if not column.ragged:
        for message, rows in zip(messages, counts, strict=True):
            if _elements(message, column) != rows:
                raise _bad_state(f"column {message.name} has {_elements(message, column)} rows for {rows} keys")
    if column.features:
        return scratch.joined((_values([message], column) for message in messages), states.little(column.dtype), column.shape)
    return _values(messages, column)


def _columns(message: pb.MetricState, signature_digest: str) -> dict[str, pb.StateColumn]:
    if message.format_version not in _READ:
        raise _bad_state(f"format version {message.format_version}, this evaluator reads {' and '.join(map(str, _READ))}")
    if message.kind == "moments":
        raise _bad_state("it holds moments, as earlier versions made them of many feature rows")
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
        return Keys.of_columns(_values([column], Column("i8")), None)
    texts = Column("u1", ragged=True)
    values = _values([column], texts)
    if _HALF.search(values.data):
        raise _bad_state("its keys hold half of a surrogate pair")
    try:
        return Keys.of_columns(values, _lengths(column, texts))
    except UnicodeDecodeError:
        raise _bad_state("its keys are not UTF-8") from None


def _elements(message: pb.StateColumn, column: Column) -> int:
    """How many elements a column has, by its size."""
    if message.dtype != column.dtype or tuple(message.item_shape) != column.shape:
        raise _bad_state(f"column {message.name} has another type than the metric declares")
    size = message.size or len(message.values)
    elements, rest = divmod(size, np.dtype(column.dtype).itemsize * max(int(np.prod(column.shape, dtype=np.int64)), 1))
    if rest:
        raise _bad_state(f"column {message.name} is cut off")
    return elements


def _values(messages: Sequence[pb.StateColumn], column: Column) -> NDArray[Any]:
    dtype = np.dtype(states.little(column.dtype))
    elements = sum(_elements(message, column) for message in messages)
    array = np.empty((elements, *column.shape), dtype=dtype)
    data = array.reshape(-1).view(np.uint8)
    place = 0
    for message in messages:
        size = message.size or len(message.values)
        _unpack(message, data[place : place + size])
        place += size
    return array


def _lengths(message: pb.StateColumn, column: Column, rows: int | None = None) -> NDArray[np.int64]:
    width = message.length_bytes or 8
    if width not in (1, 2, 4, 8) or len(message.lengths) % width:
        raise _bad_state(f"the lengths of column {message.name} are cut off")
    sizes = np.frombuffer(message.lengths, dtype="<i8" if width == 8 else f"<u{width}").astype(np.int64, copy=False)
    if rows is not None and len(sizes) != rows:
        raise _bad_state(f"column {message.name} has lengths for another number of rows than {rows} keys")
    elements = _elements(message, column)
    # Each by itself too: a sum of very large ones begins again at 0.
    if ((sizes < 0) | (sizes > elements)).any() or int(sizes.sum()) != elements:
        raise _bad_state(f"the lengths of column {message.name} do not add up")
    return sizes


def _unpack(message: pb.StateColumn, target: NDArray[np.uint8]) -> None:
    """Puts the bytes of a column, exactly as many as it names, in their place."""
    if not message.size:
        target[:] = np.frombuffer(message.values, dtype=np.uint8)
        return
    opened, rest, place = zlib.decompressobj(), message.values, 0
    try:
        while not opened.eof:
            data = opened.decompress(rest, _STEP)
            rest = opened.unconsumed_tail
            if place + len(data) > len(target) or not (data or opened.eof):
                break
            target[place : place + len(data)] = np.frombuffer(data, dtype=np.uint8)
            place += len(data)
    except zlib.error:
        place = -1
    if place != len(target) or not opened.eof:
        raise _bad_state(f"column {message.name} is not what was compressed")


def _bad_state(what: str) -> EvaluatorError:
    return EvaluatorError(Code.INVALID_ARGUMENT, "BAD_STATE", f"state cannot be used: {what}", "score the shard again")
