"""WORLD's spectral envelope and pitch: DIO and StoneMask for the pitch, CheapTrick for the envelope (Morise et al. 2016).

The Python functions of pyworld hold the interpreter's lock for seconds on a long recording, so the C functions beneath them, which the
extension module exports, are called through ctypes, without the lock: two recordings are analysed at once, and a server keeps answering.
Where a build of pyworld does not export them, its Python functions are used; the numbers are the same.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_DOUBLES = ctypes.POINTER(ctypes.c_double)
_ROWS = ctypes.POINTER(_DOUBLES)


class _DioOption(ctypes.Structure):
    """DioOption of world/dio.h."""

    _fields_ = (
        ("f0_floor", ctypes.c_double), ("f0_ceil", ctypes.c_double), ("channels_in_octave", ctypes.c_double),
        ("frame_period", ctypes.c_double), ("speed", ctypes.c_int), ("allowed_range", ctypes.c_double),
    )


class _CheapTrickOption(ctypes.Structure):
    """CheapTrickOption of world/cheaptrick.h."""

    _fields_ = (("q1", ctypes.c_double), ("f0_floor", ctypes.c_double), ("fft_size", ctypes.c_int))


def analysis(samples: NDArray[Any], rate: int, frame_milliseconds: float, fft_size: int) -> tuple[Matrix, Matrix]:
    """Power spectral envelope, shape (frames, fft_size // 2 + 1), and pitch in Hz, 0 where no voice is heard."""
    signal = np.ascontiguousarray(samples, dtype=np.float64)
    library = _library()
    if library is None:
        return _by_pyworld(signal, rate, frame_milliseconds, fft_size)
    dio, cheaptrick = _DioOption(), _CheapTrickOption()
    library.InitializeDioOption(ctypes.byref(dio))
    library.InitializeCheapTrickOption(rate, ctypes.byref(cheaptrick))
    dio.frame_period = frame_milliseconds
    cheaptrick.fft_size = fft_size
    cheaptrick.f0_floor = 3.0 * rate / (fft_size - 3.0)  # GetF0FloorForCheapTrick: the lowest pitch that this size resolves
    frames = library.GetSamplesForDIO(rate, len(signal), frame_milliseconds)
    times, rough, pitch = np.zeros(frames), np.zeros(frames), np.zeros(frames)
    power = np.zeros((frames, fft_size // 2 + 1))
    rows = (power.ctypes.data + np.arange(frames, dtype=np.uintp) * power.strides[0]).astype(np.uintp)  # where each row starts
    library.Dio(_pointer(signal), len(signal), rate, ctypes.byref(dio), _pointer(times), _pointer(rough))
    library.StoneMask(_pointer(signal), len(signal), rate, _pointer(times), _pointer(rough), frames, _pointer(pitch))
    library.CheapTrick(_pointer(signal), len(signal), rate, _pointer(times), _pointer(pitch), frames, ctypes.byref(cheaptrick), rows.ctypes.data_as(_ROWS))
    return power, pitch


def _by_pyworld(signal: Matrix, rate: int, frame_milliseconds: float, fft_size: int) -> tuple[Matrix, Matrix]:
    import pyworld

    pitch, times = pyworld.dio(signal, rate, frame_period=frame_milliseconds)
    pitch = pyworld.stonemask(signal, pitch, times, rate)
    return np.asarray(pyworld.cheaptrick(signal, pitch, times, rate, fft_size=fft_size)), np.asarray(pitch)


def _pointer(array: Matrix) -> Any:
    return array.ctypes.data_as(_DOUBLES)


@cache
def _library() -> Any:
    """The C functions in pyworld's extension module; None where they are hidden."""
    from pyworld import pyworld

    library = ctypes.CDLL(pyworld.__file__)
    integer, real = ctypes.c_int, ctypes.c_double
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "InitializeDioOption": (None, [ctypes.POINTER(_DioOption)]),
        "InitializeCheapTrickOption": (None, [integer, ctypes.POINTER(_CheapTrickOption)]),
        "GetSamplesForDIO": (integer, [integer, integer, real]),
        "Dio": (None, [_DOUBLES, integer, integer, ctypes.POINTER(_DioOption), _DOUBLES, _DOUBLES]),
        "StoneMask": (None, [_DOUBLES, integer, integer, _DOUBLES, _DOUBLES, integer, _DOUBLES]),
        "CheapTrick": (
            None, [_DOUBLES, integer, integer, _DOUBLES, _DOUBLES, integer, ctypes.POINTER(_CheapTrickOption), _ROWS]
        ),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name, None)
        if function is None:
            return None
        function.restype, function.argtypes = result, arguments
    return library
