"""Caption words against Stanford's PTBTokenizer, whose answers ptb_tokens.json holds: it is a Java program.

The captions are made from templates, and the rules were written with them and the prose at hand: this guards against change, it is no
estimate for unseen text. Words glued to numbers ("bike5:30") are known to differ and are not among them.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from genlevel_language import ptb

RECORDED = json.loads((Path(__file__).parent / "ptb_tokens.json").read_text(encoding="utf-8"))


def different(part: str) -> list[str]:
    return [text for text, words in RECORDED[part] if ptb.words(text) != words.split()]


def test_captions_are_cut_the_same() -> None:
    assert len(RECORDED["captions"]) == 400
    assert different("captions") == []


def test_most_of_technical_prose_is_cut_the_same() -> None:
    """Sentences of package descriptions, with their markup, paths and versions."""
    assert len(RECORDED["prose"]) > 150
    assert len(different("prose")) <= 0.2 * len(RECORDED["prose"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("He can't; they'll go.", "he ca n't they 'll go"),
        ("gonna wanna cannot", "gon na wan na can not"),
        ("Mr. Smith at 5:30 p.m. said 'hello' to AT&T", "mr. smith at 5:30 p.m. said hello to at&t"),
        ("a 2-year-old's dog’s bone – — “quoted” £5 €6 #1", "a 2-year-old 's dog 's bone quoted # 5 $ 6 # 1"),
        ("e.g. this, i.e. that; Dr. No. vs. St. a.m.", "e.g. this i.e. that dr. no vs. st. a.m."),
        ("naïve Größe 猫坐在垫子上。 नमस्ते مرحبا 😀 ", "naïve größe 猫坐在垫子上 。 नमस्ते مرحبا"),
        ("1/2 ½ x=y http://a.b/c me@b.com <br> [x] {y}", "1/2 1/2 x = y http://a.b/c me@b.com <br> -lsb- x -rsb- -lcb- y -rcb-"),
        ("'tis rock 'n' roll ten o'clock '90s dogs' bones", "'t is rock 'n' roll ten o'clock '90s dogs bones"),
        ("hello!!! what?! wow..", "hello !!! what ?! wow"),
        ("", ""),
        (" \n.\t", ""),
    ],
)
def test_rules(text: str, words: str) -> None:
    """Answers of the Java program, given line by line."""
    assert ptb.words(text) == words.split()


@pytest.mark.parametrize("text", ["a-", "n't", "1,", "<a", "a.", "@a", "a@", "a+b", "'", "http://a.", "1/", "a@b.", "&"])
def test_hostile_text_takes_no_time(text: str) -> None:
    start = time.process_time()
    ptb.words(text * 100_000)
    assert time.process_time() - start < 5.0
