"""Loads the networks of an evaluator before its first call, and says what stands in the way."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import cached_property

from genlevel_evaluator import weights
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.evaluator import Evaluator

log = logging.getLogger(__name__)

RETRY_SECONDS = 10.0
"""Between two tries. Weights may be fetched while an evaluator already waits for them."""


class WarmUp:
    """The networks whose weights the manifest can fetch; the others are loaded when a call asks for them."""

    def __init__(self, evaluator: Evaluator, clock: Callable[[], float] = time.monotonic) -> None:
        self._evaluator = evaluator
        self._clock = clock
        self._loaded: list[str] = []
        self._faults: list[str] = []
        self._task: asyncio.Task[None] | None = None
        self._next = 0.0

    @cached_property
    def _wanted(self) -> list[str]:
        backbones = self._evaluator.backbones.items()
        return [name for name, backbone in backbones if all(weights.entry(entry).available for entry in backbone.entries)]

    @property
    def loaded(self) -> tuple[str, ...]:
        """Names of the networks that are loaded."""
        return tuple(self._loaded)

    @property
    def faults(self) -> tuple[str, ...]:
        """Why the others are not, one line each, after the first try."""
        return tuple(self._faults)

    @property
    def done(self) -> bool:
        """Whether every network is loaded."""
        return len(self._loaded) == len(self._wanted)

    def begin(self) -> None:
        """Starts a try in the background where one is due. Needs a running event loop."""
        idle = self._task is None or self._task.done()
        if idle and not self.done and self._clock() >= self._next:
            self._task = asyncio.get_running_loop().create_task(self._try())

    async def _try(self) -> None:
        self._faults = await asyncio.to_thread(self._load)
        self._next = self._clock() + RETRY_SECONDS

    def _load(self) -> list[str]:
        faults = []
        for name in self._wanted:
            if name in self._loaded:
                continue
            wanted = ""
            try:
                for wanted in self._evaluator.backbones[name].entries:
                    weights.path(wanted)  # before anything heavy is imported
                self._evaluator.extractor(name)
                self._loaded.append(name)
            except EvaluatorError as error:
                faults.append(f"backbone {name}: {error.message}{_file(wanted)}; {error.remedy}")
            except Exception as error:  # whatever a library raises: it is named, and tried again
                fault = (
                    f"backbone {name} cannot be loaded: {type(error).__name__}: {_line(error)}{_file(wanted)}; "
                    f"run `genlevel weights verify {wanted}` and see that the image has the libraries it needs"
                )
                if fault not in self._faults:
                    log.exception("backbone %s cannot be loaded", name)
                faults.append(fault)
        return faults


def expected_file(name: str) -> str:
    """Where the (first) file of weights is looked for."""
    entry = weights.entry(name)
    return str(weights.weights_root() / (entry.digest or "<sha256>") / entry.files[0].name)


def _file(name: str) -> str:
    return f", file {expected_file(name)}" if name else ""


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
