"""Real networks: the same bits in any company, and never run again by a later process."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from genlevel_evaluator import feature_store, features
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.media import from_path
from genlevel_evaluator.metric import Presence
from genlevel_image.app import EVALUATOR
from genlevel_image.media import Picture

NETWORK = "inception-v3-nsfwjs.torch"
COUNT = 6


def samples(folder: Path) -> list[RawSample]:
    return [RawSample(f"s{number}", Content(media=from_path(folder / f"{number}.png")), (), Presence.PREDICTION_ONLY) for number in range(COUNT)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    random = np.random.default_rng(5)
    for number in range(COUNT):
        Image.fromarray(random.integers(0, 256, (40 + number, 50, 3), dtype=np.uint8)).save(tmp_path / f"{number}.png")
    monkeypatch.setenv(feature_store.DIRECTORY, str(tmp_path / "features"))
    monkeypatch.setenv(feature_store.BYTES, str(64 << 20))
    monkeypatch.setattr("genlevel_evaluator.features.CACHE", features.FeatureCache())
    return tmp_path


@pytest.mark.weights
def test_a_picture_has_the_same_features_in_any_company() -> None:
    random = np.random.default_rng(6)
    pictures = [Picture(random.integers(0, 256, (64, 80, 3), dtype=np.uint8), "") for _ in range(COUNT)]
    extractor: Any = EVALUATOR.extractor(NETWORK)
    together = extractor.extract(pictures)
    assert [value.shape for value in together] == [(2048,)] * COUNT
    assert len({value.tobytes() for value in together}) == COUNT
    assert [value.tobytes() for value in extractor.extract(pictures[::-1])] == [value.tobytes() for value in together[::-1]]
    assert extractor.extract(pictures[4:5])[0].tobytes() == together[4].tobytes()


_LATER = """
import hashlib, importlib.util, sys
from pathlib import Path
from genlevel_image.app import EVALUATOR
from genlevel_evaluator.engine import Scorer
spec = importlib.util.spec_from_file_location("these", sys.argv[1])
these = importlib.util.module_from_spec(spec)
spec.loader.exec_module(these)
rows, issues = Scorer.of(EVALUATOR, "fid").observe(these.samples(Path(sys.argv[2])))
print(len(EVALUATOR._extractors), len(issues), hashlib.sha256(rows.column("prediction_features").tobytes()).hexdigest())
"""


@pytest.mark.weights
def test_a_later_process_loads_no_network_and_has_the_same_rows(folder: Path) -> None:
    rows, issues = Scorer.of(EVALUATOR, "fid").observe(samples(folder))
    assert issues == []
    expected = hashlib.sha256(rows.column("prediction_features").tobytes()).hexdigest()
    later = subprocess.run([sys.executable, "-c", _LATER, __file__, str(folder)], capture_output=True, text=True, timeout=300)
    assert later.returncode == 0, later.stderr
    assert later.stdout.split() == ["0", "0", expected]
