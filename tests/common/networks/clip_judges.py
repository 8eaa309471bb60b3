"""CLIP ViT-B/32 with seeded weights, ours and as open_clip 3.3.0, transformers 5.23 and torchmetrics 1.9 have it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from genlevel_evaluator import weights
from genlevel_evaluator.networks.clip import VIT_B_32, Clip, Shape

LAYERS = 2
"""Of each network here; the real one has twelve, all alike."""

TEXTS = (
    "a dog on a sofa", "A Photo, of the sea!", "it's 42 o'clock", "caf\u00e9 \u2014 na\u00efve", "\u6771\u4eac\u306e\u591c \U0001f600", "&amp;lt;b&gt; x  y", "",
    "word " * 90, "don't they've I'll we'd", "<start_of_text> x <end_of_text>",
)


def small(shape: Shape) -> Shape:
    """The shape with few layers."""
    return replace(shape, layers=LAYERS, text_layers=LAYERS)


def seeded(shape: Shape = VIT_B_32) -> Clip:
    """Weights that half precision can hold, as OpenAI's are kept, with activations neither dying nor exploding."""
    generator = torch.Generator().manual_seed(5)
    model = Clip(small(shape)).eval()
    for name, tensor in model.state_dict().items():
        spread = 0.3 if tensor.ndim < 2 else 1.0 / math.sqrt(tensor.shape[1] if "embedding" not in name else 16)
        middle = 1.0 if ("ln_" in name and name.endswith("weight")) else 0.0
        tensor.copy_((middle + spread * torch.randn(tensor.shape, generator=generator)).half().float())
    return model


def photo(seed: int, width: int, height: int) -> NDArray[np.uint8]:
    """A picture with coarse and fine structure."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (5, 5, 3), dtype=np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(coarse) + random.normal(0, 25, (height, width, 3)), 0, 255).astype(np.uint8)


def open_clip_model(model: Clip) -> Any:
    """open_clip's network from a state dictionary in OpenAI's form."""
    from open_clip.model import build_model_from_openai_state_dict

    return build_model_from_openai_state_dict(dict(model.state_dict())).float().eval()


def open_clip_pixels(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """open_clip's preprocessing."""
    from open_clip import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD, image_transform

    transform = image_transform(224, is_train=False, mean=OPENAI_DATASET_MEAN, std=OPENAI_DATASET_STD)
    prepared: torch.Tensor = transform(Image.fromarray(pixels))
    return prepared


def open_clip_tokenizer() -> Any:
    """open_clip's tokenizer with the vocabulary of its own package."""
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer()


def transformers_model(model: Clip) -> Any:
    """transformers' network, its tensors renamed and its attention cut into three."""
    from transformers import CLIPConfig, CLIPModel

    built = CLIPModel(CLIPConfig(text_config={"eos_token_id": 49_407, "num_hidden_layers": LAYERS}, vision_config={"num_hidden_layers": LAYERS})).eval()
    built.load_state_dict(renamed(model.state_dict()), strict=False)
    return built


def renamed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """OpenAI's names to transformers'."""
    found = {
        "logit_scale": state["logit_scale"], "text_projection.weight": state["text_projection"].T, "visual_projection.weight": state["visual.proj"].T,
        "vision_model.embeddings.class_embedding": state["visual.class_embedding"],
        "vision_model.embeddings.patch_embedding.weight": state["visual.conv1.weight"],
        "vision_model.embeddings.position_embedding.weight": state["visual.positional_embedding"],
        "text_model.embeddings.token_embedding.weight": state["token_embedding.weight"],
        "text_model.embeddings.position_embedding.weight": state["positional_embedding"],
    }
    pairs = {"visual.ln_pre": "vision_model.pre_layrnorm", "visual.ln_post": "vision_model.post_layernorm", "ln_final": "text_model.final_layer_norm"}
    for ours, theirs in (("visual.transformer.resblocks", "vision_model.encoder.layers"), ("transformer.resblocks", "text_model.encoder.layers")):
        for number in range(LAYERS):
            one, other = f"{ours}.{number}", f"{theirs}.{number}"
            pairs |= {f"{one}.ln_1": f"{other}.layer_norm1", f"{one}.ln_2": f"{other}.layer_norm2", f"{one}.attn.out_proj": f"{other}.self_attn.out_proj"}
            pairs |= {f"{one}.mlp.c_fc": f"{other}.mlp.fc1", f"{one}.mlp.c_proj": f"{other}.mlp.fc2"}
            for kind in ("weight", "bias"):
                parts = state[f"{one}.attn.in_proj_{kind}"].chunk(3)
                found |= {f"{other}.self_attn.{name}_proj.{kind}": part for name, part in zip("qkv", parts, strict=True)}
    return found | {f"{theirs}.{kind}": state[f"{ours}.{kind}"] for ours, theirs in pairs.items() for kind in ("weight", "bias")}


class Judge(nn.Module):
    """transformers' network as torchmetrics' CLIPScore asks for it: features by method, one processor for both sides."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.config = model.config
        self._tokenizer = open_clip_tokenizer()

    def get_image_features(self, pixels: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.model.visual_projection(self.model.vision_model(pixel_values=pixels).pooler_output)
        return features

    def get_text_features(self, numbers: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.model.text_projection(self.model.text_model(input_ids=numbers, attention_mask=mask).pooler_output)
        return features

    def process(self, images: Any = None, text: Any = None, **options: Any) -> dict[str, torch.Tensor]:
        """What either side is turned into."""
        del options
        if images is not None:
            return {"pixel_values": torch.stack([open_clip_pixels(image.numpy().transpose(1, 2, 0)) for image in images])}
        numbers = self._tokenizer(list(text))
        return {"input_ids": numbers, "attention_mask": torch.ones_like(numbers)}


class Holder(nn.Module):
    """Tensors by dotted name, as a module without a program."""


def archive(state: dict[str, torch.Tensor], path: Any) -> None:
    """A TorchScript archive of tensors, of half precision, with the three numbers OpenAI's holds."""
    root = Holder()
    for name, value in {**state, "input_resolution": torch.tensor(224), "context_length": torch.tensor(77), "vocab_size": torch.tensor(49_408)}.items():
        *folders, last = name.split(".")
        place: nn.Module = root
        for folder in folders:
            if folder not in place._modules:
                place.add_module(folder, Holder())
            place = place._modules[folder]  # type: ignore[assignment]
        place.register_buffer(last, value.half() if value.is_floating_point() else value)
    torch.jit.save(torch.jit.script(root), str(path))


def vocabulary() -> Any:
    """The pinned vocabulary."""
    return weights.path("clip-vocabulary")
