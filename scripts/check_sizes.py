"""Checks that modules stay within 300 lines and functions within 40 (docstrings not counted). Prints every breach."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

MODULE_LINES = 300
FUNCTION_LINES = 40
SKIPPED = ("protos/python/",)


def breaches(path: Path) -> list[str]:
    """What is too long in a file."""
    source = path.read_text(encoding="utf-8")
    lines = source.count("\n")
    found = [f"{path}: {lines} lines, at most {MODULE_LINES}"] if lines > MODULE_LINES else []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = _length(node)
            if length > FUNCTION_LINES:
                found.append(f"{path}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES}")
    return found


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    start = node.lineno
    if ast.get_docstring(node) is not None and first.end_lineno is not None:
        start += first.end_lineno - first.lineno + 1
    return (node.end_lineno or node.lineno) - start + 1


def main() -> int:
    """Checks all tracked Python files."""
    names = subprocess.run(["git", "ls-files", "*.py"], capture_output=True, text=True, check=True).stdout.split()
    found = [breach for name in names if not name.startswith(SKIPPED) and Path(name).exists() for breach in breaches(Path(name))]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
