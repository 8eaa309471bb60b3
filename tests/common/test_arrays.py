"""NumPy files from strangers: the array, or an issue, whatever the bytes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genlevel_evaluator.arrays import read_npy, read_npz
from genlevel_evaluator.errors import SampleError

ARRAY = np.arange(6.0).reshape(2, 3)
CODES = {"NOT_AN_ARRAY", "ARRAY_TOO_LARGE", "MEDIA_TRUNCATED"}


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize("array", [ARRAY, np.asfortranarray(ARRAY), ARRAY.astype(">i2"), np.zeros((0, 4), np.float32), np.array(7, np.uint8)])
def test_what_numpy_saves_is_read(array: np.ndarray) -> None:
    found = read_npy(npy(array))
    assert found.dtype == array.dtype
    assert np.array_equal(found, array)


@given(st.lists(st.tuples(st.integers(0, 175), st.integers(0, 255)), min_size=1, max_size=6), st.integers(1, 176))
@example([(20, 0)], 176)  # a byte 0 in the header, which NumPy reads as a program
@example([(10, ord("("))], 176)  # a bracket that is never closed
@example([(place, ord("[")) for place in range(10, 60)], 176)
def test_damaged_files_are_named_as_such(changes: list[tuple[int, int]], length: int) -> None:
    data = bytearray(npy(ARRAY))
    assert len(data) == 176
    for place, value in changes:
        data[place] = value
    fault = None
    try:
        read_npy(bytes(data[:length]), "a.npy")
    except SampleError as error:
        fault = error
    assert fault is None or (fault.code in CODES and "a.npy" in fault.message and fault.remedy)


def test_pickles_and_huge_sizes_are_not_opened() -> None:
    with pytest.raises(SampleError, match="holds object, not plain numbers"):
        read_npy(npy(np.array([{}], dtype=object)))
    with pytest.raises(SampleError, match="at most 8 are read"):
        read_npy(npy(ARRAY), limit=8)


def test_archives_give_the_arrays_that_are_wanted() -> None:
    file = io.BytesIO()
    np.savez_compressed(file, flow=ARRAY, other=ARRAY + 1)
    assert np.array_equal(read_npz(file.getvalue(), ("flow",))["flow"], ARRAY)
    assert np.array_equal(read_npz(file.getvalue(), ("flow",), first=1)["flow"], ARRAY[:1])
    with pytest.raises(SampleError, match="not a whole"):
        read_npz(file.getvalue()[:-30], ("flow",))
