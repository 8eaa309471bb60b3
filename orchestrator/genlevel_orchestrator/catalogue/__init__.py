"""The catalogue of General-Bench as data: 699 tasks, 145 skills, 82 metrics."""

from __future__ import annotations

from genlevel_orchestrator.catalogue.catalogue import Catalogue
from genlevel_orchestrator.catalogue.installed import (
    InstalledMetrics,
    describe_implementation,
    installed_metrics,
)
from genlevel_orchestrator.catalogue.model import Metric, PaperMetric, Skill, Task
from genlevel_orchestrator.catalogue.tables import CatalogueError, Fault

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Fault",
    "InstalledMetrics",
    "Metric",
    "PaperMetric",
    "Skill",
    "Task",
    "describe_implementation",
    "installed_metrics",
]
