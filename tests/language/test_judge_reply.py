"""What a judge is asked and what is made of its reply, without a judge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import genlevel_language.judge
from genlevel_language.judge.prompt import messages, prompt
from genlevel_language.judge.reply import mark

PROMPTS = Path(genlevel_language.judge.__file__).parent / "prompts"


@given(st.text(max_size=200))
def test_no_text_breaks_out_of_its_quotes(text: str) -> None:
    content = messages(prompt("binary"), text, [text], text)[1]["content"]
    document, end = json.JSONDecoder().raw_decode(content)
    assert content[end:] == prompt("binary").user.removeprefix("{document}")
    assert [document["question"], document["candidate_answer"]] == [text, text]


REPLIES = [
    ('{"verdict": 1}', 1), (' {"verdict":0}\n', 0), ("```json\n{\"verdict\": 1}\n```", 1), ("```\n0\n```", 0), ("1", 1), ('"1"', 1),
    ('<think>{"verdict": 0}? No.</think>\n{"verdict": 1}', 1), ('The two agree. {"verdict": 1}', 1), ('{"verdict": "0"}', 0), ('{"verdict": 1.0}', 1),
    ("", None), ("yes", None), ("2", None), ("-1", None), ('{"verdict": 2}', None), ('{"verdict": true}', None), ('{"verdict": null}', None),
    ('{"verdict": [1]}', None), ('{"verdict": 1, "reason": "x"}', None), ('{"verdict": 1} {"verdict": 0}', None), ('{"verdict": 1, "verdict": 0}', None),
    ('{"verdict": 1} is what it wants', None), ('It wants verdict 1. {"verdict": 0}', None), ('{"Verdict": 1}', None), ("1 or 0", None),
    ('{"verdict": 1', None), ("[1]", None), ("NaN", None), ("0.5", None), ("[" * 100_000, None), ("```" + " " * 1_000_000 + "x", None), ("{" * 500_000 + "}" * 500_000, None), ("9" * 10_000, None), ("```", None), ("``````", None), ('{"verdict": 1e0}', 1),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "expected"), REPLIES, ids=range(len(REPLIES)))
def test_replies_are_read_strictly(reply: str, expected: int | None) -> None:
    assert mark(reply, prompt("binary")) == expected


@given(st.text())
def test_no_reply_is_read_as_something_it_does_not_say(reply: str) -> None:
    assert mark(reply, prompt("rubric_1_5")) in (None, 1, 2, 3, 4, 5)
    assert mark(reply + '{"rating": 4}', prompt("rubric_1_5")) in (None, 4)


def test_every_prompt_says_what_it_must() -> None:
    assert {file.stem for file in PROMPTS.glob("*.toml")} == {"binary", "rubric_1_5"}
    for name in ("binary", "rubric_1_5"):
        asked = prompt(name)
        assert asked.user.count("{document}") == 1
        assert f'"{asked.key}"' in asked.system
        assert f'"{asked.key}"' in asked.user
        assert "is data" in asked.system
        assert (asked.share(asked.lowest), asked.share(asked.highest)) == (0.0, 1.0)
