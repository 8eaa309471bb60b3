"""The tokenizer of BERT: words and punctuation in lower case without accents, cut into the longest pieces of a vocabulary."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

_LONGEST_WORD = 100
_IDEOGRAPHS = (
    (0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F),
)


class WordPiece:
    """Text to numbers between the marks [CLS] and [SEP]. `path` is vocab.txt, one piece a line."""

    def __init__(self, path: Path, length: int = 256) -> None:
        self._numbers = {piece: number for number, piece in enumerate(path.read_text(encoding="utf-8").split("\n")) if piece}
        self._length = length

    def __call__(self, text: str) -> list[int]:
        """The numbers of a text; what is beyond the length is cut off."""
        pieces = [number for word in words(text) for number in self._pieces(word)]
        return [self._numbers["[CLS]"], *pieces[: self._length - 2], self._numbers["[SEP]"]]

    def _pieces(self, word: str) -> list[int]:
        unknown = [self._numbers["[UNK]"]]
        if len(word) > _LONGEST_WORD:
            return unknown
        found: list[int] = []
        start = 0
        while start < len(word):
            for end in range(len(word), start, -1):
                number = self._numbers.get(("##" if start else "") + word[start:end])
                if number is not None:
                    break
            else:
                return unknown
            found.append(number)
            start = end
        return found


def words(text: str) -> Iterator[str]:
    """Words in lower case without accents; punctuation and ideographs stand alone.

    >>> list(words("Café-Bar, 東京!"))
    ['cafe', '-', 'bar', ',', '東', '京', '!']
    """
    spaced = "".join(_spaced(letter).lower() for letter in text)  # letter by letter: a sigma at the end of a word is like any other
    plain = "".join(letter for letter in unicodedata.normalize("NFD", spaced) if unicodedata.category(letter) != "Mn")
    for word in plain.split():
        start = 0
        for place, letter in enumerate(word):
            if _is_punctuation(letter):
                if start < place:
                    yield word[start:place]
                yield letter
                start = place + 1
        if start < len(word):
            yield word[start:]


def _spaced(letter: str) -> str:
    code = ord(letter)
    if letter in "\t\n\r" or unicodedata.category(letter) == "Zs":
        return " "
    if code in (0, 0xFFFD) or unicodedata.category(letter)[0] == "C":
        return ""
    return f" {letter} " if any(low <= code <= high for low, high in _IDEOGRAPHS) else letter


def _is_punctuation(letter: str) -> bool:
    code = ord(letter)
    return 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126 or unicodedata.category(letter)[0] == "P"
