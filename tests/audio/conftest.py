"""Helpers of the audio tests: speech, real speech, and programs that run in the oracle venv `.oracles/mcd`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ORACLE = HERE.parents[1] / ".oracles" / "mcd"
collect_ignore_glob = ["oracle_*.py"]  # they run in the oracle venv
sys.path.append(str(HERE))  # for audio_speech, which tests and generators share


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


@pytest.fixture(scope="session")
def arctic() -> bytes:
    """Real speech: CMU ARCTIC sentence a0007, a WAV file that pysptk ships."""
    found = list(ORACLE.glob("lib/python3.*/site-packages/pysptk/example_audio_data/arctic_a0007.wav"))
    assert found, "run `make oracles`"
    return found[0].read_bytes()
