"""Where a text commits itself to an answer: `\\boxed{}`, "the answer is", "option"; and text without thoughts and emphasis marks."""

from __future__ import annotations

import re
import unicodedata
from collections import deque

CJK = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_THOUGHT = re.compile(r"^.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_MARKUP = re.compile(r"\*\*|__|`|\\(?:text|mathrm|mathbf|textbf)\{([^{}]*)\}|\$|</?(?:answer|strong)>|(?-i:</?b>)|(?<![^\W_])_{1,3}([A-Za-z])_{1,3}(?![^\W_])", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
_STATEMENT = re.compile(
    r"(?:\b(?:answers?|choice|r[ée]ponse|respuesta|resposta|risposta|antwort)\b|ответ|答案|答え|정답|الإجابة|الجواب)"
    r"(?:\s*\([^()]*\))?(?:\s+(?:to|for)\s+(?:the|this)\s+question)?"
    r"\s*(?:(?:is|are|would\s+be|should\s+be|must\s+be|est|es|é|è|ist|sont|son|是|为|為|应为|應為|应该是|は|는|은|هي|هو)(?![a-z]))?\s*[:=-]?\s*",
    re.IGNORECASE,
)
_CHOOSING = re.compile(
    r"(?<!\bnot )(?<!n['’]t )\b(?:options?|choose|chose|choosing|select|selected|pick|go\s+with)\b(?![ \t]*:?[ \t]*\n)\s*:?\s*|(?:选择|選擇|选项|選項|应选|故选|选|選)\s*:?\s*(?:是|为)?\s*", re.IGNORECASE
)
_STATEMENTS, _TAIL = 8, 2000  # the last statements of a text that are looked at, and how far


def plain(text: str) -> str:
    """The text in NFKC, without what a model thought aloud before it and without emphasis marks.

    >>> plain("<think>A or B?</think> **Ｂ**")
    ' B'
    """
    return _MARKUP.sub(lambda match: match[1] or match[2] or "", _THOUGHT.sub("", unicodedata.normalize("NFKC", text)))


def boxed(text: str) -> str | None:
    """What the last `\\boxed{...}` holds."""
    found = _BOXED.findall(text)
    return str(found[-1]) if found else None


def committed(text: str) -> list[str]:
    """Where a plain text says which its answer is, the most binding place first: what is boxed, what follows "answer is".

    >>> committed("Not A. The answer is B."), committed(r"so \\boxed{C}")
    (['B.'], ['C'])
    """
    found = [] if (inside := boxed(text)) is None else [inside]
    for pattern in (_STATEMENT, _CHOOSING):
        last = deque((match.end() for match in pattern.finditer(text)), maxlen=_STATEMENTS)
        found += [text[end : end + _TAIL] for end in reversed(last)]
    return found
