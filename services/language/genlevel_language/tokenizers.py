"""How text becomes tokens, under one name for all metrics.

    nltk        words of NLTK's `word_tokenize(text, preserve_line=True)`: Treebank rules over the whole text. The sentence splitter that
                `word_tokenize` runs first needs the data `punkt_tab`, which no package ships. Without it only the last full stop of the
                text is cut off its word; those of inner sentences stay ("sat. It" gives "sat." and "It")
    whitespace  words between white space
    char        every character that is not white space
    ptb         Penn Treebank words in lower case without punctuation, as caption evaluation counts them
    13a         as sacreBLEU: mteval-v13a, the default of translation papers
    zh          as sacreBLEU: each Chinese character alone, the rest as 13a
    intl        as sacreBLEU: mteval-v14, punctuation and symbols of every script apart
    unicode     Unicode's default word boundaries; each Han and Kana character alone
    code        identifiers, numbers, operators, string literals and commands of LaTeX
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, Literal

from genlevel_language import ptb, segment, translation_words, treebank
from genlevel_language.word_cache import WordCache

Tokenizer = Literal["nltk", "whitespace", "char", "ptb", "13a", "zh", "intl", "unicode", "code"]
RougeTokenizer = Literal[Tokenizer, "ascii"]
Normalisation = Literal["none", "nfkc", "arabic"]
"""`arabic`: NFKC, without vowel signs and lengthening strokes."""

_ASCII_WORD = re.compile(r"[a-z0-9]+")
# Lower-cases letters and turns all but letters and digits into spaces: for ASCII text three times as fast as the expression.
_ASCII_TABLE = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))


def characters(text: str) -> list[str]:
    """Every character that is not white space.

    >>> characters("你好 a")
    ['你', '好', 'a']
    """
    return [character for character in text if not character.isspace()]


def ascii_words(text: str, stemmer: bool) -> list[str]:
    """Lower-case runs of ASCII letters and digits, as package `rouge_score` finds them; words of four letters and more stemmed.

    >>> ascii_words("Running dogs, 3 naïve!", stemmer=True)
    ['run', 'dog', '3', 'na', 've']
    """
    words = text.translate(_ASCII_TABLE).split() if text.isascii() else _ASCII_WORD.findall(text.lower())
    return _STEMS.tokens(words) if stemmer else words


def cut(text: str, tokenizer: str, lowercase: bool = False, normalisation: str = "none") -> list[str]:
    """The tokens a metric's parameters ask for; `ptb` is in lower case anyway.

    >>> cut("A dog's bowl.", "ptb"), cut("A b", "whitespace", lowercase=True)
    (['a', 'dog', "'s", 'bowl'], ['a', 'b'])
    """
    text = normalised(text, normalisation)
    return _TOKENIZERS[tokenizer](text.lower() if lowercase else text)


def one_word(word: str) -> tuple[str]:
    """A word between white space is a token."""
    return (word,)


def by_word(tokenizer: str, lowercase: bool, normalisation: str, texts: Sequence[str]) -> Callable[[str], Sequence[str]] | None:
    """What cuts a word as `cut` cuts it inside these texts; None where a word's tokens depend on more than the word."""
    if normalisation != "none":
        return None
    if tokenizer == "13a" and translation_words.joins_lines(texts, lowercase):
        return None
    if tokenizer == "unicode" and segment.joins_words(texts):
        return None
    words = _BY_WORD.get(tokenizer)
    return (lambda word: words(word.lower())) if words is not None and lowercase else words


def ascii_by_word(stemmer: bool) -> Callable[[str], Sequence[str]]:
    """What cuts a word as `ascii_words` cuts it inside a text."""
    return (_STEMMED if stemmer else _ASCII).__getitem__


def rouge_words(text: str, tokenizer: str, stemmer: bool = False, normalisation: str = "none") -> list[str]:
    """The tokens ROUGE counts, in lower case: `ascii` as package `rouge_score`, or one of the others.

    >>> rouge_words("Déjà vu", "ascii"), rouge_words("Déjà vu", "unicode")
    (['d', 'j', 'vu'], ['déjà', 'vu'])
    """
    if tokenizer == "ascii":
        return ascii_words(normalised(text, normalisation), stemmer)
    return cut(text, tokenizer, lowercase=True, normalisation=normalisation)


def normalised(text: str, normalisation: str) -> str:
    """Text in the form a metric's parameters ask for."""
    return text if normalisation == "none" else _NORMALISATIONS[normalisation](text)


@cache
def _porter() -> Any:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()


_STEMS = WordCache(lambda word: [_porter().stem(word) if len(word) > 3 else word])
_ASCII = WordCache(lambda word: ascii_words(word, stemmer=False))
_STEMMED = WordCache(lambda word: ascii_words(word, stemmer=True))
_BY_WORD: dict[str, Callable[[str], Sequence[str]]] = {
    "whitespace": one_word,
    "char": tuple,
    "13a": translation_words.word_13a,
    "unicode": segment.unicode_word,
}
_NORMALISATIONS: dict[str, Callable[[str], str]] = {"nfkc": partial(unicodedata.normalize, "NFKC"), "arabic": segment.arabic}
_TOKENIZERS: dict[str, Callable[[str], list[str]]] = {
    "nltk": treebank.words,
    "whitespace": str.split,
    "char": characters,
    "ptb": ptb.words,
    "13a": translation_words.words_13a,
    "zh": translation_words.words_zh,
    "intl": translation_words.words_intl,
    "unicode": segment.unicode_words,
    "code": segment.code_tokens,
}
