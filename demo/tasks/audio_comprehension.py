"""Audio comprehension: sound effects, spoken commands and voices."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from demo import media, sound, sources, speech
from demo.bundle import Recipe, Task
from demo.tasks.base import Builder, audio, question

RATE = 16000
EVENTS = ("coin", "error", "fall", "gameover", "hit", "hurt", "jump", "laser", "lose", "upgrade")
COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
FEMALE = ("f1", "f2", "f3", "f4", "f5", "Annie", "Andrea", "linda", "belinda", "steph")
MALE = ("m1", "m2", "m3", "m4", "m5", "Lee", "Mike", "adam", "david", "boris")


def _summary(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = sound.cepstra(sound.normalise(samples), RATE)
    steps = np.diff(rows, axis=0) if len(rows) > 1 else np.zeros_like(rows)
    return np.concatenate([rows.mean(0), rows.std(0), steps.std(0), [0.2 * len(rows)]])


def fill_events(task: Task) -> None:
    """Nearest neighbour among the first three sounds of each kind, asked about the others."""
    known: list[tuple[str, NDArray[np.float64]]] = []
    asked: list[tuple[str, NDArray[np.float64]]] = []
    for kind in EVENTS:
        files = sources.members("arcade", f"arcade/resources/assets/sounds/{kind}", ".wav")
        for number, member in enumerate(files):
            samples = media.recording("arcade", member, RATE)
            (known if number < 3 else asked).append((kind, samples))
    features = np.stack([_summary(samples) for _, samples in known])
    centre, spread = features.mean(0), features.std(0) + 1e-6
    for kind, samples in asked:
        distance = np.abs((_summary(samples) - centre) / spread - (features - centre) / spread).sum(axis=1)
        guess = known[int(np.argmin(distance))][0]
        given = question("Which event makes the sound?", EVENTS, audio=audio(samples, RATE))
        task.add(given, {"text": kind}, guess)


def _spoken(text: str, voice: str, **manner: int) -> NDArray[np.float64]:
    return np.asarray(soxr.resample(speech.say(text, voice, **manner), speech.rate(), RATE), dtype=np.float64)


def fill_commands(task: Task) -> None:
    """Dynamic time warping against one template a word; the speakers of the questions are other voices, in noise."""
    generator = np.random.default_rng(51)
    templates = {word: sound.cepstra(_spoken(word, "en-us"), RATE)[::2, 1:] for word in COMMANDS}
    for voice in ("en-us+f2", "en-gb-scotland+m3", "en-us+steph"):
        for word in COMMANDS:
            clean = _spoken(word, voice, speed=150)
            noisy = clean + generator.normal(0, 0.02, len(clean))
            rows = sound.cepstra(noisy, RATE)[::2, 1:]
            guess = min(COMMANDS, key=lambda w: sound.warped_distance(rows, templates[w]))
            task.add(question("Which word is said?", COMMANDS, audio=audio(noisy, RATE)), {"text": word}, guess)


SENTENCES = ("Please correct the errors below.", "The file you submitted is empty.", "You have successfully changed it.")


def fill_sex(task: Task) -> None:
    """Female when the median pitch is above 155 Hz."""
    for number, (woman, man) in enumerate(zip(FEMALE, MALE, strict=True)):
        for label, variant in (("female", woman), ("male", man)):
            samples = _spoken(SENTENCES[number % 3], f"en-us+{variant}", pitch=35 + 4 * number)
            guess = "female" if sound.median_pitch(samples, RATE) > 155 else "male"
            given = question("Is the speaker male or female?", ("male", "female"), audio=audio(samples, RATE))
            task.add(given, {"text": label}, guess)


def _recipe(name: str, used: tuple[str, ...], truth: str, baseline: str) -> Recipe:
    return Recipe(name, "audio", "comprehension", "multiple choice", used, truth, baseline)


BUILDERS = (
    Builder(
        _recipe("Sound Event Recognition", ("arcade",), "the name of the recording", "nearest mel-cepstrum summary"),
        fill_events,
    ),
    Builder(
        _recipe("Speech Command", ("espeakng-loader",), "the word given to the synthesiser", "dynamic time warping"),
        fill_commands,
    ),
    Builder(
        _recipe(
            "Accent Sex Classification",
            ("espeakng-loader",),
            "the sex under which the synthesiser lists the voice",
            "threshold on the median pitch",
        ),
        fill_sex,
    ),
)
