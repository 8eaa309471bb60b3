"""Random samples of the metrics that hold pictures against captions or against pictures of another size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from numpy.random import Generator

from genlevel_evaluator.engine import RawSample
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from tests.image.files import encoded, file_of, photo

_WORDS = ("a dog on a sofa", "two red cars", "the sea at night", "A bowl of soup, seen from above", "東京の夜", "café")


def picture(random: Generator) -> Content:
    """A small picture of any size."""
    return file_of(encoded(photo(random, int(random.integers(8, 40)), int(random.integers(8, 40)))))


def captioned(random: Generator, count: int) -> list[RawSample]:
    """Pictures with one or more captions, true pictures among them, and missing pictures."""
    samples = []
    for index in range(count):
        references = [Content(text=_WORDS[(index + turn) % len(_WORDS)]) for turn in range(1 + index % 2)]
        references += [Content(json={"image": picture(random).media})] if index % 3 == 0 else []
        guess = None if index % 7 == 3 else picture(random)
        samples.append(RawSample(str(index), guess, tuple(references), Presence.BOTH if guess else Presence.PREDICTION_MISSING))
    return samples


def likenesses(random: Generator, count: int) -> list[RawSample]:
    """Pictures against one or more others, and missing pictures."""
    samples = []
    for index in range(count):
        references = tuple(picture(random) for _ in range(1 + index % 3))
        guess = None if index % 7 == 3 else references[0] if index % 5 == 1 else picture(random)
        samples.append(RawSample(str(index), guess, references, Presence.BOTH if guess else Presence.PREDICTION_MISSING))
    return samples


def prompted(random: Generator, count: int) -> list[RawSample]:
    """The same with the prompt that some were made from."""
    prompts = [{"prompt": _WORDS[0]}, {"caption": list(_WORDS[1:3])}, {}]
    return [replace(raw, attributes=prompts[index % 3]) for index, raw in enumerate(likenesses(random, count))]


GENERATORS: dict[str, Callable[[Generator, int], list[RawSample]]] = {
    "clip_score_text": captioned, "clip_score_image": likenesses, "psnr_or_clip_score": prompted,
}
