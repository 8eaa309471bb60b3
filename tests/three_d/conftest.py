"""Helpers of the 3D tests: programs that run in the oracle venv `.oracles/nuscenes`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.oracle_programs import run_oracle

HERE = Path(__file__).resolve().parent
collect_ignore_glob = ["oracle_*.py"]  # they run in the oracle venv
sys.path.append(str(HERE))  # for scene_data, which tests and generators share


@pytest.fixture(scope="session")
def oracle() -> Callable[[str, Any], Any]:
    """Runs a program in the oracle venv."""
    return lambda program, request: run_oracle("nuscenes", HERE / f"oracle_{program}.py", request)
