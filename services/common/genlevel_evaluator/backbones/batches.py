"""Networks over batches of one fixed size, so that features do not depend on how a shard was cut.

Kernels are chosen by the size of the batch, and two sizes may differ in the last bits; at one size each row is computed alike whatever
the others hold. The last batch is filled up with zeros.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

CPU_BATCH = 4
"""As fast as larger ones on processors, and little to fill up."""
GPU_BATCH = 16


def size_on(device: torch.device) -> int:
    """Rows of a batch there."""
    return GPU_BATCH if device.type == "cuda" else CPU_BATCH


@contextmanager
def exact() -> Iterator[None]:
    """Networks run without gradients, in full precision and in one order."""
    # TensorFloat-32 would cost three digits, and cuDNN may otherwise add up in another order each time. The settings are the process's: they
    # are not put back, for another thread may be in the middle of a network.
    cudnn = torch.backends.cudnn
    cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32 = False, True, False
    with torch.inference_mode():
        yield


def forward(network: torch.nn.Module, prepared: Sequence[torch.Tensor], device: torch.device) -> list[NDArray[Any]]:
    """What the network makes of each value; all have one shape, that of a row of its input."""
    size = size_on(device)
    results: list[NDArray[Any]] = []
    with exact():
        for start in range(0, len(prepared), size):
            rows = prepared[start : start + size]
            batch = torch.zeros(size, *rows[0].shape, dtype=rows[0].dtype)
            torch.stack(list(rows), out=batch[: len(rows)])
            found = network(batch.to(device, non_blocking=True))[: len(rows)].cpu().numpy()
            results += [np.array(row) for row in found]  # copies: a view would keep the batch
    return results
