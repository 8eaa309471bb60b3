"""What every GenLevel evaluator shares. `score` computes one metric in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genlevel_evaluator.local import Result, score

__all__ = ["Result", "score"]


def __getattr__(name: str) -> Any:
    """Imports numpy and the engine when they are asked for: a health probe of a container must not pay for them."""
    if name in __all__:
        from genlevel_evaluator import local

        return getattr(local, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
