"""NLTK's word tokenizer, `word_tokenize(text, preserve_line=True)`, word by word.

The rules are those of the installed NLTK, taken from its NLTKWordTokenizer. They look past white space in three places only: a quotation
mark is an opening one where a space, and no other white space, stands before it, or at the start of the text; a lone apostrophe ends a
word where a space follows; and the full stop is cut off its word at the end of the text, closing brackets and quotation marks after it.
So the words up to the last are looked up one by one, and that end is cut as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from genlevel_language.word_cache import MAX_LETTERS, MAX_WORDS, WordCache

_CLOSERS = ".])}>\"'»”’ "
_CONTEXT = re.compile(r"(\s?)(\S+)(?=(\s))")
_NEXT = "x"
"""Stands for the word after one that is not the last, so that the rules of the end do not fire."""
_Rule = tuple[Callable[[str, str], str], str]
_SEPARATORS = re.compile("[\x1c-\x1f]")
"""White space to Python, but not to NLTK's rules: a full stop before one is not at the end."""
_SPLIT_WORDS = re.compile("cannot|gimme|gonna|gotta|lemme|wanna", re.IGNORECASE)


def words(text: str) -> list[str]:
    """The tokens of a text.

    >>> words('It "isn\\'t" (here).')
    ['It', '``', 'is', "n't", "''", '(', 'here', ')', '.']
    """
    head, end = _split(text)
    middles, ends = _caches()
    parts = head.split()
    if _only_spaces(head, parts):
        tokens = middles.tokens(parts)
    else:
        tokens = [token for found in _CONTEXT.findall(head) for token in _in_context(*found)]
    tokens += ends[end]
    return tokens


def _split(text: str) -> tuple[str, str]:
    """The words before the last one that is more than closing marks, and the white space after them; the rest, with one character before."""
    body = text.rstrip().rstrip(_CLOSERS).rstrip()
    parts = body.rsplit(None, 1)
    if len(parts) < 2:
        return "", text
    start = len(body) - len(parts[1])
    return text[:start], text[start - 1 :]


def _only_spaces(head: str, parts: list[str]) -> bool:
    """Whether one space stands after every word, and the first, which has none before it, begins with no quotation mark."""
    return not head or (head[0] not in "\"'" and f"{' '.join(parts)} " == head)


def _in_context(before: str, word: str, after: str) -> tuple[str, ...]:
    if before == after == " ":
        return _caches()[0][word]
    return (_beside_breaks if len(word) <= MAX_LETTERS else _beside_breaks.__wrapped__)(before, word, after)


@lru_cache(maxsize=MAX_WORDS)
def _beside_breaks(before: str, word: str, after: str) -> tuple[str, ...]:
    """Words next to other white space than a space, as in lists and poems."""
    return tuple(_cut(before + word + after + _NEXT)[:-1])


def _middle(word: str) -> list[str]:
    return [word] if _plain(word) else _cut(f" {word} {_NEXT}")[:-1]


def _end(end: str) -> list[str]:
    word = end.strip()
    if word.endswith(".") and _plain(word[:-1]) and not _SEPARATORS.search(end):
        return [word[:-1], "."]
    return [word] if _plain(word) else _cut(end)


def _plain(word: str) -> bool:
    """Whether no rule applies."""
    return word.isalnum() and not _SPLIT_WORDS.fullmatch(word)


@cache
def _caches() -> tuple[WordCache, WordCache]:
    """Of words between spaces, and of ends."""
    return WordCache(_middle), WordCache(_end)


def _cut(text: str) -> list[str]:
    """NLTK's rules on a whole text."""
    # The two engines differ in what is a letter, a digit or white space beyond printable ASCII.
    before, after = _rules(text.isascii() and text.isprintable())
    for sub, replacement in before:
        text = sub(replacement, text)
    text = f" {text} "
    for sub, replacement in after:
        text = sub(replacement, text)
    return text.split()


@cache
def _rules(ascii_only: bool) -> tuple[list[_Rule], list[_Rule]]:
    """The rules before and after a space is put on both sides, for Python's engine or for the package `regex`.

    NLTK runs each under a timer in `regex`, which costs ten times as much as the rule. They are linear, so they run without one here.
    """
    from nltk.tokenize.destructive import NLTKWordTokenizer as Nltk

    before = [*Nltk.STARTING_QUOTES, *Nltk.PUNCTUATION, Nltk.PARENS_BRACKETS, Nltk.DOUBLE_DASHES]
    after = [*Nltk.ENDING_QUOTES, *((rule, r" \1 \2 ") for rule in (*Nltk.CONTRACTIONS2, *Nltk.CONTRACTIONS3))]
    first, second = ([(_sub(rule, ascii_only), replacement) for rule, replacement in rules] for rules in (before, after))
    return first, second


def _sub(rule: Any, ascii_only: bool) -> Callable[[str, str], str]:
    if isinstance(rule, re.Pattern):
        return rule.sub
    if ascii_only:
        return re.compile(rule.pattern, rule.flags & re.IGNORECASE).sub
    import regex

    return regex.compile(rule.pattern, rule.flags).sub  # type: ignore[no-any-return]
