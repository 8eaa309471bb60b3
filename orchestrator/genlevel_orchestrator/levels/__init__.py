"""General-Level scores 2 to 5 as plain arithmetic: standard library only, no files, no clock, no network."""

from __future__ import annotations

from genlevel_orchestrator.levels.compute import LevelCalculator, compute_levels, harmonic_mean
from genlevel_orchestrator.levels.drift import Difference, Drift, drift
from genlevel_orchestrator.levels.model import (
    LEVEL_MODALITIES,
    POLICIES,
    UNSUPPORTED,
    Group,
    Invalid,
    Levels,
    LevelsError,
    LevelTask,
    ModalityLevels,
    Outcome,
    Policy,
    Result,
    State,
    Status,
)

__all__ = [
    "LEVEL_MODALITIES",
    "POLICIES",
    "UNSUPPORTED",
    "Difference",
    "Drift",
    "Group",
    "Invalid",
    "LevelCalculator",
    "LevelTask",
    "Levels",
    "LevelsError",
    "ModalityLevels",
    "Outcome",
    "Policy",
    "Result",
    "State",
    "Status",
    "compute_levels",
    "drift",
    "harmonic_mean",
]
