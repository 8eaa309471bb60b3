"""Numbers in a text, in digits or as English words: the first one, and the one that a text commits itself to."""

from __future__ import annotations

import re

from genlevel_language.statements import CJK, committed, plain

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS = {word: value for value, word in enumerate(_UNITS.split())} | {
    word: 20 + 10 * place for place, word in enumerate(_TENS.split())
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_SMALL = rf"(?:(?:{'|'.join(_TENS.split())})[-\s](?:{'|'.join(_UNITS.split()[1:10])})|{'|'.join(_WORDS)})(?!\w)"
_SCALED = rf"(?:[-\s](?:{'|'.join(_SCALES)})(?!\w))"
_WORDED = re.compile(rf"(?<!\w)(?:{_SMALL}|a(?={_SCALED}))(?:{_SCALED}{{1,2}}(?:,?\s(?:and\s)?{_SMALL})?){{0,4}}", re.IGNORECASE)
_DIGITS = r"[-+−]?(?:\d{1,3}(?:,\d{3})+(?!,?\d)|\d+)(?:\.\d+)?"
_PLAIN = re.compile(rf"(?<![\w.]){_DIGITS}(?!\w)")
# What else is written right behind a number: ordinals and units.
_UNIT = rf"(?:st|nd|rd|th|kg|mg|g|km|cm|mm|m|ms|min|mins|hrs?|h|ml|l|mph|px)[23]?(?![^\W{CJK}])"
_ANYWHERE = re.compile(
    rf"(?<![^\W{CJK}])(?<![^\W\d_]-)(?<!\d[./])(?<!\^)(?<!(?:sqrt|frac)\{{)(?<!\}}\{{)(?:{_DIGITS}|[-+−]?(?<!\.)\.\d+)"
    rf"(?=(?i:{_UNIT})|[{CJK}]|\W|$)(?![./]\d|\^|\s\d+/\d|\s*\\(?:sqrt|pi|frac|times|cdot|div|pm)\b)"
)
# A statement ends with its sentence, or where it says why or of what.
_END = re.compile(r"[.;!?](?=\s|$)|\n|\s\(|,?\s(?:because|since|as|so|from|out\s+of|of|which|where)\s", re.IGNORECASE)
_LEADING = re.compile(r"(?:[^\w(]|about|approximately|around|roughly|exactly|only|equal\s+to|a\s+total\s+of|[a-z]\s*=|(?-i:[A-Z]{3})(?=\s))*", re.IGNORECASE)
_GOES_ON = re.compile(r"\s*(?:or|and|to|x|[-–~/+*×·÷±&:或和与到至]|,\s?\d)(?![A-Za-z])", re.IGNORECASE)
# The last line of word problems' solutions, as GSM8K writes it.
_LAST = re.compile(r"^####[ \t]*([^\n]*)\s*\Z", re.MULTILINE)
_NOT = re.compile(r"(?:\bnot|n['’]t)(?:\s+be)?\s*$", re.IGNORECASE)


def first(text: str) -> str | None:
    """The first number, a fraction kept.

    >>> first("There are 1,200 birds"), first("about 2.5"), first("one hundred and five of 200")
    ('1200', '2.5', '105')
    """
    digits, word = _PLAIN.search(text), _WORDED.search(text)
    if digits and (not word or digits.start() < word.start()):
        return digits[0].replace(",", "").replace("−", "-")
    return _in_words(word[0]) if word else None


def whole(text: str) -> str | None:
    """The first number where it is a whole one."""
    found = first(text)
    shortened = found and in_digits(found)
    return None if shortened and "." in shortened else shortened


def single(text: str) -> str | None:
    """The number of the last statement such as "the answer is", else the only one of the text.

    A statement's number is the one behind its last "=", the only one, or the one it begins with.

    >>> [single(text) for text in ("The answer is 2 + 2 = 4.", "The answer is 3 or 5", "Answer: 5kg (of 7)", "not 5", "1/2")]
    ['4', None, '5', None, None]
    """
    said = plain(text)
    for part in (*committed(said), *_LAST.findall(said)):
        if found := _stated(_END.split(part, maxsplit=1)[0]):
            return found
    return _only(said)


def _stated(statement: str) -> str | None:
    statement = statement.rpartition("=")[2]
    start = _LEADING.match(statement)
    place = start.end() if start else 0
    # The sign, if there is one, belongs to the number.
    digits = _ANYWHERE.match(statement, place - (statement[place - 1 : place] in ("-", "−", "+", ".")))
    word = None if digits else _WORDED.match(statement, place)
    leads = digits or word
    if leads is None or _GOES_ON.match(statement, leads.end()):
        return _only(statement)
    return in_digits(digits[0]) if digits else _in_words(leads[0])


def _only(text: str) -> str | None:
    numbers = {in_digits(found[0]) for found in _ANYWHERE.finditer(text) if not _denied(text, found)}
    numbers = numbers or {_in_words(found[0]) for found in _WORDED.finditer(text) if not _denied(text, found)}
    return numbers.pop() if len(numbers) == 1 else None


def _denied(text: str, found: re.Match[str]) -> bool:
    return bool(_NOT.search(text[max(0, found.start() - 12) : found.start()]))


def in_digits(written: str) -> str:
    """A number without separators and zeros that say nothing; its text, as Python refuses to read more than 4,300 digits."""
    before, _, fraction = written.replace(",", "").replace("−", "-").partition(".")
    size = (before.lstrip("+-0") or "0") + ("." + fraction.rstrip("0") if fraction.strip("0") else "")
    return "-" + size if before.startswith("-") and size != "0" else size


def _in_words(words: str) -> str:
    total = current = 0
    for word in re.findall(r"[a-z]+", words.casefold()):
        if word in _SCALES:
            current = (current or 1) * _SCALES[word]
            total, current = (total + current, 0) if word != "hundred" else (total, current)
        else:
            current += _WORDS.get(word, 0)
    return str(total + current)
