"""English text normaliser of Whisper (Radford et al. 2022, appendix C), as in its release 20250625.

    >>> normalise("Mr. Neil's colour-blind; he didn't pay twenty-one dollars, um, (laughs) on the 2nd.")
    'mister neil is color blind he did not pay $21 on the 2nd'

The table english_spelling.csv (British to American, 1,739 words) is data of that normaliser (MIT licence, OpenAI).
"""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache
from importlib.resources import files

from genlevel_audio.text.english_numbers import digits

_FILLERS = re.compile(r"\b(hmm|mm|mhm|mmm|uh|um)\b")
_NUMERIC_SYMBOLS = frozenset(".%$¢€£")
_LETTERS = {
    "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "ß": "ss", "ẞ": "SS", "đ": "d", "Đ": "D",
    "ð": "d", "Ð": "D", "þ": "th", "Þ": "th", "ł": "l", "Ł": "L",
}
"""Letters that Unicode does not take apart into a letter and a mark."""

_WHOLE_WORDS = {
    "won't": "will not", "can't": "can not", "let's": "let us", "ain't": "aint", "y'all": "you all", "wanna": "want to",
    "gotta": "got to", "gonna": "going to", "i'ma": "i am going to", "imma": "i am going to", "woulda": "would have",
    "coulda": "could have", "shoulda": "should have", "ma'am": "madam",
    "mr": "mister ", "mrs": "missus ", "st": "saint ", "dr": "doctor ", "prof": "professor ", "capt": "captain ",
    "gov": "governor ", "ald": "alderman ", "gen": "general ", "sen": "senator ", "rep": "representative ",
    "pres": "president ", "rev": "reverend ", "hon": "honorable ", "asst": "assistant ", "assoc": "associate ",
    "lt": "lieutenant ", "col": "colonel ", "jr": "junior ", "sr": "senior ", "esq": "esquire ",
}
_ENDINGS = {
    "'d been": " had been", "'s been": " has been", "'d gone": " had gone", "'s gone": " has gone", "'d done": " had done",
    "'s got": " has got", "n't": " not", "'re": " are", "'s": " is", "'d": " would", "'ll": " will", "'t": " not",
    "'ve": " have", "'m": " am",
}
# In this order, one after the other: a replacement may make text for a later one.
_REPLACEMENTS = [(re.compile(rf"\b{word}\b"), new) for word, new in _WHOLE_WORDS.items()] + [
    (re.compile(rf"{ending}\b"), new) for ending, new in _ENDINGS.items()
]


def normalise(text: str) -> str:
    """Lower-case words without punctuation; contractions written out, numbers in digits, American spelling."""
    text = without_remarks(text.lower())
    text = _FILLERS.sub("", text)
    text = re.sub(r"\s+'", "'", text)
    for pattern, replacement in _REPLACEMENTS:
        text = pattern.sub(replacement, text)
    text = re.sub(r"(\d),(\d)", r"\1\2", text)
    text = re.sub(r"\.([^0-9]|$)", r" \1", text)
    text = digits(_without_symbols(text))
    text = " ".join(_spelling().get(word, word) for word in text.split())
    text = re.sub(r"[.$¢€£]([^0-9])", r" \1", text)  # symbols that belong to no number
    text = re.sub(r"([^0-9])%", r"\1 ", text)
    return " ".join(text.split())


def without_remarks(text: str) -> str:
    """What stands in brackets is no speech."""
    return re.sub(r"\(([^)]+?)\)", "", re.sub(r"[<\[][^>\]]*[>\]]", "", text))


def _without_symbols(text: str) -> str:
    return "".join(map(_letter, unicodedata.normalize("NFKD", text)))


def _letter(character: str) -> str:
    if character in _NUMERIC_SYMBOLS:
        return character
    if character in _LETTERS:
        return _LETTERS[character]
    category = unicodedata.category(character)
    if category == "Mn":
        return ""
    return " " if category[0] in "MSP" else character


@cache
def _spelling() -> dict[str, str]:
    table = files("genlevel_audio.text").joinpath("english_spelling.csv").read_text(encoding="utf-8")
    return {row["british"]: row["american"] for row in csv.DictReader(table.splitlines())}
