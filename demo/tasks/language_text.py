from __future__ import annotations

from demo.tasks.base import Builder

BUILDERS: tuple[Builder, ...] = ()
