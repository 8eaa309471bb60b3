"""What is refused because it would take too long: counted, so that every machine refuses the same, and timed only at the very end."""

from __future__ import annotations

MAX_CHARACTERS = 1 << 17
"""Longest program text."""
MAX_PARSER_STEPS = 20_000
"""Times the parser reports its progress before it is stopped: a second or two."""
MAX_PARSER_SECONDS = 30.0
"""Time after which the parser is stopped all the same: between two reports a grammar's own scanner may run long on hostile text."""
MAX_FLOW_STEPS = 1_000_000
"""Tokens and pairs visited for the data flow; loops inside one another double it each."""
MAX_SEARCHED = 1 << 22
"""Characters looked through for the ends of strings and comments that have none."""


class TooComplex(Exception):
    """A text beyond a limit; the message continues "the code"."""
