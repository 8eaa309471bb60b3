"""Networks of the audio evaluator. Importing this imports no network."""

from __future__ import annotations

from importlib import import_module

from genlevel_evaluator.backbones import Backbone, Extractor


def _build(module: str) -> Extractor:
    extractor: Extractor = import_module(f"genlevel_audio.backbones.{module}").build()
    return extractor


BACKBONES = {
    backbone.name: backbone
    for backbone in (
        Backbone(
            name="whisper_tiny_en", weights="whisper-tiny-en",
            preprocessing="mono mean, 16 kHz soxr VHQ; CTranslate2 int8 on CPU, 2 threads; greedy: beam 1, temperature 0, "
            "no text of earlier windows, no voice detection, language en; silence is the empty transcript",
            build=lambda: _build("whisper"), batch=1, uses_gpu=False,
        ),
        Backbone(
            name="aisfx", weights="aisfx-cnn9",
            preprocessing="mono mean, 44.1 kHz soxr VHQ, peak 1, STFT 2048/1024 Hann centred, 96 HTK mels of unit sum, "
            "log10(1e4 x + 1) / 9.4578, blocks of 100 frames, hop 100, a remainder dropped unless it is all there is",
            build=lambda: _build("aisfx"), batch=1, uses_gpu=False,
        ),
        Backbone(
            name="vggish", weights="vggish",
            preprocessing="mono mean, 16 kHz soxr VHQ, windows of 0.96 s, hop 0.96 s, 64 log mels 125..7500 Hz of 25/10 ms frames, "
            "a remainder dropped unless it is all there is; 128 values before the last ReLU, no PCA, no quantisation",
            build=lambda: _build("vggish"), batch=1, uses_gpu=False,
        ),
        Backbone(
            name="clap", weights="clap-630k-audioset", also=("roberta-vocabulary", "gpt2-merges"),
            preprocessing="mono mean, 48 kHz soxr VHQ, clipped and cut to 16 bits, windows of 10 s, the last at the end, a short recording "
            "repeated while it fits and filled with zeros; STFT 1024/480 Hann centred, 64 Slaney mels 50..14000 Hz, decibels; text: RoBERTa, 77 places",
            build=lambda: _build("clap"), batch=4,
        ),
        Backbone(
            name="examples-aisfx-minilm", weights="aisfx-cnn9", also=("minilm-l6-v2", "known-sounds"),
            preprocessing="as aisfx, the mean of its blocks; softmax of cosines with known sounds (5 s of each), temperature 0.1; text: lower case, 256 pieces",
            build=lambda: _build("examples"), batch=1, uses_gpu=False,
        ),
        Backbone(
            name="dnsmos", weights="dnsmos",
            preprocessing="mono mean, 16 kHz soxr VHQ, doubled up to 9.01 s, windows of 9.01 s, one a second; P.835 polynomials; P.808 of 120 Slaney mels",
            build=lambda: _build("dnsmos"), batch=1, uses_gpu=False,
        ),
        Backbone(
            name="resemblyzer", weights="resemblyzer",
            preprocessing="mono mean, 16 kHz soxr VHQ, raised to -30 dBFS, no voice detection; 40 Slaney mels of 25/10 ms, windows of 160 frames, step 77",
            build=lambda: _build("speaker"), batch=1, uses_gpu=False,
        ),
    )
}
