"""Makes an embedded Ray start fast: what a laptop's run does not need is left out.

`prepare` is called before Ray is imported; it changes the environment of this process and of the processes Ray starts from it. Two of its
measures touch private parts of Ray, which is pinned exactly; without them Ray works the same, a few seconds slower.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

LEAN = Path(__file__).with_name("lean")


def prepare() -> None:
    """Leaves pandas out of Ray's processes, and Ray's autoscaler and log monitor out of the start."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(LEAN), *filter(None, [os.environ.get("PYTHONPATH")])])
    sys.modules.setdefault("pandas", None)  # type: ignore[arg-type]
    from ray._private import parameter

    original = parameter.RayParams.__init__

    def without_monitors(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **{"include_log_monitor": False, "no_monitor": True, **options})

    parameter.RayParams.__init__ = without_monitors


def allow_pandas() -> None:
    """Takes the block away in this process."""
    if sys.modules.get("pandas", ...) is None:
        del sys.modules["pandas"]
