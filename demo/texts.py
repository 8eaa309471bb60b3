"""Texts of the sources: parallel sentences, documented functions, frequent misspellings."""

from __future__ import annotations

import ast
import functools
import re
from collections import Counter
from typing import NamedTuple

from demo import sources

_FIELD = re.compile(r'^(msgid|msgstr) "(.*)"$')


def _unescape(text: str) -> str:
    return text.replace('\\"', '"').replace("\\n", " ").replace("\\t", " ").replace("\\\\", "\\")


def catalogue_pairs(member: str) -> list[tuple[str, str]]:
    """Return the (English, translated) messages of a gettext file, plural and empty ones left out."""
    pairs: list[tuple[str, str]] = []
    fields = {"msgid": "", "msgstr": ""}
    current = ""
    for line in [*sources.read("django", member).decode("utf-8").split("\n"), ""]:
        match = _FIELD.match(line)
        if match:
            current = match.group(1)
            fields[current] = match.group(2)
        elif line.startswith('"') and current:
            fields[current] += line[1:-1]
        elif not line and fields["msgid"] and fields["msgstr"]:
            pairs.append((_unescape(fields["msgid"]), _unescape(fields["msgstr"])))
            fields, current = {"msgid": "", "msgstr": ""}, ""
    return pairs


def is_sentence(text: str, shortest: int = 4, longest: int = 24) -> bool:
    """Whether a message is plain prose without place holders or markup."""
    return not re.search(r"[%<>{}\\&_]", text) and shortest <= len(text.split()) <= longest


@functools.cache
def english_sentences() -> tuple[str, ...]:
    """Return plain English messages of the source package's applications, sorted."""
    found: set[str] = set()
    for member in sources.members("django", "django/", "locale/fr/LC_MESSAGES/django.po"):
        found |= {" ".join(e.split()) for e, _ in catalogue_pairs(member) if is_sentence(e)}
    return tuple(sorted(s for s in found if s.endswith(".") and s[0].isupper()))


class Function(NamedTuple):
    """A documented function: where it is, its code without documentation, and its documentation."""

    module: str
    name: str
    code: str
    summary: str
    description: str


def _document(node: ast.FunctionDef) -> tuple[str, str]:
    paragraphs = [" ".join(p.split()) for p in (ast.get_docstring(node) or "").split("\n\n")]
    body = []
    for paragraph in paragraphs[1:]:
        if re.search(r"-{4,}", paragraph) or ">>>" in paragraph or "::" in paragraph:
            break
        body.append(paragraph)
    return (paragraphs[0] if paragraphs else ""), " ".join(body)


def _without_documentation(node: ast.FunctionDef) -> str:
    body = node.body[1:] if ast.get_docstring(node) else node.body
    bare = ast.FunctionDef(node.name, node.args, body or [ast.Pass()], [], node.returns, node.type_comment)
    return ast.unparse(ast.fix_missing_locations(bare))


@functools.cache
def functions() -> tuple[Function, ...]:
    """Return the public documented functions of the graph library, in the order of its files."""
    found: list[Function] = []
    for member in sources.members("networkx", "networkx/", ".py"):
        if "/tests/" in member:
            continue
        for node in ast.parse(sources.read("networkx", member)).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                summary, description = _document(node)
                if summary:
                    found.append(Function(member, node.name, _without_documentation(node), summary, description))
    return tuple(found)


@functools.cache
def misspellings() -> dict[str, list[str]]:
    """Return common misspellings by correct word."""
    table: dict[str, list[str]] = {}
    text = sources.read("codespell", "codespell_lib/data/dictionary.txt").decode("utf-8")
    for line in text.split("\n"):
        wrong, _, right = line.partition("->")
        if right and "," not in right and " " not in right and wrong.isalpha():
            table.setdefault(right.strip(), []).append(wrong)
    return table


@functools.cache
def word_counts() -> Counter[str]:
    """Return how often each word occurs in the documentation of the graph library."""
    words: Counter[str] = Counter()
    for function in functions():
        words.update(re.findall(r"[a-z]+", f"{function.summary} {function.description}".lower()))
    return words
