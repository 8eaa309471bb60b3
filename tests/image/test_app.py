"""The image evaluator as a whole: nothing heavy before it is needed, units of the catalogue, examples that hold, every format rule."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from importlib.resources import files

import pytest

from genlevel_evaluator import formats, score, weights
from genlevel_evaluator.engine import Scorer
from genlevel_image.app import EVALUATOR

DATA = files("genlevel_orchestrator.catalogue") / "data"
HEAVY = ("torch", "torchvision", "cv2", "PIL", "scipy", "pycocotools", "ray")


def test_describing_imports_nothing_heavy() -> None:
    program = (
        "import sys\nfrom genlevel_image.app import EVALUATOR\n"
        "[EVALUATOR.metric(m).summary for m in EVALUATOR.metric_ids], EVALUATOR.kinds, EVALUATOR.backbones\n"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


@pytest.mark.parametrize("name", EVALUATOR.metric_ids)
def test_units_directions_and_missing_rules_are_the_catalogues(name: str) -> None:
    row = {row["metric_id"]: row for row in csv.DictReader((DATA / "metrics.csv").read_text().splitlines())}[name]
    metric = EVALUATOR.metric(name)
    assert metric.unit == row["unit"]
    assert metric.higher_is_better == (row["direction"] == "higher")
    assert bool(metric.missing) == (row["missing"] == "worst")
    assert metric.input_kind in EVALUATOR.kinds
    assert name in formats.facts(metric.input_kind)["metrics"]


def test_every_network_names_weights_of_the_manifest() -> None:
    assert {weights.entry(backbone.weights).reference for backbone in EVALUATOR.backbones.values()} == {True, False}
    for name in EVALUATOR.metric_ids:
        scorer = Scorer.of(EVALUATOR, name)
        assert set(scorer.metric.backbones(scorer.parameters)) <= set(EVALUATOR.backbones)


@pytest.mark.weights
@pytest.mark.parametrize("name", EVALUATOR.metric_ids)
def test_the_example_holds(name: str) -> None:
    example = json.loads((DATA / "examples" / f"image.{name}.json").read_text())
    result = score(name, example["samples"], evaluator="image", parameters=example["parameters"])
    assert result.issues == ()
    assert result.value == pytest.approx(example["value"], abs=example["tolerance"])
