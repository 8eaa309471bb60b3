"""Runs all benchmarks and prints one table: ours and the other tool in the same run, as a ratio.

Each `bench_*.py` prints one JSON object a line: {"name", "ours_s", "other_s", "ratio", "equal_to", "note"}. `ratio` is other/ours, so
larger is better for us. The table goes to build/bench.md; benchmarks/README.md holds the one of the last release.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HEAD = "| what | ours | other | ratio | equal to | note |\n|---|---|---|---|---|---|"


def run(name: str) -> list[dict[str, Any]]:
    """Lines of one benchmark; a crash is a line too."""
    process = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=HERE.parent, capture_output=True, text=True)
    lines = [json.loads(line) for line in process.stdout.splitlines() if line.startswith("{")]
    if process.returncode:
        lines.append({"name": name, "note": "failed: " + (process.stderr.strip().splitlines() or ["no output"])[-1]})
    return lines


def row(line: dict[str, Any]) -> str:
    """A line of the table."""
    cells = [line["name"], _seconds(line.get("ours_s")), _seconds(line.get("other_s")), _ratio(line.get("ratio"))]
    cells += [str(line.get(key) if line.get(key) is not None else "") for key in ("equal_to", "note")]
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.3g} ms"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def main() -> int:
    """Runs what is asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="such as bench_map; all by default")
    chosen = parser.parse_args().names or sorted(path.stem for path in HERE.glob("bench_*.py"))
    rows = [HEAD]
    print(HEAD, flush=True)
    failed = False
    for name in chosen:
        for line in run(name):
            failed = failed or str(line.get("note", "")).startswith("failed")
            rows.append(row(line))
            print(rows[-1], flush=True)
    output = HERE.parent / "build" / "bench.md"
    output.parent.mkdir(exist_ok=True)
    output.write_text(f"{platform.platform()}, Python {platform.python_version()}\n\n" + "\n".join(rows) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
