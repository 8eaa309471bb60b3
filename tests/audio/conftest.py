"""Helpers of the audio tests: speech, real speech, and programs that run in the oracle venv `.oracles/mcd`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.oracle_programs import ORACLES, run_oracle

HERE = Path(__file__).resolve().parent
collect_ignore_glob = ["oracle_*.py"]  # they run in the oracle venv
sys.path.append(str(HERE))  # for audio_speech, which tests and generators share


@pytest.fixture(scope="session")
def oracle() -> Callable[[str, Any], Any]:
    """Runs a program in the oracle venv."""
    return lambda program, request: run_oracle("mcd", HERE / f"oracle_{program}.py", request)


@pytest.fixture(scope="session")
def arctic() -> bytes:
    """Real speech: CMU ARCTIC sentence a0007, a WAV file that pysptk ships."""
    found = list((ORACLES / "mcd").glob("lib/python3.*/site-packages/pysptk/example_audio_data/arctic_a0007.wav"))
    assert found, "run `make oracles`"
    return found[0].read_bytes()
