"""The tokenizers of machine translation evaluation under the names that sacreBLEU gives them, word by word.

    13a   mteval-v13a: ASCII punctuation apart, full stops and commas unless between digits; what BLEU in translation papers means
    zh    each Chinese character alone, the rest as 13a without its entities
    intl  mteval-v14: punctuation of every script apart unless next to a digit, every symbol apart
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

from genlevel_language.word_cache import WordCache

_TAKEN_OUT = ("<skipped>", "-\n")
_SYMBOLS = re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])")
_STOP_AFTER = re.compile(r"([^0-9])([\.,])")
_STOP_BEFORE = re.compile(r"([\.,])([^0-9])")
_DASH_AFTER = re.compile(r"([0-9])(-)")
_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
# As sacreBLEU's table is compared: two of its ranges, meant for characters beyond the basic plane, are read as U+2001 to U+2A6D and as
# part of U+2F00 to U+2FDF, so general punctuation and mathematical signs stand alone and rare characters do not.
_CHINESE = re.compile(
    "([\u2001-\u2a6d\u2e80-\u2eff\u2f00-\u2fdf\u2ff0-\u303f\u3100-\u312f\u31a0-\u31bf\u31c0-\u31ef\u3200-\u33ff\u3400-\u4db5\u4e00-\u9fbb"
    "\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef])"
)


def words_13a(text: str) -> list[str]:
    """Words as mteval-v13a cuts them.

    >>> words_13a("It's 3.5%, (he said).")
    ["It's", '3.5', '%', ',', '(', 'he', 'said', ')', '.']
    """
    if any(mark in text for mark in _TAKEN_OUT):
        text = text.rstrip().replace("<skipped>", "").replace("-\n", "")
    return _CACHE_13A.tokens(text.split())


def joins_lines(texts: Iterable[str], lowercase: bool = False) -> bool:
    """Whether mteval-v13a takes something out of any of these texts before it cuts them, in lower case if asked for.

    >>> joins_lines(["a hyphen-\\nated word"]), joins_lines(["<SKIPPED>", "a - b"]), joins_lines(["<SKIPPED>"], lowercase=True)
    (True, False, True)
    """
    whole = "\0".join(texts)
    return any(mark in (whole.lower() if lowercase else whole) for mark in _TAKEN_OUT)


def words_zh(text: str) -> list[str]:
    """Words as sacreBLEU's `zh` cuts them.

    >>> words_zh("我有3.5个apple,好。")
    ['我', '有', '3.5', '个', 'apple', ',', '好', '。']
    """
    return _at_edges(text.split(), _EDGES_ZH, _CACHE_ZH)


def words_intl(text: str) -> list[str]:
    """Words as sacreBLEU's `intl` cuts them.

    >>> words_intl("«Déjà-vu» costs 3,50€…")
    ['«', 'Déjà', '-', 'vu', '»', 'costs', '3,50', '€', '…']
    """
    return _at_edges(text.split(), _EDGES_INTL, _CACHE_INTL, indented=text[:1].isspace())


def _at_edges(words: list[str], edges: WordCache, known: WordCache, indented: bool = False) -> list[str]:
    """The first word has nothing before it, unless the text is indented, and the last nothing after it, where the others have a space."""
    if not words:
        return []
    words[0] = " " + words[0] if indented else words[0]
    if len(words) < 2:
        return list(edges[words[0]])
    return [*edges[words[0] + " "], *known.tokens(words[1:-1]), *edges[" " + words[-1]]]


def _split_13a(word: str) -> list[str]:
    if word.isalnum():
        return [word]
    if "&" in word:
        for entity, character in _ENTITIES:
            word = word.replace(entity, character)
    return _split_stops(f" {word} ")


def _split_stops(text: str) -> list[str]:
    text = _SYMBOLS.sub(r" \1 ", text)
    text = _STOP_AFTER.sub(r"\1 \2 ", text)
    text = _STOP_BEFORE.sub(r" \1 \2", text)
    return _DASH_AFTER.sub(r"\1 \2 ", text).split()


def _split_zh(text: str) -> list[str]:
    return _split_stops(_CHINESE.sub(r" \1 ", text))


def _split_intl(text: str) -> list[str]:
    after, before, symbols = _intl_rules()
    text = after(r"\1 \2 ", text)
    text = before(r" \1 \2", text)
    return symbols(r" \1 ", text).split()


@cache
def _intl_rules() -> tuple[Callable[[str, str], str], ...]:
    import regex

    return tuple(regex.compile(rule).sub for rule in (r"(\P{N})(\p{P})", r"(\p{P})(\P{N})", r"(\p{S})"))


_CACHE_13A = WordCache(_split_13a)
word_13a = _CACHE_13A.__getitem__
"""The words of one between white space, in a text that does not join lines."""
_CACHE_ZH = WordCache(lambda word: [word] if word.isascii() and word.isalnum() else _split_zh(f" {word} "))
_EDGES_ZH = WordCache(_split_zh)
_EDGES_INTL = WordCache(_split_intl)
_CACHE_INTL = WordCache(lambda word: [word] if word.isascii() and word.isalnum() else _split_intl(f" {word} "))
