"""The evaluator as a whole: light until used, examples that hold, units that are the catalogue's."""

from __future__ import annotations

import base64
import csv
import json
import subprocess
import sys
from importlib.resources import files
from typing import Any

import pytest

from genlevel_audio.app import EVALUATOR
from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer
from genlevel_evaluator.kinds import Content

DATA = files("genlevel_orchestrator.catalogue") / "data"
HEAVY = ("torch", "soundfile", "soxr", "pyworld", "faster_whisper", "scipy", "ray")


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


def _content(value: Any) -> Content:
    if isinstance(value, dict) and "base64" in value:
        return Content(media=media.from_bytes(base64.b64decode(value["base64"]), value["name"]))
    return Content(text=value) if isinstance(value, str) else Content(json=value)


@pytest.mark.weights
@pytest.mark.parametrize("name", EVALUATOR.metric_ids)
def test_the_example_holds(name: str) -> None:
    example = json.loads((DATA / "examples" / f"audio.{name}.json").read_text())
    scorer = Scorer.of(EVALUATOR, name, example["parameters"])
    samples = [RawSample(s["id"], _content(s["prediction"]), (_content(s["reference"]),)) for s in example["samples"]]
    rows, issues = scorer.observe(samples)
    assert not issues
    assert scorer.finalize(rows).value == pytest.approx(example["value"], abs=example["tolerance"])
