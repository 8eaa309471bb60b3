"""What General-Bench's audio tasks look like that the audio evaluator scores: recordings, pieces, fields, references, right and wrong answers."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from general_bench import _IDS
from general_bench_rows import COUNT, folder_of

from genlevel_orchestrator.catalogue import Task

RATE = 8000
Maker = Callable[[int], Any]
SENTENCES = ("the cat sat down", "a dog runs here", "many birds sing now", "rain falls on roofs")
CHINESE = ("今天天气", "我们走吧", "他在那里", "你好世界")
_NOTES = {"annotation.json": "prediction.json", "json/annotation.json": "prediction.json", "{folder}.json": "predictions.json"}


@dataclass
class Rows:
    """Samples of one task: `given` is what stands under `input`, `output` under `output`; `right` and `wrong` are predictions, by number."""

    given: Maker
    output: Maker
    right: Maker
    wrong: Maker
    files: dict[str, bytes] = field(default_factory=dict)


def tone(number: int) -> bytes:
    """A recording of its own for each number: five buzzes of one pitch."""
    times = np.arange(RATE) / RATE
    pitch = 110.0 * (1.0 + 0.3 * number)
    sound = sum(np.sin(2 * np.pi * pitch * harmonic * times) / harmonic for harmonic in range(1, 6)) * (0.2 + 0.1 * np.sin(2 * np.pi * 5 * times))
    return recorded(np.round(np.asarray(sound) * 10_000).astype("<i2"))


def recorded(samples: np.ndarray[Any, Any]) -> bytes:
    """A WAV file of 16 bits."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(samples.tobytes())
    return file.getvalue()


def midi(bars: list[list[int]], name: str = "flute") -> bytes:
    """A piece of one track: in each bar of four beats, its pitches together."""
    events = bytearray(b"\x00\xff\x03" + bytes([len(name)]) + name.encode())
    for pitches in bars:
        for pitch in pitches:
            events += bytes([0, 0x90, pitch, 64])
        for place, pitch in enumerate(pitches):
            events += (b"\x83\x00" if place == 0 else b"\x00") + bytes([0x80, pitch, 0])  # 384 ticks later
    events += b"\x00\xff\x2f\x00"
    return b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60" + b"MTrk" + len(events).to_bytes(4, "big") + bytes(events)


def rows_of(task: Task) -> Rows:
    """The samples of a task, in the layout its group has in public bundles."""
    makers: dict[str, Callable[[Task], Rows]] = {
        "clap_score": _described, "clap_style_score": _described, "mcd": _paired, "fad": _generated, "wer": _spoken, "cider": _shown,
        "pcc": _composed, "e_accuracy": _orchestrated,
    }  # fmt: skip
    return makers[task.metric_id](task)


def _recordings(prefix: str, count: int = COUNT + 1) -> dict[str, bytes]:
    return {f"{prefix}/{i}.wav": tone(i) for i in range(count)}


