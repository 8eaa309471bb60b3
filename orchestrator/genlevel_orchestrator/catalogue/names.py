"""Names: the keys by which tasks are matched, and the spellings of modalities and paradigms."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

MODALITIES = ("image", "video", "audio", "three_d", "language")
PARADIGMS = ("comprehension", "generation", "language")

_MODALITY_ALIASES = {"nlp": "language", "text": "language", "3d": "three_d", "threed": "three_d"}
_PARADIGM_ALIASES = {"nlp": "language", "none": "language", "": "language"}


def name_key(name: str) -> str:
    """Return the letters and digits of a name in lower case; names match when their keys do.

    >>> name_key("SpeechTranslation （zh-to-en）") == name_key("speech-translation (zh-to-en)")
    True
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in folded if character.isalnum())


def modality_name(name: str) -> str | None:
    """Return the canonical modality of a spelling such as ``NLP`` or ``3D``, or None.

    >>> modality_name("3D"), modality_name("Three_D"), modality_name("smell")
    ('three_d', 'three_d', None)
    """
    key = name_key(name)
    by_key = {name_key(modality): modality for modality in MODALITIES}
    return _MODALITY_ALIASES.get(key) or by_key.get(key)


def paradigm_name(name: str, modality: str) -> str | None:
    """Return the canonical paradigm, or None; language has a single paradigm, written ``language``."""
    if modality == "language":
        return "language"
    key = name_key(name)
    key = _PARADIGM_ALIASES.get(key, key)
    return key if key in ("comprehension", "generation") else None


def nearest(name: str, candidates: Iterable[str], count: int = 3) -> list[str]:
    """Return up to ``count`` candidates that look like ``name``, best first."""
    by_key: dict[str, str] = {}
    for candidate in candidates:
        by_key.setdefault(name_key(candidate), candidate)
    matches = difflib.get_close_matches(name_key(name), list(by_key), n=count, cutoff=0.5)
    return [by_key[match] for match in matches]
