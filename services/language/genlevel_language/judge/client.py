"""Many questions to a judge: from the cache where they were asked before, else a bounded number at a time, tried again for a while.

The requests run on an event loop of their own, so the bound holds for the whole process, however many shards are scored at once.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from weakref import WeakValueDictionary

from genlevel_evaluator.errors import SampleError
from genlevel_language.judge.cache import Answer, AnswerCache, key_of, total
from genlevel_language.judge.endpoint import Completion, Endpoint, Passing
from genlevel_language.judge.prompt import Prompt
from genlevel_language.judge.reply import mark
from genlevel_language.judge.settings import JudgeSettings

log = logging.getLogger(__name__)

_CHECK_SECONDS = 0.2
_TRIES = 2
"""Replies without a mark after which a question stays without an answer."""
_DOWN_AFTER = 3
"""Questions in a row that stayed without any reply, after which the judge is held to be down."""
_DOWN_SECONDS = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 20.0
REMEDY = "see that the judge runs, then resume the run: what is judged already is kept"


@dataclass(frozen=True)
class Question:
    """What is asked. `repeat` numbers the same question asked several times."""

    asked: Prompt
    messages: tuple[dict[str, str], ...]
    repeat: int = 0


class Judge:
    """A judge. Its coroutines run on the loop of this module only."""

    def __init__(self, settings: JudgeSettings) -> None:
        self._settings = settings
        self._cache = AnswerCache(settings.cache_folder)
        self._endpoint = Endpoint(settings)
        self._slots = asyncio.Semaphore(settings.concurrency)
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._not_before = 0.0
        self._silent = 0
        self._down_until = 0.0

    async def answers(self, questions: Sequence[Question]) -> list[Answer | SampleError]:
        """An answer to each question, or why there is none.

        Raises:
            EvaluatorError: no question can be answered.
        """
        async with self._endpoint:
            work = [asyncio.ensure_future(self._answer(question)) for question in questions]
            try:
                return await asyncio.gather(*work)
            finally:
                for task in work:
                    task.cancel()
                await asyncio.gather(*work, return_exceptions=True)

    async def _answer(self, question: Question) -> Answer | SampleError:
        key = key_of(self._settings.model, question.asked.sha256, question.messages, question.repeat)
        lock = self._asking.setdefault(key, asyncio.Lock())
        async with lock:  # the same question, asked by another sample or shard just now, is not asked twice
            known = await asyncio.to_thread(self._cache.get, key)
            if known is not None and mark(known.reply, question.asked) is not None:
                return known
            try:
                async with self._slots:
                    answer = await self._marked(question)
            except SampleError as error:
                return error
            await asyncio.to_thread(self._cache.put, key, answer)
            return answer

    async def _marked(self, question: Question) -> Answer:
        """An answer that gives a mark."""
        got: list[Completion] = []
        for attempt in range(_TRIES):
            # Where a seed counts, the second reply to a question is not the first one again.
            got.append(await self._reply(question, question.repeat + 1000 * attempt))
            if mark(got[-1].text, question.asked) is not None:
                return Answer(got[-1].text or "", total(item.tokens_in for item in got), total(item.tokens_out for item in got))
        what = got[-1].fault or "a reply that is not the mark it was asked for"
        raise SampleError(
            "JUDGE_UNPARSABLE", f"the judge gave {what}, {_TRIES} times", remedy="resume the run, or choose another judge model", side="infrastructure"
        )

    async def _reply(self, question: Question, seed: int) -> Completion:
        """A reply; failures that may pass are tried again within `retry_seconds`, once only while the judge is held to be down."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._down_until:
            raise _unavailable("it did not answer other questions just now")
        end = loop.time() + (self._settings.retry_seconds if self._silent < _DOWN_AFTER else 0.0)
        pause = _FIRST_PAUSE
        while True:
            await asyncio.sleep(max(0.0, self._not_before - loop.time()))
            try:
                completion = await self._endpoint.ask(question.messages, seed)
            except Passing as error:
                wait = max(error.wait, pause * random.uniform(0.5, 1.0))
                if loop.time() + wait > end:
                    raise self._gone(error, loop.time()) from None
                # A limit of requests holds for all of them, so all wait.
                self._not_before = max(self._not_before, loop.time() + error.wait if error.wait else 0.0)
                log.info("judge at %s: %s; next try in %.1f s", self._settings.place, error.what, wait)
                await asyncio.sleep(wait)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self._silent = 0
                return completion

    def _gone(self, error: Passing, now: float) -> SampleError:
        self._silent += 1
        if self._silent >= _DOWN_AFTER:
            self._down_until = now + min(_DOWN_SECONDS, self._settings.retry_seconds)
        waits = f", and asks to wait {error.wait:.0f} s" if error.wait else ""
        return _unavailable(f"{error.what}{waits}")


def _unavailable(what: str) -> SampleError:
    return SampleError("JUDGE_UNAVAILABLE", f"the judge gave no answer: {what}", remedy=REMEDY, side="infrastructure")


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="genlevel-judge", daemon=True).start()
    return loop


@lru_cache(maxsize=4)
def _judge(settings: JudgeSettings) -> Judge:
    return Judge(settings)


_making = threading.Lock()


def ask(settings: JudgeSettings, questions: Sequence[Question], check: Callable[[], None]) -> list[Answer | SampleError]:
    """Answers to questions; blocks until all are there.

    Args:
        settings: the judge.
        questions: asked together, as far as its concurrency allows.
        check: raises when the caller left or its time is used up; what is answered by then is remembered.

    Raises:
        EvaluatorError: no question can be answered, or what `check` raises.
    """
    with _making:
        judge, loop = _judge(settings), _loop()
    future = asyncio.run_coroutine_threadsafe(judge.answers(questions), loop)
    try:
        while not concurrent.futures.wait([future], _CHECK_SECONDS).done:
            check()
    except BaseException:
        future.cancel()
        raise
    return future.result()
