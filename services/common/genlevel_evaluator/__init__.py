"""What every GenLevel evaluator shares. `score` computes one metric in this process."""

from genlevel_evaluator.local import Result, score

__all__ = ["Result", "score"]