def _described(task: Task) -> Rows:
    prompts = [
        lambda i: {"audio_file": f"{i}.wav", "prompt": f"sound {i}"},
        lambda i: {"caption": f"sound {i}", "prompt": "Make a sound."},
        lambda i: {"audio_file": f"{i}.wav", "instruction": f"sound {i}"},
    ]
    outputs: list[Maker] = [lambda i: {"audio_file": f"{i}.wav"}, lambda i: {"text": f"sound {i}"}, lambda i: {}]
    return Rows(
        prompts[task.number % 3], outputs[(task.number // 3) % 3], lambda i: f"generated/{i}.wav", lambda i: f"generated/{COUNT}.wav",
        _recordings("audios") | _recordings("generated"),
    )  # fmt: skip


def _paired(task: Task) -> Rows:
    return Rows(
        lambda i: {"text": "Say it.", "audio_file": f"audios/{COUNT}.wav"}, lambda i: {"audio_file": f"{i}.wav"}, lambda i: f"generated/{i}.wav",
        lambda i: f"generated/{COUNT}.wav", _recordings("audios") | _recordings("generated"),
    )  # fmt: skip


def _generated(task: Task) -> Rows:
    """Of four real recordings two are as the first and two as the second one; half of what is generated is not as its own."""
    key = "video_file" if task.number % 2 == 0 else "prompt"
    files = {f"audios/{i}.wav": tone(i % 2) for i in range(COUNT)} | {f"generated/{i}.wav": tone(i) for i in range(2)}
    return Rows(
        lambda i: {key: f"{i}.mp4", "prompt": "q"}, lambda i: {"audio_file": f"{i}.wav"}, lambda i: f"generated/{i % 2}.wav", lambda i: "generated/0.wav", files,
    )  # fmt: skip


def _spoken(task: Task) -> Rows:
    texts = CHINESE if task.parameters.get("normaliser") == "character" else SENTENCES
    if task.parameters.get("source") == "transcript":
        return Rows(
            lambda i: {"audio_file": f"{i}.wav", "text": "in another language"}, lambda i: {"text": texts[i], "audio_file": f"{i}.wav"},
            lambda i: {"text": texts[i]}, lambda i: {"text": ""}, _recordings("audios"),
        )  # fmt: skip
    given: list[Maker] = [lambda i: {"text": texts[i]}, lambda i: {"audio_file": f"{i}.wav", "prompt": "Convert the voice."}]
    outputs: list[Maker] = [lambda i: {"audio_file": f"{i}.wav"}, lambda i: {"audio_file": f"{i}.wav", "transcript": texts[i]}]
    form = 0 if task.name == "TextToSpeech" else 1
    return Rows(given[form], outputs[form], lambda i: f"generated/{i}.wav", lambda i: f"generated/{COUNT}.wav", _recordings("audios") | _recordings("generated"))


def _shown(task: Task) -> Rows:
    return Rows(
        lambda i: {"image_file": f"images/{i}.png", "prompt": SENTENCES[i]}, lambda i: {"audio_file": f"{i}.wav"}, lambda i: f"generated/{i}.wav",
        lambda i: f"generated/{COUNT}.wav", _recordings("audios") | _recordings("generated"),
    )  # fmt: skip


def _composed(task: Task) -> Rows:
    """A right piece repeats its bar, a wrong one shares no tone between two bars."""
    files = {"generated/right.mid": midi([[60, 64]] * 3), "generated/wrong.mid": midi([[60], [61]])}
    return Rows(lambda i: {"prompt": "Write a song."}, lambda i: {}, lambda i: "generated/right.mid", lambda i: "generated/wrong.mid", files)


def _orchestrated(task: Task) -> Rows:
    files = {f"audios/{i}.mid": midi([[60 + i], [64]]) for i in range(COUNT)}
    files |= {f"generated/{i}.mid": midi([[60 + i], [64]]) for i in range(COUNT)} | {"generated/wrong.mid": midi([[30], [31]])}
    return Rows(lambda i: {"audio_file": f"{i}.mid"}, lambda i: {"midi_file": f"{i}.mid"}, lambda i: f"generated/{i}.mid", lambda i: "generated/wrong.mid", files)


def write_audio(root: Path, task: Task, number: int, right: int) -> Path:
    """A folder of the task of which the first `right` samples are answered rightly; `number` turns the spellings."""
    rows = rows_of(task)
    folder = folder_of(root, task, number, "audio", rows.files)
    ids = [_IDS[number % len(_IDS)](i) for i in range(COUNT)]
    data = [{"id": ids[i], "input": rows.given(i), "output": rows.output(i)} for i in range(COUNT)]
    answers = [{"id": ids[i], "prediction": (rows.right if i < right else rows.wrong)(i)} for i in range(COUNT)]
    annotation, predictions = list(_NOTES.items())[number % len(_NOTES)]
    head = {"task": [task.name, task.name.lower()][number % 2], "type": "audio generation", "modality": {"in": ["text"], "out": ["audio"]}}
    _write(folder / annotation.format(folder=folder.name), {**head, "data_source": "x", "set_type": "openset", "data": data[::-1]})
    _write(folder / predictions, answers if number % 3 else {"task": task.name, "skill": "s", "type": "t", "data": answers})
    return folder


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
