"""Package codebleu 0.7.0, called as a program: cases as JSON on standard input, scores as JSON on standard output.

    oracle_codebleu.py [--grammars FOLDER] [--first-come]

--grammars   reads codebleu from that folder of packages, and tree-sitter with its grammars from where this Python finds them: the
             package's arithmetic on the trees of current grammars
--first-come the package puts the names of merged flows into a set and reads them in its order, which is another in every process; this
             makes it the order of first occurrence

A case is {"language", "predictions", "references", "weights"}. The answer holds a score a case, or the error it ended with, and the
seconds they took, imports left out.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterable
from typing import Any


class FirstCome(dict):  # type: ignore[type-arg]
    """A set that is read in the order of first occurrence."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__(dict.fromkeys(items))

    def add(self, item: Any) -> None:
        self[item] = None


def load(arguments: argparse.Namespace) -> Any:
    if arguments.grammars:
        sys.path.append(arguments.grammars)
    import codebleu
    from codebleu import codebleu as package

    if arguments.first_come:
        for module in ("codebleu.dataflow_match", "codebleu.parser.DFG"):
            sys.modules[module].set = FirstCome  # type: ignore[attr-defined]
    assert codebleu.calc_codebleu is package.calc_codebleu
    return codebleu.calc_codebleu


def score(calculate: Any, case: dict[str, Any]) -> dict[str, Any]:
    weights = tuple(case.get("weights", (0.25,) * 4))
    try:
        found: dict[str, Any] = calculate(case["references"], case["predictions"], case["language"], weights=weights)
    except Exception as error:  # what the package ends with is an answer too
        return {"error": f"{type(error).__name__}: {error}"}
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--grammars", default="")
    parser.add_argument("--first-come", action="store_true")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    calculate = load(arguments)
    cases = json.load(sys.stdin)
    for language in dict.fromkeys(case["language"] for case in cases):
        score(calculate, {"language": language, "predictions": ["a"], "references": ["a"]})  # imports its grammar
    start = time.perf_counter()
    scores = [score(calculate, case) for case in cases]
    print(json.dumps({"scores": scores, "seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main()
