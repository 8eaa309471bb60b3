"""Mel-cepstral distortion of two nine-second recordings against pymcd 0.2.1, which runs in the oracle venv (`make oracles`).

Both sides do the same work: ours without the networks beside the value (the errors of pitch are included; one analysis by WORLD serves
both). Ours runs WORLD for both recordings at once, pymcd one after the other, so the ratio of processor times is stated as well:
it does not depend on what else the machine does. Three quarters of ours are WORLD's own C code, the same that pymcd calls.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from genlevel_audio.app import EVALUATOR
from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.kinds import Content

ROOT = Path(__file__).resolve().parents[1]
RATE = 22050
REPEATS = 3


def _voice(pitch: float, seconds: float, seed: int) -> np.ndarray:
    """A buzz with a wandering pitch through two formants, and a little noise: as much work for WORLD as speech."""
    source = np.random.default_rng(seed)
    times = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * times))) / RATE
    harmonics = sum(np.sin(k * phase) * (np.exp(-(((k * pitch - 600) / 300) ** 2)) + 0.3 / k) for k in range(1, 30))
    return np.asarray(0.1 * harmonics + 0.003 * source.normal(size=len(times)))


def _ours(prediction: Path, reference: Path, mode: str) -> tuple[float, float, float]:
    """Shortest time, shortest processor time, value."""
    scorer = Scorer.of(EVALUATOR, "mcd", {"mode": mode, "beside": "none"})
    best, least, value = float("inf"), float("inf"), 0.0
    for _ in range(REPEATS):
        start, processor = time.perf_counter(), time.process_time()
        contents = [Content(media=media.from_path(path)) for path in (prediction, reference)]
        found = scorer.finalize(scorer.observe([RawSample("1", contents[0], (contents[1],))])[0]).value
        best, least = min(best, time.perf_counter() - start), min(least, time.process_time() - processor)
        value = found if found is not None else value
    return best, least, value


def main() -> None:
    """Prints one line of JSON for each mode."""
    with tempfile.TemporaryDirectory() as folder:
        prediction, reference = Path(folder, "a.wav"), Path(folder, "b.wav")
        soundfile.write(prediction, _voice(120.0, 9.0, 1), RATE)
        soundfile.write(reference, _voice(150.0, 8.5, 2), RATE)
        modes = ("dtw", "plain", "dtw_sl")
        requests = [
            {"what": mode, "prediction": str(prediction), "reference": str(reference)} for mode in modes for _ in range(REPEATS)
        ]
        done = subprocess.run(
            [ROOT / ".oracles/mcd/bin/python", "-W", "ignore", ROOT / "tests/audio/oracle_mcd.py"],
            input=json.dumps(requests), capture_output=True, text=True, check=True,
        )
        answers = json.loads(done.stdout.splitlines()[-1])
        for index, mode in enumerate(modes):
            theirs = answers[index * REPEATS : (index + 1) * REPEATS]
            other, busy = (min(answer[what] for answer in theirs) for what in ("seconds", "processor_seconds"))
            ours, least, value = _ours(prediction, reference, mode)
            equal = abs(value - theirs[0]["value"]) < 1e-6
            print(json.dumps({
                "name": f"mcd_{mode}", "ours_s": ours, "other_s": other, "ratio": other / ours,
                "equal_to": "pymcd 0.2.1" if equal else "DIFFERS", "note": f"9.0 s against 8.5 s, from files, best of three; processor time {busy / least:.1f} times less",
            }))


if __name__ == "__main__":
    main()
