"""States on the wire: what version 1 wrote is read, bad bytes are named, and memory is that of the rows."""

from __future__ import annotations

import tracemalloc
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.v1 import evaluator_pb2 as pb
from genlevel_evaluator import state_messages, states
from genlevel_evaluator.engine import FLAGS, Scorer
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.evaluator import load
from genlevel_evaluator.states import Row, Rows

SCORER = Scorer.of(load("language"), "accuracy")
DIGEST = SCORER.signature().digest


def row(seed: int, labels: int = 12) -> Row:
    rng = np.random.default_rng(seed)
    return {FLAGS: 7, "correct": seed % 2, "unparsed": 0, "reference_digest": int(rng.integers(-(2**62), 2**62)), "labels": [65 + seed % 9] * labels}


def rows_of(keys: list[str], labels: int = 12) -> Rows:
    return states.build(SCORER.schema, [(key, row(seed, labels)) for seed, key in enumerate(keys)])


def same(left: Rows, right: Rows) -> bool:
    return left.keys == right.keys and all(
        left.values[name].tobytes() == right.values[name].tobytes() and np.array_equal(left.lengths.get(name, 0), right.lengths.get(name, 0))
        for name in left.schema
    )


def version_1(rows: Rows) -> pb.MetricState:
    """As states were written before keys became a column."""
    columns = [
        pb.StateColumn(
            name=name, dtype=column.dtype, item_shape=column.shape, values=rows.values[name].tobytes(),
            lengths=rows.lengths[name].astype("<i8").tobytes() if column.ragged else b"",
        )
        for name, column in rows.schema.items()
    ]  # fmt: skip
    return pb.MetricState(format_version=1, signature_digest=DIGEST, kind="rows", keys=list(rows.keys), columns=columns)


@given(st.lists(st.text(max_size=5), unique=True, max_size=8), st.lists(st.integers(), unique=True, max_size=8), st.sampled_from([0, 3, 300, 70_000]))
def test_several_states_are_read_as_their_union(texts: list[str], numbers: list[int], labels: int) -> None:
    texts = [text for text in texts if text not in {str(number) for number in numbers}]
    parts = [rows_of([str(number) for number in numbers]), rows_of(texts, labels)]
    sent = [state_messages.encode_state(parts[0], DIGEST), version_1(parts[1]), state_messages.encode_state(parts[1], DIGEST)]
    read = state_messages.decode_states([pb.MetricState.FromString(one.SerializeToString()) for one in sent], SCORER, DIGEST)
    assert same(read, states.combine(parts))


def test_a_state_that_repeats_itself_is_small_on_the_wire() -> None:
    rows = rows_of([str(number) for number in range(4000)])
    assert len(state_messages.encode_state(rows, DIGEST).SerializeToString()) < 0.5 * rows.nbytes()


def test_noise_is_not_compressed() -> None:
    state = state_messages.encode_state(rows_of([str(number) for number in range(4000)]), DIGEST)
    sizes = {column.name: column.size for column in state.columns}
    assert (sizes["reference_digest"], sizes["labels"]) == (0, 48_000)


def test_noise_at_the_beginning_does_not_keep_a_column_from_being_compressed() -> None:
    data = np.random.default_rng(1).bytes(1 << 18) + bytes(1 << 22)
    packed, size = state_messages._packed(data)
    assert (size, zlib.decompress(packed)) == (len(data), data)
    assert len(packed) < 0.1 * len(data)


def cut(state: pb.MetricState) -> None:
    state.key_column.lengths = state.key_column.lengths[:-1]


def longer(state: pb.MetricState) -> None:
    state.columns[1].size += 1


def shorter(state: pb.MetricState) -> None:
    state.columns[1].values = zlib.compress(bytes(2999))


def cut_short(state: pb.MetricState) -> None:
    state.columns[1].values = state.columns[1].values[:-3]


def bomb(state: pb.MetricState) -> None:
    state.columns[1].values, state.columns[1].size = zlib.compress(bytes(1 << 20)), 3000


def lengths_beyond_a_sum(state: pb.MetricState) -> None:
    lengths = np.array([1 << 62] * 4 + [36_000] + [0] * 2995, dtype="<i8")  # 64 bits add them up to 36,000
    column = next(column for column in state.columns if column.name == "labels")
    column.lengths, column.length_bytes = lengths.tobytes(), 0


