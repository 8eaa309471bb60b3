"""Program text without its comments, as CodeBLEU compares trees: comments become a space, and lines left empty go.

In Python docstrings go too, and a text that its tokenizer refuses stays as it is. Ruby's comments stay, as `#` ones of PHP do.
"""

from __future__ import annotations

import re
import tokenize
from io import StringIO

from genlevel_language.code.limits import MAX_SEARCHED, TooComplex

_OPENER = re.compile(r"//|/\*|['\"]")
_REST = {"'": re.compile(r"'(?:\\.|[^\\'])*'", re.DOTALL), '"': re.compile(r'"(?:\\.|[^\\"])*"', re.DOTALL)}


def without_comments(source: str, language: str) -> str:
    """The text without comments.

    >>> without_comments('int a = 1; // one\\n\\nchar *s = "//";', "c")
    'int a = 1;  \\nchar *s = "//";'
    >>> without_comments('def f():\\n    \\'\\'\\'Adds.\\'\\'\\'\\n    return 1  # one', "python")
    'def f():\\n    return 1  '
    """
    if language == "ruby":
        return source
    if language != "python":
        return _without_empty_lines(_slashed(source))
    try:
        return _without_empty_lines(_python(source))
    except (tokenize.TokenError, SyntaxError):
        return source


def _without_empty_lines(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if line.strip())


def _slashed(source: str) -> str:
    """With every comment of C's kind as one space; those inside strings are none."""
    if "//" not in source and "/*" not in source:
        return source
    parts: list[str] = []
    done = place = searched = 0
    while match := _OPENER.search(source, place):
        place = match.end()
        if match[0] in _REST:
            if string := _REST[match[0]].match(source, match.start()):
                place = string.end()
            else:
                searched += len(source) - place
        elif (end := _comment_end(source, match[0], place)) >= 0:
            parts += [source[done : match.start()], " "]
            done = place = end
        else:  # an opening that nothing closes is no comment
            searched += len(source) - place
            place = match.start() + 1
        if searched > MAX_SEARCHED:
            raise TooComplex("has too many strings that do not end")
    return "".join([*parts, source[done:]])


def _comment_end(source: str, opener: str, place: int) -> int:
    if opener == "//":
        end = source.find("\n", place)
        return end if end >= 0 else len(source)
    end = source.find("*/", place)
    return end + 2 if end >= 0 else -1


def _python(source: str) -> str:
    """Without comments, and without strings that begin a line."""
    parts: list[str] = []
    before, row, column, searched = tokenize.INDENT, -1, 0, 0
    for kind, string, (start_row, start_column), (end_row, end_column), line in tokenize.generate_tokens(
        StringIO(source).readline
    ):
        if kind == tokenize.ERRORTOKEN:
            searched += len(line)
            if searched > MAX_SEARCHED:
                raise TooComplex("has too many strings that do not end")
        if start_row > row:
            column = 0
        if start_column > column:
            parts.append(" " * (start_column - column))
        begins = kind == tokenize.STRING and (before in (tokenize.INDENT, tokenize.NEWLINE) or not start_column)
        if kind != tokenize.COMMENT and not begins:
            parts.append(string)
        before, row, column = kind, end_row, end_column
    return "".join(parts)
