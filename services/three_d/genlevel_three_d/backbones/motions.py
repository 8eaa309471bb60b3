"""Networks that turn motions into vectors of 512: the evaluator of HumanML3D (Guo et al. 2022), and statistics that stand in for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from genlevel_evaluator import weights
from genlevel_evaluator.backbones.batches import exact
from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_three_d.forms.motion import LONGEST, WIDTH, Motion
from genlevel_three_d.forms.motion_texts import MotionTexts

CONTACTS = 4
"""Values at the end of a frame that say which foot is on the ground; the evaluator does not look at them."""
_SLOPE = 0.2


class Movements(nn.Module):
    """Frames (n, frames, inputs) to movements of four frames each (n, frames / 4, outputs)."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        # The checkpoint numbers its layers with a dropout after each convolution.
        self.main = nn.Sequential(
            nn.Conv1d(inputs, hidden, 4, stride=2, padding=1), nn.Identity(), nn.LeakyReLU(_SLOPE),
            nn.Conv1d(hidden, outputs, 4, stride=2, padding=1), nn.Identity(), nn.LeakyReLU(_SLOPE),
        )  # fmt: skip
        self.out_net = nn.Linear(outputs, outputs)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return self.out_net(self.main(frames.transpose(1, 2)).transpose(1, 2))


class MotionEncoder(nn.Module):
    """Movements (n, steps, inputs) to one vector each (n, outputs), by a GRU that reads them both ways."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.input_emb = nn.Linear(inputs, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
        self.output_net = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.LayerNorm(hidden), nn.LeakyReLU(_SLOPE), nn.Linear(hidden, outputs))
        self.hidden = nn.Parameter(torch.zeros(2, 1, hidden))

    def forward(self, movements: torch.Tensor) -> torch.Tensor:
        _, last = self.gru(self.input_emb(movements), self.hidden.repeat(1, len(movements), 1))
        return self.output_net(torch.cat([last[0], last[1]], dim=-1))


class Evaluator(nn.Module):
    """Normalised frames of one motion to its vector.

    Args:
        sizes: of the movement convolutions, the movements, the GRU and the vector.
    """

    def __init__(self, sizes: tuple[int, int, int, int] = (512, 512, 1024, 512)) -> None:
        super().__init__()
        inner, movement, hidden, outputs = sizes
        self.movement_encoder = Movements(WIDTH - CONTACTS, inner, movement)
        self.motion_encoder = MotionEncoder(movement, hidden, outputs)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """The frames (1, frames, 263) are filled up with zeros to 196, as in the evaluator's batches, whose convolutions see them."""
        steps = frames.shape[1] // 4
        filled = nn.functional.pad(frames, (0, 0, 0, LONGEST - frames.shape[1]))
        return self.motion_encoder(self.movement_encoder(filled[..., :-CONTACTS])[:, :steps])


class EvaluatorExtractor:
    """Motions to vectors, one after another, so that none depends on the others."""

    def __init__(self, network: nn.Module, mean: NDArray[Any], deviation: NDArray[Any]) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network = network.eval().to(self.device)
        self._mean, self._deviation = mean, deviation

    def extract(self, values: Sequence[Motion | MotionTexts]) -> list[NDArray[np.float32]]:
        """The vector of each motion; no row of texts."""
        return [self._vector(value) if isinstance(value, Motion) else np.zeros((0, 0), np.float32) for value in values]

    def _vector(self, motion: Motion) -> NDArray[np.float32]:
        frames = torch.from_numpy(((motion.values - self._mean) / self._deviation).astype(np.float32))[None]
        with exact():
            return np.array(self._network(frames.to(self.device))[0].cpu().numpy())


def load() -> EvaluatorExtractor:
    """The network with its reference weights, mean and deviation."""
    network = Evaluator()
    load_state(network, checkpoint())
    mean, deviation = (np.load(weights.path(name), allow_pickle=False) for name in ("t2m-mean", "t2m-std"))
    if mean.shape != (WIDTH,) or deviation.shape != (WIDTH,):
        raise EvaluatorError(Code.FAILED_PRECONDITION, "WRONG_WEIGHTS", "mean and deviation are not 263 numbers", "fetch t2m-mean and t2m-std of HumanML3D")
    return EvaluatorExtractor(network, mean, deviation)


def checkpoint() -> dict[str, Any]:
    """The weights of the whole evaluator, by part."""
    found: dict[str, Any] = torch.load(weights.path("t2m-evaluator"), map_location="cpu", weights_only=True)
    return found


def load_state(network: nn.Module, checkpoint: Mapping[str, Any]) -> None:
    """Loads the parts that the network has; others are left out.

    Raises:
        EvaluatorError: FAILED_PRECONDITION, naming what is missing.
    """
    given = {f"{part}.{key}": value for part, _ in network.named_children() for key, value in checkpoint.get(part, {}).items()}
    wanted = network.state_dict()
    lacking = [key for key, value in wanted.items() if key not in given or given[key].shape != value.shape]
    if lacking:
        raise EvaluatorError(
            Code.FAILED_PRECONDITION, "WRONG_WEIGHTS", f"the checkpoint has no {lacking[0]} of the right shape, and lacks {len(lacking)} tensors in all",
            "fetch t2m-evaluator, the finest.tar of text_mot_match",
        )
    network.load_state_dict({key: given[key] for key in wanted})
