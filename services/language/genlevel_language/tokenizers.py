"""How text becomes tokens. NLTK is imported on first use."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from genlevel_language import ptb

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
    return [_stem(word) if len(word) > 3 else word for word in words] if stemmer else words


def nltk_words(text: str) -> list[str]:
    """Words of NLTK's `word_tokenize(text, preserve_line=True)`: Treebank rules over the whole text.

    The sentence splitter that `word_tokenize` runs first needs the data `punkt_tab`, which no package ships. Without it only the
    last full stop of the text is cut off its word; those of inner sentences stay ("sat. It" gives "sat." and "It").

    >>> nltk_words("It isn't here.")
    ['It', 'is', "n't", 'here', '.']
    """
    words: list[str] = _word_tokenizer().tokenize(text)
    return words


def cut(text: str, tokenizer: str, lowercase: bool = False) -> list[str]:
    """The tokens a metric's parameters ask for; `ptb` is in lower case anyway.

    >>> cut("A dog's bowl.", "ptb"), cut("A b", "whitespace", lowercase=True)
    (['a', 'dog', "'s", 'bowl'], ['a', 'b'])
    """
    return _TOKENIZERS[tokenizer](text.lower() if lowercase else text)


@cache
def _word_tokenizer() -> Any:
    from nltk.tokenize.destructive import NLTKWordTokenizer

    return NLTKWordTokenizer()


@cache
def _porter() -> Any:
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer()


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    stem: str = _porter().stem(word)
    return stem


_TOKENIZERS: dict[str, Callable[[str], list[str]]] = {
    "nltk": nltk_words,
    "whitespace": str.split,
    "character": characters,
    "ptb": ptb.words,
}
