"""Texts as 64-bit numbers: what a state of numeric columns can hold of a word or a label."""

from __future__ import annotations

import hashlib
from functools import lru_cache


def digest(text: str) -> int:
    """A number that is the same for equal texts in every process, and different for others but for one chance in 2^64 a pair.

    >>> digest("cat") == digest("cat"), digest("cat") == digest("Cat")
    (True, False)
    """
    hashed = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(hashed, "little", signed=True)


word_digest = lru_cache(maxsize=1 << 16)(digest)
"""`digest` for words, which repeat."""
