"""Comparing runs over the same samples: paired intervals, tests, and what is said where samples are not the same."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from scipy import stats

from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.report import build_report, compare
from genlevel_orchestrator.runs.results import RunResult

ROOT = Path(__file__).resolve().parents[3]
SIZE = 200


class Pairs:
    """Makes a task's comparison out of two lists of scores."""

    def __init__(self, result: RunResult, catalogue: Catalogue, module: Any, task_id: str) -> None:
        self.result, self.catalogue, self.module, self.task_id = result, catalogue, module, task_id

    def side(self, scores: Any, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        run, details = self.module.with_scores(self.result, self.task_id, scores, **options)
        return build_report(run, self.catalogue), {self.task_id: details}

    def row(self, first: Any, second: Any) -> dict[str, Any]:
        (one, one_details), (other, other_details) = first, second
        found = compare(one, other, one_details, other_details)
        row: dict[str, Any] = next(row for row in found.tasks if row["task_id"] == self.task_id)
        return row


@pytest.fixture
def pairs(result: RunResult, catalogue: Catalogue, load_module: Any, synthetic: Any) -> Pairs:
    values = synthetic.raw_values(catalogue, 0.95)
    task_id = next(t for t in values if catalogue.metric_of(catalogue.tasks[t]).unit == "percent")
    return Pairs(result, catalogue, load_module(Path(__file__).with_name("paired_runs.py")), task_id)


def scores_of(seed: int, shift: float = 0.0) -> Any:
    """Scores that mostly come from how hard a sample is."""
    hardness = np.random.default_rng(0).uniform(20, 70, SIZE)
    return hardness + np.random.default_rng(seed).normal(shift, 3, SIZE)


def test_a_paired_interval_is_narrower_and_decides(pairs: Pairs) -> None:
    first, second = pairs.side(scores_of(1)), pairs.side(scores_of(2, 2.0))
    row, unpaired = pairs.row(first, second), pairs.row((first[0], {}), (second[0], {}))
    assert (row["verdict"], row["paired"], row["samples"], row["unpaired_reason"]) == ("better", True, SIZE, "")
    differences = scores_of(2, 2.0) - scores_of(1)
    half = 1.96 * differences.std() / math.sqrt(SIZE)
    assert row["difference"] == pytest.approx(differences.mean())
    assert row["difference_interval"]["method"] == "paired_bootstrap_1000"
    assert row["difference_interval"]["low"] == pytest.approx(differences.mean() - half, abs=0.1)
    assert row["difference_interval"]["high"] == pytest.approx(differences.mean() + half, abs=0.1)
    assert (unpaired["verdict"], unpaired["unpaired_reason"], unpaired["test"]) == ("undecided", "no sample scores", None)
    assert unpaired["difference_interval"]["method"] == "mover"
    assert unpaired["difference_interval"]["low"] < row["difference_interval"]["low"]


def test_a_run_against_itself(pairs: Pairs) -> None:
    side = pairs.side(scores_of(1))
    row = pairs.row(side, side)
    assert (row["verdict"], row["difference"], row["test"]["p"]) == ("equal", 0.0, 1.0)
    assert (row["difference_interval"]["low"], row["difference_interval"]["high"]) == (0.0, 0.0)


def test_the_other_way_round_is_the_negative(pairs: Pairs) -> None:
    first, second = pairs.side(scores_of(1)), pairs.side(scores_of(2, 0.5))
    there, back = pairs.row(first, second), pairs.row(second, first)
    assert back["difference"] == -there["difference"]
    assert back["difference_interval"]["low"] == pytest.approx(-there["difference_interval"]["high"])
    assert back["test"] == there["test"]


def test_means_get_sign_flips(pairs: Pairs) -> None:
    first, second = scores_of(1), scores_of(2, 0.6)
    row = pairs.row(pairs.side(first), pairs.side(second))
    assert row["test"]["method"] == "sign_flip_9999"
    expected = stats.permutation_test(
        (first, second), lambda a, b, axis: np.mean(b - a, axis=axis), permutation_type="samples", n_resamples=50_000, vectorized=True
    ).pvalue
    assert row["test"]["p"] == pytest.approx(expected, abs=0.006)


def test_right_and_wrong_get_mcnemar(pairs: Pairs) -> None:
    generator = np.random.default_rng(4)
    first, second = (100.0 * (generator.random(SIZE) < share) for share in (0.5, 0.6))
    row = pairs.row(pairs.side(first), pairs.side(second))
    assert row["test"]["method"] == "mcnemar_exact"
    expected = stats.binomtest(int(np.sum(second > first)), int(np.sum(second != first))).pvalue
    assert row["test"]["p"] == pytest.approx(expected)


def test_values_of_whole_sets_get_the_bootstrap(pairs: Pairs) -> None:
    def root(scores: Any) -> Any:
        return np.sqrt(np.mean(scores**2, axis=-1))

    row = pairs.row(pairs.side(scores_of(1), value_of=root), pairs.side(scores_of(2, 2.0), value_of=root))
    assert row["test"]["method"] == "paired_bootstrap_1000"
    assert row["test"]["p"] == pytest.approx(2 / 1001)
    right = pairs.side(100.0 * (scores_of(1) > 40), value_of=root)
    assert pairs.row(right, right)["test"]["method"] == "paired_bootstrap_1000", "right and wrong, but no mean"


def test_ratings_get_the_bootstrap_over_raters_and_items(pairs: Pairs) -> None:
    sides = [pairs.side(scores_of(seed)) for seed in (1, 2)]
    for report, _ in sides:
        task = next(task for task in report["tasks"] if task["task_id"] == pairs.task_id)
        task["interval"]["method"] = "two_way_poisson_bootstrap_1000"
    assert pairs.row(*sides)["test"]["method"] == "paired_bootstrap_1000"


def test_samples_without_a_score_are_left_out_on_both_sides(pairs: Pairs) -> None:
    first, second = scores_of(1), scores_of(2, 0.6)
    first[5] = second[5] = math.nan
    row = pairs.row(pairs.side(first, value_of=lambda s: np.nanmean(s, axis=-1)), pairs.side(second, value_of=lambda s: np.nanmean(s, axis=-1)))
    whole = pairs.row(pairs.side(np.delete(first, 5)), pairs.side(np.delete(second, 5)))
    assert row["test"]["p"] == whole["test"]["p"]
    second[5] = 3.0
    row = pairs.row(pairs.side(first, value_of=lambda s: np.nanmean(s, axis=-1)), pairs.side(second))
    assert row["test"]["method"].startswith("paired_bootstrap")


def test_other_samples_are_not_paired(pairs: Pairs) -> None:
    row = pairs.row(pairs.side(scores_of(1)), pairs.side(scores_of(2, 20.0), keys="others"))
    assert (row["paired"], row["unpaired_reason"], row["test"], row["difference_interval"]["method"]) == (False, "different samples", None, "mover")
    row = pairs.row(pairs.side(scores_of(1)), pairs.side(scores_of(2)[:-1]))
    assert row["unpaired_reason"] == "different samples"


def test_details_of_another_value_are_not_used(pairs: Pairs) -> None:
    report, details = pairs.side(scores_of(1))
    stale = {pairs.task_id: replace(details[pairs.task_id], signature="0" * 64)}
    assert pairs.row((report, stale), (report, details))["unpaired_reason"] == "no sample scores"


def test_scores_without_replicates_give_a_test_but_no_paired_interval(pairs: Pairs) -> None:
    sides = [pairs.side(scores_of(seed)) for seed in (1, 2)]
    bare = [(report, {key: replace(item, replicates=()) for key, item in details.items()}) for report, details in sides]
    row = pairs.row(*bare)
    assert (row["paired"], row["unpaired_reason"], row["difference_interval"]["method"]) == (False, "no bootstrap replicates", "mover")
    assert row["test"]["method"] == "sign_flip_9999"


def test_refused_values_are_not_paired(pairs: Pairs, synthetic: Any) -> None:
    newer = synthetic.run_result(pairs.catalogue, version=2)
    other = Pairs(newer, pairs.catalogue, pairs.module, pairs.task_id).side(scores_of(2))
    row = pairs.row(pairs.side(scores_of(1)), other)
    assert (row["verdict"], row["paired"], row["test"], row["difference_interval"], row["unpaired_reason"]) == ("refused", False, None, None, "")


def test_many_tasks_are_adjusted_together_and_follow_the_schema(pairs: Pairs, synthetic: Any) -> None:
    chosen = [t for t in synthetic.raw_values(pairs.catalogue, 0.95) if pairs.catalogue.metric_of(pairs.catalogue.tasks[t]).unit == "percent"][:3]
    runs = []
    for seed in (1, 2):
        run, details = pairs.result, {}
        for number, task_id in enumerate(chosen):
            run, details[task_id] = pairs.module.with_scores(run, task_id, scores_of(seed + 10 * number, (seed - 1) * 0.4 * number))
        runs.append((build_report(run, pairs.catalogue), details))
    (one, mine), (other, yours) = runs
    found = compare(one, other, mine, yours)
    tests = [row["test"] for row in found.tasks if row["test"]]
    assert len(tests) == 3
    smallest = min(tests, key=lambda test: test["p"])
    assert smallest["p_holm"] == pytest.approx(min(1.0, 3 * smallest["p"]))
    page = (ROOT / "docs" / "report.md").read_text()
    schema = next(block for block in re.findall(r"```json\n(\{.*?\n\})\n```", page, re.DOTALL) if "genlevel.comparison" in block)
    jsonschema.validate(json.loads(json.dumps(found.to_dict(), allow_nan=False)), json.loads(schema))
