"""Runs in .oracles/mcd: the spectrogram of aiSFX by librosa 0.11.0, of samples in a .npy file, written to another."""

import json
import sys

import librosa
import numpy as np

for request in json.load(sys.stdin):
    samples = np.load(request["samples"]).astype(np.float32)
    samples = samples / max(float(np.abs(samples).max()), 1e-30)
    power = librosa.feature.melspectrogram(
        y=samples, sr=44100, n_mels=96, norm=1.0, fmin=0.0, fmax=22050.0, htk=True, power=2.0, hop_length=1024, win_length=2048
    )
    np.save(request["bands"], np.log10(power * 10000.0 + 1).T / 9.457798957824707)
print(json.dumps("done"))
