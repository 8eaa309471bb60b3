"""What a stream of samples, or of states, came to so far."""

from __future__ import annotations

from collections.abc import Sequence

from genlevel.v1.evaluator_pb2 import MetricState
from genlevel_evaluator import states
from genlevel_evaluator.details import DetailSpec
from genlevel_evaluator.engine import Scorer, Value
from genlevel_evaluator.errors import Code, EvaluatorError, Issue
from genlevel_evaluator.state_messages import decode_states
from genlevel_evaluator.states import Rows


class Total:
    """What a stream of samples came to so far: their rows, and the issues. The samples themselves are gone."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self.issues: list[Issue] = []
        self._gathered = states.Gathering(scorer.schema)
        self._count = 0

    def add(self, rows: Rows, issues: Sequence[Issue]) -> None:
        """Takes the next samples."""
        self._gathered.add(rows)
        self._count += len(rows)
        self.issues += issues

    def rows(self) -> Rows:
        """Rows of all samples.

        Raises:
            EvaluatorError: a sample occurs twice.
        """
        found = self._gathered.rows()
        if len(found) < self._count:
            raise EvaluatorError(Code.INVALID_ARGUMENT, "REPEATED_SAMPLE", "a sample occurs twice in the stream", "give each sample its own id")
        return found


class StateTotal:
    """What a stream of states came to so far."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self._digest = scorer.signature().digest
        self._gathered = states.Gathering(scorer.schema)

    def add(self, state: MetricState) -> None:
        """Takes the next state."""
        self._gathered.add(decode_states([state], self.scorer, self._digest))

    def finalize(self, asked: DetailSpec | None) -> Value:
        """The value of all states."""
        return self.scorer.finalize(self._gathered.rows(), asked)
