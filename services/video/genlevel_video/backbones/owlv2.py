"""OWLv2 (Minderer et al. 2023), an open-vocabulary detector, as transformers has it: base, 16 x 16 patches of 960 x 960 pixels, ensemble weights.

It is asked for COCO's 80 classes, which GRiT knows, and the names a clip is to show besides, each as "a photo of a ..."; every box has the
name that fits it best. Frames and names go through one by one, so nothing depends on its company.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from genlevel_evaluator import weights
from genlevel_evaluator.backbones.batches import exact
from genlevel_evaluator.networks.clip_text import Tokenizer
from genlevel_video.backbones.picked import told
from genlevel_video.backbones.state import load_checked
from genlevel_video.frames import Frame
from genlevel_video.objects.detectors import FLOOR, Asked
from genlevel_video.objects.words import COCO, clean

WEIGHTS, VOCABULARY = "owlv2-base-patch16-ensemble", "clip-vocabulary"
LENGTH = 16
MOST = 100
SAME_BOX = 0.5
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
_DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711])

Found = dict[str, Any]


class Owlv2:
    """The network behind its preprocessing."""

    def __init__(self, model: Any, tokenizer: Tokenizer) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = model.eval().requires_grad_(False).to(self.device)
        self._side = int(model.config.vision_config.image_size)
        self._tokenizer = tokenizer
        self._vector = functools.lru_cache(maxsize=4096)(self._embedded)

    def extract(self, values: Sequence[Asked]) -> list[Any]:
        """The detections of each clip as JSON; in place of one, the fault of its file."""
        return told(values, lambda frame, asked: self.detect(frame, asked.names), lambda frames, _: {"detector": WEIGHTS, "frames": frames})

    def detect(self, frame: Frame, names: Sequence[str]) -> list[Found]:
        """The things in a frame, surest first, in pixels of the frame."""
        known = {clean(name) for name in COCO}
        asked = (*COCO, *(name for name in names if name not in known))
        queries = torch.stack([self._vector(name) for name in asked])
        with exact():
            pixels = torch.from_numpy(prepare(frame, self._side))[None].to(self.device)
            places = self._model.image_embedder(pixels)[0]
            flat = places.flatten(1, 2)
            logits = self._model.class_predictor(flat, queries[None], None)[0][0]
            centres = self._model.box_predictor(flat, places)[0]
        best = logits.max(dim=1)
        return decoded(best.values.sigmoid().cpu().numpy(), best.indices.cpu().numpy(), centres.cpu().numpy(), asked, frame.shape)

    def _embedded(self, name: str) -> torch.Tensor:
        numbers = self._tokenizer(f"a photo of a {name}")
        end = int(numbers.max())
        if end not in numbers[:LENGTH]:
            numbers[LENGTH - 1] = end
        ids = torch.from_numpy(numbers[:LENGTH])[None].to(self.device)
        mask = torch.arange(LENGTH, device=self.device)[None] <= int(ids[0].argmax())
        with exact():
            pooled = self._model.owlv2.text_model(input_ids=ids, attention_mask=mask.long()).pooler_output
            vector: torch.Tensor = self._model.owlv2.text_projection(pooled)[0]
        return vector


def prepare(frame: Frame, side: int) -> NDArray[np.float32]:
    """RGB as (3, side, side): made square with middle grey at the right and below, scaled with a Gaussian before shrinking, CLIP's mean and deviation."""
    from scipy import ndimage

    height, width = frame.shape[:2]
    size = max(height, width)
    square = np.full((size, size, 3), 0.5)
    square[:height, :width] = frame / 255.0
    blurred = ndimage.gaussian_filter(square, (*[max(0.0, (size / side - 1) / 2)] * 2, 0.0), mode="mirror")
    resized = ndimage.zoom(blurred, (side / size, side / size, 1.0), order=1, mode="mirror", grid_mode=True)
    values = (resized.clip(square.min(), square.max()) - _MEAN) / _DEVIATION
    return np.ascontiguousarray(values.transpose(2, 0, 1), dtype=np.float32)


def decoded(scores: NDArray[Any], labels: NDArray[Any], centres: NDArray[Any], names: Sequence[str], shape: tuple[int, ...]) -> list[Found]:
    """Boxes of centre and size, in shares of the square, as corners in pixels inside the frame; of two of one name that lie on each other
    the surer one."""
    height, width = shape[:2]
    size = max(height, width)
    middle, half = centres[:, :2].astype(np.float64), centres[:, 2:].astype(np.float64) / 2
    corners = np.concatenate([middle - half, middle + half], axis=1) * size
    corners = corners.clip(0.0, np.array([width, height, width, height], np.float64))
    kept: list[int] = []
    for place in np.lexsort((np.arange(len(scores)), -scores)).tolist():
        if scores[place] < FLOOR or len(kept) == MOST:
            break
        empty = (corners[place, 2:] <= corners[place, :2]).any()  # nothing of it lies in the frame
        if not empty and not any(labels[other] == labels[place] and _iou(corners[other], corners[place]) > SAME_BOX for other in kept):
            kept.append(place)
    return [{"label": names[labels[place]], "score": float(scores[place]), "box": [float(edge) for edge in corners[place]]} for place in kept]


def _iou(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    inside = np.prod((np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])).clip(0.0))
    return float(inside / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - inside))


def model(**sizes: Any) -> Any:
    """The architecture with random weights; `sizes` are entries of both configurations, for tests."""
    from transformers import Owlv2Config, Owlv2ForObjectDetection

    vision = {"image_size": 960, **sizes.get("vision", {})}
    return Owlv2ForObjectDetection(Owlv2Config(text_config=dict(sizes.get("text", {})), vision_config=vision, projection_dim=sizes.get("projection", 512)))


def build() -> Owlv2:
    """The network with its weights."""
    network = model()
    load_checked(network, weights.path(WEIGHTS), WEIGHTS, without=("box_bias", "position_ids"))
    return Owlv2(network, Tokenizer(weights.path(VOCABULARY)))
