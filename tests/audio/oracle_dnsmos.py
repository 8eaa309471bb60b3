"""Runs in .oracles/mcd: speechmos 0.0.1.1 on samples at 16 kHz in .npy files, and Resemblyzer's mels by librosa 0.11.0."""

import json
import sys

import librosa
import numpy as np
from speechmos import dnsmos

answers = []
for request in json.load(sys.stdin):
    samples = np.load(request["samples"])
    found = dnsmos.run(samples, 16000, return_df=False)
    mels = librosa.feature.melspectrogram(y=samples, sr=16000, n_fft=400, hop_length=160, n_mels=40)
    np.save(request["mels"], mels.T)
    answers.append({name: float(found[name]) for name in ("sig_mos", "bak_mos", "ovrl_mos", "p808_mos")})
print(json.dumps(answers))
