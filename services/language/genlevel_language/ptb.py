"""Words as caption evaluation counts them: Penn Treebank tokens in lower case, punctuation left out.

The model is what pycocoevalcap makes of Stanford's PTBTokenizer 3.4.1, a Java program; this is the part of its grammar that English
captions and answers use, as one regular expression. tests/language/test_ptb.py says how far the two agree.
"""

from __future__ import annotations

import re

from genlevel_language.word_cache import WordCache

# Marks that Python counts to no word: combining accents, vowel signs of Indic scripts, points of Hebrew and Arabic.
_MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0dff\u0e00-\u0eff\u200c\u200d"
_WORD = rf"[\w{_MARKS}]"
_APOSTROPHE = "['’]"
_TITLES = (
    "mr|mrs|ms|dr|prof|st|jr|sr|vs|gen|col|sgt|capt|lt|rev|hon|gov|sen|rep|pres|inc|corp|ltd|co|bros|dept|est|assn|etc|al|ave|blvd|rd|jan|feb|mar"
    "|apr|aug|sept|sep|oct|nov|dec|mon|tue|tues|wed|thu|thurs|fri|sat|sun"
)
_CLITIC = rf"{_APOSTROPHE}(?:s|m|d|ll|re|ve|t)(?!{_WORD})"
_SPLIT_WORDS = {
    "cannot": ("can", "not"), "gonna": ("gon", "na"), "gotta": ("got", "ta"), "wanna": ("wan", "na"), "gimme": ("gim", "me"),
    "lemme": ("lem", "me"), "'tis": ("'t", "is"), "'twas": ("'t", "was"),
}  # fmt: skip
_TOKEN = re.compile(
    rf"""
    </?[a-z!?][^<>\s]{{0,200}}>                                             # a tag
    | (?:https?|ftp)://[^\s<>"'()]*[^\s<>"'().,;:!?]                # an address in the web
    | [\w.+-]{{1,64}}@[\w-]+(?:\.[\w-]+)+                                  # one of electronic mail
    | [@\#][a-z_]\w*
    | {_APOSTROPHE}(?:tis|twas|em|n{_APOSTROPHE}|n)(?!{_WORD})
    | {_CLITIC}
    | {_APOSTROPHE}\d\ds?(?!{_WORD})                                # '90s
    | (?:{_TITLES})\.(?=\s|$|[,;:?!)'"])
    | (?:[^\W\d_]\.)+(?:[^\W\d_]\.)                                 # u.s., e.g.
    | [^\W\d_]\.(?=\s+\S)                                           # an initial
    | [^\W\d_]{{1,3}}(?:&[^\W\d_]{{1,3}})+(?!{_WORD})               # at&t
    | \d+/\d+(?![/.]?{_WORD})                                       # 1/2
    | [-+]?\d+(?:[.,:-]\d+)*(?!{_WORD}|-{_WORD})                    # 3.5, 10-15, 5:30
    | \.\d+(?:,\d+)*(?!{_WORD})
    | (?:o|d|l){_APOSTROPHE}{_WORD}+(?:-{_WORD}+)*
    | {_WORD}+(?:[-./]{_WORD}+)*
    | \*{{2,}} | \#{{2,}} | >{{2,}} | \.{{3}} | [?!]+ | -{{2,}} | [–—] | \S
    """,
    re.VERBOSE | re.IGNORECASE,
)
_REPLACED = {
    "(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-", "£": "#", "€": "$", "¢": "cents",
    "½": "1/2", "¼": "1/4", "¾": "3/4",
}  # fmt: skip
_LOOKS_BACK = re.compile(r"\W['’]t", re.IGNORECASE)  # 't may belong to the word before, past punctuation that is left out
_DROPPED = frozenset(["'", "''", "`", "``", ".", "?", "!", ",", ":", "-", "--", "...", ";", '"', "‘", "’", "“", "”", "–", "—", "…", "„", "«", "»"])


def words(text: str) -> list[str]:
    """Tokens in lower case without punctuation.

    >>> words("The man's dog isn't here; it cannot be at 3.5% (U.S.).")
    ['the', 'man', "'s", 'dog', 'is', "n't", 'here', 'it', 'can', 'not', 'be', 'at', '3.5', '%', '-lrb-', 'u.s.', '-rrb-']
    """
    parts = text.lower().split()
    if not parts:
        return []
    if _LOOKS_BACK.search(text):
        return _cut(" ".join(parts))
    # What follows a word matters only as something that follows: a letter with a full stop is an initial unless it is the last word.
    return [*_MIDDLES.tokens(parts[:-1]), *_ENDS[parts[-1]]]


def _cut(text: str) -> list[str]:
    found: list[str] = []
    # Every repetition in the expression ends where the next begins, so its time is linear.
    for token in _TOKEN.findall(text):
        if token in _DROPPED or not token:
            continue
        plain = token.replace("’", "'") if "’" in token else token
        if plain == "'t" and found and found[-1].endswith("n"):
            found[-1:] = [part for part in (found[-1][:-1], "n't") if part]
        elif plain in _SPLIT_WORDS:
            found += _SPLIT_WORDS[plain]
        elif plain in _REPLACED:
            found.append(_REPLACED[plain])
        elif not _is_picture(plain):
            found.append(plain)
    return found


def _middle(word: str) -> list[str]:
    return _cut(f"{word} x")[:-1]


def _is_picture(character: str) -> bool:
    # Stanford's tokenizer knows the characters of the basic plane only and leaves others out.
    return len(character) == 1 and ord(character) > 0xFFFF


_MIDDLES = WordCache(_middle)
_ENDS = WordCache(_cut)
