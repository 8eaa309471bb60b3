"""Tensors of a checkpoint into a network, with every name accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from genlevel_evaluator.errors import Code, EvaluatorError
from genlevel_evaluator.weights import tensors


def read(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file, or of an archive of torch; neither can run code."""
    if path.suffix == ".safetensors":
        return {name: torch.tensor(array) for name, array in tensors.read(path).items()}
    loaded: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return loaded


def load_checked(network: torch.nn.Module, path: Path, entry: str, without: tuple[str, ...] = ()) -> None:
    """Fills the network from a file; see `fill`."""
    fill(network, read(path), entry, without)


def fill(network: torch.nn.Module, state: Mapping[str, torch.Tensor], entry: str, without: tuple[str, ...] = ()) -> None:
    """Fills the network.

    Args:
        network: to fill.
        state: tensors under the names of the network.
        entry: of the manifest, for the message.
        without: last parts of names that checkpoints hold and networks make themselves.

    Raises:
        EvaluatorError: FAILED_PRECONDITION, where names or shapes are those of another network.
    """
    chosen = {name: tensor for name, tensor in state.items() if name.rsplit(".", 1)[-1] not in without}
    try:
        missing, unexpected = network.load_state_dict(chosen, strict=False)
    except RuntimeError as error:
        raise _other(entry, str(error).splitlines()[-1].strip()) from None
    tied: Any = getattr(network, "all_tied_weights_keys", None) or getattr(network, "_tied_weights_keys", None) or ()
    if lacking := [name for name in missing if name not in tied and name.rsplit(".", 1)[-1] not in without] + list(unexpected):
        raise _other(entry, f"{len(lacking)} names differ, such as {lacking[0]}")


def _other(entry: str, what: str) -> EvaluatorError:
    return EvaluatorError(
        Code.FAILED_PRECONDITION, "WRONG_WEIGHTS", f"the file of {entry} holds another network: {what}", f"fetch it again: `genlevel weights fetch {entry} --allow-url`"
    )
