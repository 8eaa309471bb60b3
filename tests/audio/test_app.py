"""The evaluator as a whole: light until used, examples that hold, units that are the catalogue's."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from importlib.resources import files

import pytest

from genlevel_audio.app import EVALUATOR
from genlevel_evaluator import score

DATA = files("genlevel_orchestrator.catalogue") / "data"
HEAVY = ("torch", "soundfile", "soxr", "pyworld", "faster_whisper", "onnxruntime", "mido", "regex", "scipy", "ray")


def test_describing_the_metrics_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom genlevel_audio.app import EVALUATOR\n"
        "[EVALUATOR.metric(m).summary for m in EVALUATOR.metric_ids], EVALUATOR.kinds, EVALUATOR.backbones\n"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_units_and_directions_are_the_catalogues() -> None:
    table = {row["metric_id"]: row for row in csv.DictReader((DATA / "metrics.csv").read_text().splitlines())}
    for name in EVALUATOR.metric_ids:
        metric = EVALUATOR.metric(name)
        assert metric.unit == table[name]["unit"]
        assert ("higher" if metric.higher_is_better else "lower") == table[name]["direction"]
        assert ("worst" if metric.missing else "coverage") == table[name]["missing"]


@pytest.mark.weights
@pytest.mark.parametrize("name", EVALUATOR.metric_ids)
def test_the_example_holds(name: str) -> None:
    example = json.loads((DATA / "examples" / f"audio.{name}.json").read_text())
    found = score(name, example["samples"], evaluator="audio", parameters=example["parameters"])
    assert not found.issues
    assert found.value == pytest.approx(example["value"], abs=example["tolerance"])