def half_a_character(state: pb.MetricState) -> None:
    state.key_column.size, state.key_column.values = 0, b"\xed\xa0\x80" * 3000
    state.key_column.length_bytes, state.key_column.lengths = 1, bytes([3]) * 3000


def not_zlib(state: pb.MetricState) -> None:
    state.columns[1].values = b"no"


def not_utf8(state: pb.MetricState) -> None:
    state.key_column.size, state.key_column.values = 0, b"\xff" * 3000
    state.key_column.length_bytes, state.key_column.lengths = 1, bytes([1]) * 3000


def other_width(state: pb.MetricState) -> None:
    state.key_column.length_bytes = 3


def fewer_keys(state: pb.MetricState) -> None:
    state.key_column.CopyFrom(pb.StateColumn(dtype="i8", values=bytes(8)))


def newer(state: pb.MetricState) -> None:
    state.format_version = 3


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut, "do not add up|cut off"), (longer, "3001 rows for 3000"), (shorter, "not what was compressed"), (cut_short, "not what was compressed"),
        (bomb, "not what was compressed"), (lengths_beyond_a_sum, "do not add up"), (half_a_character, "half of a surrogate pair"),
        (not_zlib, "not what was compressed"), (not_utf8, "not UTF-8"), (other_width, "cut off"), (fewer_keys, "for 1 keys"),
        (newer, "reads 1 and 2"),
    ],
)  # fmt: skip
def test_a_spoiled_state_is_named(spoil: Callable[[pb.MetricState], None], words: str) -> None:
    state = state_messages.encode_state(rows_of([f"key {number}" for number in range(3000)]), DIGEST)
    spoil(state)
    with pytest.raises(EvaluatorError, match=words) as raised:
        state_messages.decode_states([state], SCORER, DIGEST)
    assert raised.value.reason == "BAD_STATE"


@pytest.mark.parametrize(("states_sent", "size"), [(1, 1 << 60), (3, 1 << 30)])
def test_states_that_would_not_fit_are_refused(states_sent: int, size: int) -> None:
    state = state_messages.encode_state(rows_of([f"key {number}" for number in range(3000)]), DIGEST)
    state.columns[1].size = size
    with pytest.raises(EvaluatorError, match="are read in one call") as raised:
        state_messages.decode_states([state] * states_sent, SCORER, DIGEST)
    assert (raised.value.code.value, raised.value.reason) == ("RESOURCE_EXHAUSTED", "STATES_TOO_LARGE")


def test_one_state_is_put_in_order_and_holds_each_key_once() -> None:
    rows = rows_of([f"key {number}" for number in range(30)])
    twice = state_messages.encode_state(rows, DIGEST)
    twice.key_column.size, twice.key_column.lengths, twice.key_column.length_bytes = 0, bytes([1]) * 30, 1
    twice.key_column.values = bytes(range(96, 66, -1))
    read = state_messages.decode_states([twice], SCORER, DIGEST)
    assert list(read.keys) == sorted(map(chr, range(67, 97)))
    assert read.column("reference_digest").tolist() == rows.column("reference_digest")[::-1].tolist()
    twice.key_column.values = b"a" * 30
    with pytest.raises(EvaluatorError, match="occurs twice with different content"):
        state_messages.decode_states([twice], SCORER, DIGEST)


@pytest.mark.parametrize("name", ["{}", "sample-{:08d}"])
def test_reading_states_holds_the_rows_and_little_more(name: str) -> None:
    count = 60_000
    sent = []
    for start in range(0, count, 3000):
        rows = rows_of([name.format(number) for number in range(start, start + 3000)])
        sent.append(state_messages.encode_state(rows, DIGEST))
    tracemalloc.start()
    read = state_messages.decode_states(sent, SCORER, DIGEST)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    keys, lengths = read.keys.columns()
    columns = read.nbytes() + read.lengths["labels"].nbytes + keys.nbytes + (0 if lengths is None else lengths.nbytes)
    assert len(read) == count
    assert held < 1.02 * columns
    assert peak < 1.8 * columns
