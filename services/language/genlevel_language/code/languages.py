"""The programming languages that are understood, and the names they go by."""

from __future__ import annotations

import re

LANGUAGES = ("python", "java", "javascript", "c_sharp", "php", "c", "cpp", "go", "ruby", "rust")
"""Those of package `codebleu` 0.7.0; a state holds their places in this order, so new ones are added at the end."""

_OTHER_NAMES = {
    "py": "python", "pypy": "python", "cpython": "python",
    "js": "javascript", "node": "javascript", "nodejs": "javascript", "ecmascript": "javascript", "es": "javascript", "jsx": "javascript",
    "c#": "c_sharp", "csharp": "c_sharp", "cs": "c_sharp",
    "c++": "cpp", "cxx": "cpp", "cc": "cpp", "cplusplus": "cpp", "g++": "cpp", "gnuc++": "cpp",
    "ansic": "c", "gnuc": "c",
    "golang": "go", "rb": "ruby", "rs": "rust", "openjdk": "java",
}  # fmt: skip
_NAMES = {name.replace("_", ""): name for name in LANGUAGES} | _OTHER_NAMES
_VERSION = re.compile(r"(?<=.)v?\d+[\da-z]?$")


def canonical(name: str) -> str | None:
    """The language of that name, in any case, with or without a version; None where it is not one of ours.

    >>> [canonical(name) for name in ("Python3", "C++17", "C#", " JS ", "PyPy 3.10", "c_sharp", "COBOL")]
    ['python', 'cpp', 'c_sharp', 'javascript', 'python', 'c_sharp', None]
    """
    plain = re.sub(r"[\s_.\-]+", "", name.casefold())
    return _NAMES.get(plain) or _NAMES.get(_VERSION.sub("", plain))
