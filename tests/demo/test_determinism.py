"""Building twice gives the same bytes, for one task of each kind of media."""

from __future__ import annotations

from pathlib import Path

from demo import build, media, speech

# Speech (a library with random numbers), video (an encoder), images, fonts, word statistics.
TASKS = [
    "Speech Command",
    "EmotionalSpeechSynthesis",
    "Human Video Generation",
    "Object Motion Video Question Answering",
    "Image Colorization",
    "tabular data detection",
    "English-French Translation",
]


def test_two_builds_are_equal(tmp_path: Path) -> None:
    tables = []
    for name in ("first", "second"):
        speech._speak.cache_clear()
        media.clip.cache_clear()
        build.build_tasks(tmp_path / name, TASKS)
        tables.append(build.digests(tmp_path / name))
    assert len(tables[0]) > 100
    assert tables[0] == tables[1]


def test_a_task_does_not_depend_on_those_before_it(bundle: Path, tmp_path: Path) -> None:
    build.build_tasks(tmp_path, ["Speech Command", "Image Deraining"])
    whole, alone = build.digests(bundle), build.digests(tmp_path)
    assert {name: whole.get(name) for name in alone} == alone
