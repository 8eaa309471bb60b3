"""Audio generation: synthesised and converted speech, and music put together from pieces."""

from __future__ import annotations

import numpy as np
import pyworld
import soxr
from numpy.typing import NDArray

from demo import media, sound, speech, texts
from demo.bundle import Recipe, Task
from demo.tasks.base import Builder, audio

RATE = 16000
MUSIC_RATE = 22050
SECONDS = 5
SONGS = ("1918", "funkyrobot")
Samples = NDArray[np.float64]


def _spoken(text: str, voice: str, pitch: int = 50, speed: int = 150, pitch_range: int = 50) -> Samples:
    samples = speech.say(text, voice, pitch=pitch, speed=speed, pitch_range=pitch_range)
    # A recogniser trained on recordings loses the first word when speech begins with the first sample.
    return np.pad(np.asarray(soxr.resample(samples, speech.rate(), RATE), dtype=np.float64), RATE // 4)


def _plain_sentences(count: int, start: int) -> list[str]:
    """Return real sentences that hold only common words, so that a recogniser has a fair chance."""
    letters = set("abcdefghijklmnopqrstuvwxyz ,.")
    plain = [s for s in texts.english_sentences() if set(s.lower()) <= letters and 5 <= len(s.split()) <= 12]
    return plain[start : start + count]


def fill_text_to_speech(task: Task) -> None:
    """Rule-based synthesis in two voices."""
    for number, text in enumerate(_plain_sentences(16, 0)):
        samples = _spoken(text, ("en-us", "en-us+f2")[number % 2])
        task.add({"text": text, "prompt": "Say the text."}, {"text": text}, audio(samples, RATE))


def _convert(samples: Samples, pitch_ratio: float, formant_ratio: float) -> Samples:
    """Raise pitch and formants with the WORLD vocoder."""
    pitch, times = pyworld.dio(samples, RATE)
    pitch = pyworld.stonemask(samples, pitch, times, RATE)
    envelope = pyworld.cheaptrick(samples, pitch, times, RATE)
    noise = pyworld.d4c(samples, pitch, times, RATE)
    bins = np.arange(envelope.shape[1])
    stretched = np.stack([np.interp(bins / formant_ratio, bins, row) for row in envelope])
    voiced = pyworld.synthesize(pitch * pitch_ratio, np.ascontiguousarray(stretched), noise, RATE)
    return sound.normalise(np.asarray(voiced))


def fill_voice_conversion(task: Task) -> None:
    """A male voice made female by stretching pitch and envelope; the words must survive."""
    for text in _plain_sentences(12, 16):
        source = _spoken(text, "en-us+m3")
        target = _spoken("The voice to be copied speaks here.", "en-us+f2")
        given = {"audio": audio(source, RATE), "target": audio(target, RATE), "prompt": "Say it in the target's voice."}
        task.add(given, {"text": text}, audio(_convert(source, 1.6, 1.15), RATE))


EMOTIONS = {"happy": (75, 175, 95), "sad": (25, 115, 15), "angry": (60, 190, 80), "calm": (45, 130, 35)}


def fill_emotional_speech(task: Task) -> None:
    """The reference voice acts each emotion by pitch, pace and liveliness; the baseline is another voice, unmoved."""
    for number, text in enumerate(_plain_sentences(12, 12)):
        emotion = list(EMOTIONS)[number % len(EMOTIONS)]
        pitch, speed, pitch_range = EMOTIONS[emotion]
        acted = _spoken(text, "en-us+f3", pitch, speed, pitch_range)
        flat = _spoken(text, "en-us+f2", 50, 150, 50)
        given = {"text": text, "emotion": emotion, "prompt": f"Say the text in a {emotion} voice."}
        task.add(given, {"audio": audio(acted, RATE)}, audio(flat, RATE))


def _recompose(material: Samples, generator: np.random.Generator) -> Samples:
    """Join slices of a second half, cut where it is quiet, in a random order with short fades."""
    slice_length, fade = MUSIC_RATE // 2, MUSIC_RATE // 50
    ramp = np.linspace(0, 1, fade)
    out = np.zeros(SECONDS * MUSIC_RATE + slice_length)
    position = 0
    while position < SECONDS * MUSIC_RATE:
        start = int(generator.integers(0, len(material) - slice_length - 2000))
        window = np.abs(material[start : start + 2000])
        start += int(np.argmin(np.convolve(window, np.ones(200), "valid")))
        piece = material[start : start + slice_length].copy()
        piece[:fade] *= ramp
        piece[-fade:] *= ramp[::-1]
        out[position : position + slice_length] += piece
        position += slice_length - fade
    return out[: SECONDS * MUSIC_RATE]


def fill_songs(task: Task) -> None:
    """References are cut from the first halves of two songs, the baseline shuffles slices of the second halves."""
    generator = np.random.default_rng(61)
    for song in SONGS:
        samples = media.recording("arcade", f"arcade/resources/assets/music/{song}.mp3", MUSIC_RATE)
        half = len(samples) // 2
        length = SECONDS * MUSIC_RATE
        starts = np.linspace(MUSIC_RATE, half - length, 6).astype(int)
        for start in starts:
            given = {"prompt": f"Compose five seconds in the style of {song}."}
            truth = audio(samples[start : start + length], MUSIC_RATE)
            task.add(given, {"audio": truth}, audio(_recompose(samples[half:], generator), MUSIC_RATE))


def _recipe(name: str, used: tuple[str, ...], truth: str, baseline: str) -> Recipe:
    return Recipe(name, "audio", "generation", "audio generation", used, truth, baseline)


BUILDERS = (
    Builder(
        _recipe("TextToSpeech", ("espeakng-loader", "django"), "the text to be said", "rule-based synthesiser"),
        fill_text_to_speech,
    ),
    Builder(
        _recipe("VoiceConversion", ("espeakng-loader", "django"), "the text that the source says", "vocoder, pitch and formants"),
        fill_voice_conversion,
    ),
    Builder(
        _recipe(
            "EmotionalSpeechSynthesis",
            ("espeakng-loader", "django"),
            "the synthesiser asked for the emotion's pitch, pace and range",
            "a second voice without emotion",
        ),
        fill_emotional_speech,
    ),
    Builder(
        _recipe("SongGeneration", ("arcade",), "first halves of two songs", "shuffled slices of the second halves"),
        fill_songs,
    ),
)
