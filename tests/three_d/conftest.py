"""Helpers of the 3D tests: programs that run in the oracle venv `.oracles/nuscenes`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ORACLE = HERE.parents[1] / ".oracles" / "nuscenes"
collect_ignore_glob = ["oracle_*.py"]  # they run in the oracle venv
sys.path.append(str(HERE))  # for scene_data, which tests and generators share


def run_oracle(program: str, request: Any) -> Any:
    """What `oracle_<program>.py` prints for `request`, run by the interpreter of the oracle venv."""
    python = ORACLE / "bin" / "python"
    assert python.exists(), f"{python} is not there: run `make oracles`"
    done = subprocess.run(
        [python, "-W", "ignore", HERE / f"oracle_{program}.py"], input=json.dumps(request), capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="session")
def oracle() -> Callable[[str, Any], Any]:
    """Runs a program in the oracle venv."""
    return run_oracle
