"""Runs the programs `oracle_*.py` of the tests in the environments that `make oracles` makes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

ORACLES = Path(__file__).resolve().parents[1] / ".oracles"


def run_oracle(environment: str, program: Path, request: Any) -> Any:
    """What `program` prints in its last line, as JSON, for `request` as JSON on its standard input."""
    python = ORACLES / environment / "bin" / "python"
    assert python.exists(), f"{python} is not there: run `make oracles`"
    done = subprocess.run(
        [python, "-W", "ignore", program], input=json.dumps(request), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
