"""CodeBLEU of Python functions against package codebleu 0.7.0, which runs in the oracle venv (`make oracles`)."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sysconfig
import time
from pathlib import Path

from genlevel_evaluator import states
from genlevel_evaluator.metric import Sample
from genlevel_language.metrics import codebleu

ROOT = Path(__file__).resolve().parents[1]
REPEATS = 3
JAVA = """public int sum{n}(int[] values, int limit) {{
    int total = 0; // what was added
    for (int i = 0; i < values.length; i++) {{
        if (values[i] > limit) {{ total = total + values[i] * {n}; }} else {{ total -= i; }}
    }}
    while (total > limit) {{ total--; }}
    return total;
}}"""


def _functions(count: int) -> list[str]:
    """Functions of Python's library."""
    found: list[str] = []
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        text = path.read_text(encoding="utf-8")
        lines = text.split("\n")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno and 5 < node.end_lineno - node.lineno < 40:
                found.append("\n".join(lines[node.lineno - 1 : node.end_lineno]))
        if len(found) > count:
            break
    return found[:count]


def _altered(text: str) -> str:
    """A text whose fourth line is gone."""
    lines = text.split("\n")
    return "\n".join([*lines[:3], *lines[4:]])


def _ours(predictions: list[str], references: list[str], language: str) -> tuple[float, float]:
    parameters = codebleu.CodebleuParameters(language=language, variant="codebleu_0_7")  # type: ignore[arg-type]
    codebleu.observe(Sample("0", "a", ("a",)), parameters)  # loads the grammar, which the other side has done too
    best, value = float("inf"), 0.0
    for _ in range(REPEATS):
        start = time.perf_counter()
        rows = [
            (str(place), codebleu.observe(Sample(str(place), left, (right,)), parameters))
            for place, (left, right) in enumerate(zip(predictions, references, strict=True))
        ]
        value = codebleu.score(states.build(codebleu.METRIC.columns, rows), parameters).value or 0.0
        best = min(best, time.perf_counter() - start)
    return best, value


def _theirs(predictions: list[str], references: list[str], language: str) -> tuple[float, float]:
    """Time inside the package's process, imports and grammars left out; names in the order of occurrence, so that values can be equal."""
    python = ROOT / ".oracles" / "codebleu" / "bin" / "python"
    case = {"language": language, "predictions": predictions, "references": [[one] for one in references]}
    best, value = float("inf"), 0.0
    for _ in range(REPEATS):
        done = subprocess.run(
            [python, ROOT / "tests" / "language" / "oracle_codebleu.py", "--first-come"],
            input=json.dumps([case]), capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": "0"},
        )  # fmt: skip
        answer = json.loads(done.stdout)
        best, value = min(best, answer["seconds"]), 100.0 * answer["scores"][0]["codebleu"]
    return best, value


def main() -> None:
    """Prints one line of JSON a comparison."""
    functions = _functions(400)
    java = [JAVA.format(n=number) for number in range(400)]
    for language, texts in (("python", functions), ("java", java)):
        predictions = [_altered(text) for text in texts]
        ours_s, mine = _ours(predictions, texts, language)
        other_s, theirs = _theirs(predictions, texts, language)
        gap = abs(mine - theirs)
        print(
            json.dumps(
                {
                    "name": f"CodeBLEU of {len(texts)} functions, {language}",
                    "ours_s": round(ours_s, 4),
                    "other_s": round(other_s, 4),
                    "ratio": round(other_s / ours_s, 1),
                    "equal_to": gap,
                    "note": "package codebleu 0.7.0 with the grammars of its time; aim: faster"
                    if gap < 0.5
                    else "failed: values differ",
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
