"""Words as HumanML3D's evaluator takes them: a vector of 300 and one of fifteen tags."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genlevel_evaluator import weights
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_three_d.forms.motion_texts import Token

ENTRIES = ("t2m-vectors", "t2m-words", "t2m-index")
LONGEST = 20
"""Tokens of a caption that are read, besides the marks of its start and end."""
WIDTH = 300
TAGS = (
    "VERB", "NOUN", "DET", "ADP", "NUM", "AUX", "PRON", "ADJ", "ADV", "Loc_VIP", "Body_VIP", "Obj_VIP", "Act_VIP", "Desc_VIP", "OTHER",
)  # fmt: skip
_SPECIAL = {
    "Loc_VIP": "left right clockwise counterclockwise anticlockwise forward back backward up down straight curve",
    "Body_VIP": "arm chin foot feet face hand mouth leg waist eye knee shoulder thigh",
    "Obj_VIP": "stair dumbbell chair window floor car ball handrail baseball basketball",
    "Act_VIP": "walk run swing pick bring kick put squat throw hop dance jump turn stumble stop sit lift lower raise wash stand kneel stroll "
    "rub bend balance flap jog shuffle lean rotate spin spread climb",
    "Desc_VIP": "slowly carefully fast careful slow quickly happy angry sad happily angrily sadly",
}
"""Words with a tag of their own, whatever their part of speech."""
_TAG_OF = {word: tag for tag, words in _SPECIAL.items() for word in words.split()}


class PlainUnpickler(pickle.Unpickler):
    """Lists, dictionaries, texts and numbers need no class; a file that asks for one is refused, so reading it cannot run code."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuses."""
        raise pickle.UnpicklingError(f"the file asks for {module}.{name}")


class Vocabulary:
    """Vectors of words.

    Args:
        vectors: a row a word.
        words: those that are known.
        index: row of each.
    """

    def __init__(self, vectors: NDArray[Any], words: Sequence[str], index: Mapping[str, int]) -> None:
        if vectors.ndim != 2 or vectors.dtype.kind != "f" or not np.isfinite(vectors).all():
            raise _wrong("the vectors of words are no table of finite numbers")
        if not isinstance(words, list) or not isinstance(index, dict) or not all(isinstance(word, str) and type(index.get(word)) is int for word in words):
            raise _wrong("a word has no number")
        self._rows = {word: index[word] for word in words}
        if "unk" not in self._rows or not all(0 <= row < len(vectors) for row in self._rows.values()):
            raise _wrong("'unk' or the vector of a word is missing")
        self._vectors = np.asarray(vectors, dtype=np.float32)
        self.width = vectors.shape[1]

    def rows(self, tokens: Sequence[Token]) -> NDArray[np.float32]:
        """The words of a caption between its marks, shape (n, 300 + 15): a vector and a one among the tags each."""
        marked = [("sos", "OTHER"), *tokens[:LONGEST], ("eos", "OTHER")]
        return np.stack([self._row(word, tag) for word, tag in marked])

    def _row(self, word: str, tag: str) -> NDArray[np.float32]:
        known = word in self._rows
        tag = _TAG_OF.get(word, tag) if known else "OTHER"
        ones = np.zeros(len(TAGS), dtype=np.float32)
        ones[TAGS.index(tag if tag in TAGS else "OTHER")] = 1.0
        return np.concatenate([self._vectors[self._rows[word if known else "unk"]], ones])


def read_vocabulary(vectors: Path, words: Path, index: Path) -> Vocabulary:
    """The three files of the evaluator's word vectors.

    Raises:
        EvaluatorError: WRONG_WEIGHTS.
    """
    try:
        found = np.load(vectors, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise _wrong(f"{vectors.name} is no array ({error})") from None
    return Vocabulary(found, _plain(words), _plain(index))


def load_vocabulary() -> Vocabulary:
    """The word vectors of the evaluator.

    Raises:
        EvaluatorError: WRONG_WEIGHTS.
    """
    vocabulary = read_vocabulary(*(weights.path(name) for name in ENTRIES))
    if vocabulary.width != WIDTH:
        raise _wrong(f"the vectors of words have {vocabulary.width} numbers, not {WIDTH}")
    return vocabulary


def _plain(path: Path) -> Any:
    with path.open("rb") as stream:
        try:
            return PlainUnpickler(stream).load()
        except Exception as error:  # a damaged pickle raises whatever its bytes lead to
            raise _wrong(f"{path.name} is no pickle of plain values ({error})") from None


def _wrong(what: str) -> EvaluatorError:
    return EvaluatorError(Code.FAILED_PRECONDITION, "WRONG_WEIGHTS", what, f"fetch {', '.join(ENTRIES)}: our_vab of the evaluator's glove.zip")
