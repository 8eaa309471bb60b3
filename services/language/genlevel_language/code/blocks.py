"""Code inside an answer in words."""

from __future__ import annotations

import re

_BLOCK = re.compile(r"^[ \t]*(```+|~~~+)[^\n`]*\n(.*?)(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE)


def first(text: str) -> str:
    r"""What stands in the first fenced block; the whole text where there is none. A block without an end goes to the end.

    >>> first("Sure:\n```python\nx = 1\n```\nDone."), first("x = 1")
    ('x = 1\n', 'x = 1')
    """
    match = _BLOCK.search(text)
    return match[2] if match else text
