"""Runs in .oracles/mcd: pymcd 0.2.1 and fastdtw 0.3.4. Standard input names files and what to compute of them."""

import json
import sys
import time

import numpy as np
import pysptk
import pyworld
from fastdtw.fastdtw import dtw, fastdtw  # the Python form, whether or not a compiled one is there
from pymcd.mcd import Calculate_MCD
from scipy.spatial.distance import euclidean


def cepstra(path):
    """pymcd's coefficients of a file."""
    calculator = Calculate_MCD("dtw")
    return calculator.wav2mcep_numpy(calculator.load_wav(path, 22050))


def exact(one, other, first):
    """Distance over the exact path, from coefficient `first` on."""
    _, path = dtw(one[:, 1:], other[:, 1:], dist=euclidean)
    left, right = np.array(path).T
    return 10 / np.log(10) * np.sqrt(2) * np.linalg.norm((one[left] - other[right])[:, first:], axis=1).mean()


def answer(request):
    """What one request asks for."""
    if request["what"] in ("plain", "dtw", "dtw_sl"):
        calculator = Calculate_MCD(request["what"])
        start, processor = time.perf_counter(), time.process_time()
        value = calculator.calculate_mcd(request["reference"], request["prediction"])
        return {"value": float(value), "seconds": time.perf_counter() - start, "processor_seconds": time.process_time() - processor}
    if request["what"] == "cepstra":
        return cepstra(request["file"]).tolist()
    if request["what"] == "power_cepstra":
        samples = Calculate_MCD("dtw").load_wav(request["file"], 22050)
        _, power, _ = pyworld.wav2world(samples.astype(np.double), fs=22050, frame_period=5.0, fft_size=512)
        return pysptk.sptk.mcep(power, order=13, alpha=0.65, maxiter=0, etype=1, eps=1.0e-8, min_det=0.0, itype=4).tolist()
    if request["what"] == "exact":
        return float(exact(cepstra(request["reference"]), cepstra(request["prediction"]), request["first"]))
    if request["what"] == "path":
        return [list(map(int, pair)) for pair in fastdtw(np.array(request["one"]), np.array(request["other"]), dist=euclidean)[1]]
    raise ValueError(request["what"])


print(json.dumps([answer(request) for request in json.load(sys.stdin)]))
