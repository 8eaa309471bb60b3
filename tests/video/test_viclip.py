"""ViCLIP's towers around the layers of transformers 5.23's CLIP, with the same seeded weights, at two layers each; its tokens, frames and checkpoint."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, CLIPVisionConfig, CLIPVisionModelWithProjection

from genlevel_evaluator import weights
from genlevel_evaluator.captions import Caption
from genlevel_evaluator.errors import EvaluatorError
from genlevel_evaluator.networks.clip_text import Tokenizer
from genlevel_evaluator.pixels.pictures import Picture
from genlevel_video.backbones import viclip
from genlevel_video.backbones.clip_texts import ClipTextExtractor
from genlevel_video.frame_limits import ClipInfo

pytestmark = pytest.mark.weights

SMALL = viclip.Shape(dimensions=24, patch=56, width=128, layers=2, text_width=64, text_layers=2)
START, END = 49_406, 49_407


@pytest.fixture(scope="module")
def network() -> viclip.ViClip:
    torch.manual_seed(8)
    found = viclip.ViClip(SMALL).eval()
    with torch.no_grad():
        for tensor in found.state_dict().values():
            tensor.normal_(0.0, 0.1)
    return found


@pytest.fixture(scope="module")
def vectors(network: viclip.ViClip) -> viclip.ViClipVectors:
    return viclip.ViClipVectors(network, Tokenizer(weights.path("clip-vocabulary")))


def copied(layers: nn.ModuleList, ours: nn.Module) -> None:
    """Weights of our blocks into those of transformers, which holds query, key and value apart."""
    for theirs, block in zip(layers, ours.resblocks, strict=True):
        for name, weight, bias in zip("qkv", block.attn.in_proj_weight.chunk(3), block.attn.in_proj_bias.chunk(3), strict=True):
            getattr(theirs.self_attn, f"{name}_proj").load_state_dict({"weight": weight, "bias": bias})
        for one, other in (
            (theirs.self_attn.out_proj, block.attn.out_proj), (theirs.layer_norm1, block.ln_1), (theirs.layer_norm2, block.ln_2),
            (theirs.mlp.fc1, block.mlp.c_fc), (theirs.mlp.fc2, block.mlp.c_proj),
        ):  # fmt: skip
            one.load_state_dict(other.state_dict())


def test_the_tower_of_texts_is_clips(network: viclip.ViClip) -> None:
    config = CLIPTextConfig(
        vocab_size=viclip.PIECES, hidden_size=64, intermediate_size=256, projection_dim=24, num_hidden_layers=2, num_attention_heads=1,
        max_position_embeddings=32, hidden_act="quick_gelu", eos_token_id=END, bos_token_id=START,
    )  # fmt: skip
    theirs, ours = CLIPTextModelWithProjection(config).eval(), network.text_encoder
    text = theirs.text_model
    copied(text.encoder.layers, ours.transformer)
    text.embeddings.token_embedding.load_state_dict(ours.token_embedding.state_dict())
    text.embeddings.position_embedding.load_state_dict({"weight": ours.positional_embedding})
    text.final_layer_norm.load_state_dict(ours.ln_final.state_dict())
    theirs.text_projection.load_state_dict({"weight": ours.text_projection.T})
    numbers = torch.zeros(2, 32, dtype=torch.long)
    numbers[0, :4] = torch.tensor([START, 320, 1929, END])
    numbers[1, :] = torch.tensor([START, *range(500, 530), END])
    with torch.inference_mode():
        found, true = ours(numbers), theirs(input_ids=numbers).text_embeds
    assert float(true.abs().max()) > 0.1
    assert float((found - true).abs().max()) < 1e-5


def test_the_tower_of_clips_is_clips_over_all_patches_of_all_frames(network: viclip.ViClip) -> None:
    config = CLIPVisionConfig(
        hidden_size=128, intermediate_size=512, projection_dim=24, num_hidden_layers=2, num_attention_heads=2, image_size=224, patch_size=56, hidden_act="quick_gelu",
    )  # fmt: skip
    theirs, ours = CLIPVisionModelWithProjection(config).eval(), network.vision_encoder
    vision = theirs.vision_model
    copied(vision.encoder.layers, ours.transformer)
    vision.pre_layrnorm.load_state_dict(ours.ln_pre.state_dict())
    vision.post_layernorm.load_state_dict(ours.ln_post.state_dict())
    theirs.visual_projection.load_state_dict({"weight": ours.proj.T})
    clip = torch.randn(1, 8, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        rows = [ours.class_embedding + ours.positional_embedding[0]]
        kernel = ours.conv1.weight[:, :, 0].flatten(1)
        for place in range(16):  # in the order of the authors' program: place by place, within a place frame by frame
            top, left = 56 * (place // 4), 56 * (place % 4)
            for time in range(8):
                patch = clip[0, time, :, top : top + 56, left : left + 56].flatten()
                rows.append(kernel @ patch + ours.positional_embedding[1 + place] + ours.temporal_positional_embedding[0, time])
        hidden = vision.encoder(inputs_embeds=vision.pre_layrnorm(torch.stack(rows)[None])).last_hidden_state
        true = theirs.visual_projection(vision.post_layernorm(hidden[:, 0]))
        found = ours(clip)
    assert float(true.abs().max()) > 0.1
    assert float((found - true).abs().max()) < 1e-4


def test_the_order_of_frames_counts(vectors: viclip.ViClipVectors) -> None:
    frames = [vectors.prepare(np.full((240, 320, 3), 30 * number, np.uint8)) for number in range(8)]
    assert frames[0].shape == (3, 224, 224)
    assert not np.allclose(vectors.clip(frames), vectors.clip(frames[::-1]), atol=1e-5)


def test_a_long_text_ends_with_its_mark(vectors: viclip.ViClipVectors) -> None:
    tokens = Tokenizer(weights.path("clip-vocabulary"))
    for text in ("a dog", "dog " * 30, "dog " * 31, "dog " * 200):
        numbers = viclip.shortened(tokens(text))
        assert (len(numbers), numbers[0], int((numbers == END).sum())) == (32, START, 1)
    np.testing.assert_array_equal(vectors.text("dog " * 31), vectors.text("dog " * 200))
    assert not np.allclose(vectors.text("dog " * 29), vectors.text("dog " * 30))


def test_clips_and_texts_have_vectors_and_pictures_none(vectors: viclip.ViClipVectors) -> None:
    extractor = ClipTextExtractor(vectors)
    consumer = extractor.network.open(ClipInfo(frames=2, fps=8.0, width=30, height=20))
    frame = np.random.default_rng(2).integers(0, 256, size=(20, 30, 3), dtype=np.uint8)
    for index in range(8):
        consumer.push(index, frame)
    text, nothing = extractor.extract([Caption("a dog"), Picture(frame, "0" * 64)])
    assert consumer.finish().shape == text.shape == (24,)
    assert nothing.shape == (0,)


def test_the_authors_checkpoint_is_read_and_another_refused(network: viclip.ViClip) -> None:
    state = {name: tensor.half() for name, tensor in network.state_dict().items()} | {"temp": torch.tensor(0.01)}
    other = viclip.ViClip(SMALL)
    viclip.load_state(other, {"model": state})
    assert torch.equal(other.text_encoder.text_projection, network.text_encoder.text_projection.half().float())
    with pytest.raises(EvaluatorError, match="viclip-l-14 holds another network") as caught:
        viclip.load_state(viclip.ViClip(SMALL), {"model": {"vision_encoder.proj": torch.zeros(2)}})
    assert "genlevel weights fetch viclip-l-14" in caught.value.remedy


def test_its_full_size_has_428_million_parameters() -> None:
    with torch.device("meta"):
        found = viclip.ViClip()
    assert round(sum(tensor.numel() for tensor in found.parameters()) / 1e6) == 428
