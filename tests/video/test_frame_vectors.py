"""Vectors of frames: in batches they are what they are one by one, and no frame's depends on the others of its batch."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest
import torch

from genlevel_evaluator.captions import Caption
from genlevel_evaluator.networks import VectorNetwork, clip, clip_text, conse, lite0, sentences
from genlevel_evaluator.pixels.pictures import Picture
from genlevel_video.backbones.frame_vectors import FrameVectorExtractor, VectorFrames
from genlevel_video.frames import ClipInfo, Features, Frame
from tests.common.networks import clip_judges


class Letters:
    """Sentence vectors that anyone can write down."""

    def prepare(self, value: str) -> np.ndarray:
        return np.frombuffer(value.encode(), np.uint8).astype(np.int64)

    def run(self, prepared: np.ndarray) -> np.ndarray:
        return np.bincount(prepared, minlength=128)[:128].astype(np.float32)


def seeded(network: lite0.Lite0) -> lite0.Lite0:
    """Weights under which pictures stay apart, and so do their classes."""
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for tensor in network.parameters():
            if tensor.ndim > 1:
                tensor.copy_(torch.randn(tensor.shape, generator=generator) * (3.0 / tensor[0].numel()) ** 0.5)
    return network


@pytest.fixture(scope="module", params=["clip", "lite0", "conse"])
def network(request: pytest.FixtureRequest) -> VectorNetwork:
    if request.param == "clip":
        return clip.ClipFeatures(clip_judges.seeded(), cast(clip_text.Tokenizer, None))
    pictures = lite0.Lite0Features(seeded(lite0.Lite0()))
    if request.param == "lite0":
        return pictures
    return conse.Conse(pictures, cast(sentences.SentenceVectors, Letters()), tuple(f"class {number}" for number in range(1000)))


def through(network: VectorNetwork, frames: list[Frame], size: int) -> Features:
    batched = VectorFrames(network)
    batched.size = size
    consumer = batched.open(ClipInfo(len(frames), 1.0, 60, 50))
    for index, frame in enumerate(frames):
        consumer.push(index, frame)
    return consumer.finish()


def photos(*seeds: int) -> list[Frame]:
    return [clip_judges.photo(seed, 60, 50) for seed in seeds]


def test_batches_give_what_frames_give_one_by_one(network: VectorNetwork) -> None:
    frames = photos(*range(6))
    alone = np.stack([network.run(network.prepare(frame)) for frame in frames])
    assert np.abs(alone - alone[0]).max() > 1e-3 * np.abs(alone).max()
    for size in (1, 4):
        np.testing.assert_allclose(through(network, frames, size), alone, rtol=1e-5, atol=1e-5 * np.abs(alone).max())


def test_a_frame_has_the_same_vector_in_any_company(network: VectorNetwork) -> None:
    one, other = through(network, photos(1, 2, 3, 4, 5), 4), through(network, photos(9, 2, 8, 7, 5), 4)
    assert np.array_equal(one[[1, 4]], other[[1, 4]])
    assert np.array_equal(through(network, photos(1, 2, 3, 4, 5), 4), one)


def test_pictures_have_the_vector_of_a_frame_and_a_network_of_pictures_none_of_captions(network: VectorNetwork) -> None:
    (frame,) = photos(3)
    extractor = FrameVectorExtractor(network)
    (found,) = extractor.extract([Picture(frame, "0" * 64)])
    np.testing.assert_allclose(found, through(network, [frame], extractor.network.size)[0], rtol=1e-5, atol=1e-5 * np.abs(found).max())
    if isinstance(network, lite0.Lite0Features):
        assert extractor.extract([Caption("a dog")])[0].shape == (0,)
