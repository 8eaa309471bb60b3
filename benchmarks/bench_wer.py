"""Word error rate: 3,000 utterances against jiwer 4 on the same tokens, and the way from recordings against faster-whisper's own loop."""

from __future__ import annotations

import io
import json
import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import jiwer
import numpy as np
import soundfile

from genlevel_audio.app import EVALUATOR
from genlevel_evaluator import media, weights
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.statistics.edit_distance import edits

RECORDINGS, SECONDS = 12, 6.0


def _corpus(count: int, length: int) -> tuple[list[list[str]], list[list[str]]]:
    source = random.Random(1)
    vocabulary = [f"word{i}" for i in range(200)]
    true = [source.choices(vocabulary, k=length) for _ in range(count)]
    said = [[word if source.random() > 0.15 else source.choice(vocabulary) for word in words if source.random() > 0.05] for words in true]
    return true, said


def _compare(name: str, count: int, length: int) -> dict[str, object]:
    true, said = _corpus(count, length)
    start = time.perf_counter()
    found = [edits(a, b) for a, b in zip(true, said, strict=True)]
    ours = time.perf_counter() - start
    texts = [[" ".join(words) for words in side] for side in (true, said)]
    start = time.perf_counter()
    theirs = jiwer.process_words(texts[0], texts[1])
    other = time.perf_counter() - start
    equal = [sum(edit.substitutions for edit in found), sum(edit.deletions for edit in found), sum(edit.insertions for edit in found)] == [
        theirs.substitutions, theirs.deletions, theirs.insertions,
    ]
    return {
        "name": name, "ours_s": ours, "other_s": other, "ratio": other / ours, "equal_to": "jiwer 4" if equal else "DIFFERS",
        "note": f"{count} utterances of {length} words; S, D and I compared",
    }


def _recording(seed: int) -> bytes:
    """Six seconds of vowels: as much work for a recogniser as speech."""
    source = np.random.default_rng(seed)
    times = np.arange(int(SECONDS * 16_000)) / 16_000
    pitch = 120 + 30 * np.sin(2 * np.pi * 0.8 * times + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / 16_000
    formant = 600 + 300 * np.sign(np.sin(2 * np.pi * 3 * times))
    voice = sum(np.sin(k * phase) * np.exp(-(((k * pitch - formant) / 250) ** 2)) for k in range(1, 25))
    buffer = io.BytesIO()
    soundfile.write(buffer, 0.1 * voice * (np.sin(2 * np.pi * 1.5 * times) > -0.5) + 0.002 * source.normal(size=len(times)), 16_000, format="WAV")
    return buffer.getvalue()


def _from_recordings() -> dict[str, object]:
    """The whole metric against a loop over faster-whisper with the same settings, from the same files; both networks are warm."""
    from faster_whisper import WhisperModel

    options = {
        "language": "en", "task": "transcribe", "beam_size": 1, "best_of": 1, "temperature": 0.0, "condition_on_previous_text": False,
        "without_timestamps": False, "vad_filter": False,
    }  # fmt: skip
    model = WhisperModel(str(weights.path("whisper-tiny-en")), device="cpu", compute_type="int8", cpu_threads=2, local_files_only=True)
    scorer = Scorer.of(EVALUATOR, "wer")
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{i}.wav") for i in range(RECORDINGS + 1)]
        for i, path in enumerate(paths):
            path.write_bytes(_recording(i))
        samples = [RawSample(str(i), Content(media=media.from_path(path)), (Content(text="a e i o u"),)) for i, path in enumerate(paths)]
        scorer.observe(samples[-1:])
        list(model.transcribe(str(paths[-1]), **options)[0])
        start = time.perf_counter()
        rows, _ = scorer.observe(samples[:-1])
        scorer.finalize(rows)
        ours = time.perf_counter() - start
        start = time.perf_counter()
        texts = [" ".join(part.text.strip() for part in model.transcribe(str(path), **options)[0]) for path in paths[:-1]]
        other = time.perf_counter() - start
        said = [EVALUATOR.extractor("whisper_tiny_en").extract([EVALUATOR.kinds["speech"].read(sample.prediction, "prediction", {})])[0] for sample in samples[:-1]]
    return {
        "name": "wer_from_recordings", "ours_s": ours, "other_s": other, "ratio": other / ours,
        "equal_to": "faster-whisper 1.2" if said == texts else "DIFFERS",
        "note": f"{RECORDINGS} recordings of {SECONDS:.0f} s, 16 kHz; real-time factor {ours / (RECORDINGS * SECONDS):.3f} against {other / (RECORDINGS * SECONDS):.3f}",
    }


def main() -> None:
    """Prints one line of JSON for each comparison."""
    print(json.dumps(_from_recordings()))
    for name, count, length in (("wer_short", 3000, 20), ("wer_long", 60, 600)):
        print(json.dumps(_compare(name, count, length)))


if __name__ == "__main__":
    main()
