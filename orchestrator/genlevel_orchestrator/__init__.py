"""The orchestrator of GenLevel: catalogue, levels, runs, reports and the command line."""

from __future__ import annotations

__version__ = "0.1.0"
