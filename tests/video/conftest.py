"""Rules of the video tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Networks run in one thread: with more, threads that wait for each other take many times as long on a busy machine. Tests of
    other folders must not meet it: the last bits of features depend on the number of threads, and features are remembered.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
