"""Instance AP against a port of ScanNet's script, and derivations."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
import scene_data

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import Issue
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_three_d.app import EVALUATOR

Scans = list[tuple[Any, Any]]
OVERLAPS = [*np.arange(0.5, 0.95, 0.05).tolist(), 0.25]


def scored(scans: Scans, **parameters: object) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(EVALUATOR, "map_50", parameters)
    samples = [
        RawSample(str(key), None if prediction is None else Content(json=prediction), (Content(json=reference),), Presence.PREDICTION_MISSING if prediction is None else Presence.BOTH)
        for key, (prediction, reference) in enumerate(scans)
    ]
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


class Script:
    """What evaluate_semantic_instance does, loop by loop, over points whose number is class * 1000 + object; void is 0."""

    def __init__(self, scans: Scans, least: int) -> None:
        self.least = least
        self.scans = [self._scan(prediction, reference) for prediction, reference in scans]
        self.classes = sorted({truth["label"] for scan in self.scans for truth in scan["truths"] if truth["count"] >= least})

    def _scan(self, prediction: Any, reference: Any) -> Any:
        ids = np.array([label * 1000 + number if label and number else 0 for label, number in zip(reference["labels"], reference["instances"], strict=True)])
        truths = [{"id": one, "label": one // 1000, "count": int(np.sum(ids == one)), "found": []} for one in np.unique(ids).tolist() if one]
        guesses = []
        for rank, item in sorted(enumerate(prediction), key=lambda pair: (-pair[1]["score"], pair[0])):
            mask = np.zeros(len(ids), bool)
            mask[item["points"]] = True
            if mask.sum() < self.least:
                continue
            guess = {"name": rank, "label": item["label"], "score": item["score"], "count": int(mask.sum()), "void": int(np.sum(mask & (ids == 0))), "near": []}
            for truth in truths:
                shared = int(np.sum(mask & (ids == truth["id"])))
                if truth["label"] == item["label"] and shared:
                    guess["near"].append((truth, shared))
                    truth["found"].append((guess, shared))
            guesses.append(guess)
        return {"truths": truths, "guesses": guesses}

    def precision(self, label: int, overlap: float) -> float:
        true: list[int] = []
        scores: list[float] = []
        lost, has_guess = 0, False
        for scan in self.scans:
            visited: set[int] = set()
            guesses = [guess for guess in scan["guesses"] if guess["label"] == label]
            has_guess |= bool(guesses)
            for truth in scan["truths"]:
                if truth["label"] != label or truth["count"] < self.least:
                    continue
                mine: list[list[Any]] = []
                for guess, shared in truth["found"]:
                    if guess["name"] in visited or shared / (truth["count"] + guess["count"] - shared) <= overlap:
                        continue
                    if mine:
                        best, worse = max(mine[0][1], guess["score"]), min(mine[0][1], guess["score"])
                        mine[0][1] = best
                        mine.append([0, worse])
                    else:
                        visited.add(guess["name"])
                        mine.append([1, guess["score"]])
                lost += not mine
                true += [row[0] for row in mine]
                scores += [row[1] for row in mine]
            for guess in guesses:
                if any(shared / (truth["count"] + guess["count"] - shared) > overlap for truth, shared in guess["near"]):
                    continue
                ignored = guess["void"] + sum(shared for truth, shared in guess["near"] if truth["count"] < self.least)
                if ignored / guess["count"] <= overlap:
                    true.append(0)
                    scores.append(guess["score"])
        return self._area(np.array(true), np.array(scores), lost) if has_guess and true else 0.0

    @staticmethod
    def _area(true: Any, scores: Any, lost: int) -> float:
        order = np.argsort(scores)
        true, scores = true[order], scores[order]
        sums = np.append(np.cumsum(true), 0)
        _, places = np.unique(scores, return_index=True)
        precision, recall = np.zeros(len(places) + 1), np.zeros(len(places) + 1)
        for number, place in enumerate(places):
            before = sums[place - 1]
            hits = sums[-2] - before
            false = len(scores) - place - hits
            precision[number] = hits / (hits + false)
            recall[number] = hits / (hits + before + lost) if hits + before + lost else 0.0
        precision[-1], recall[-1] = 1.0, 0.0
        padded = np.append(np.append(recall[0], recall), 0.0)
        return float(np.dot(precision, np.convolve(padded, [-0.5, 0, 0.5], "valid")))

    def mean(self, overlap: float) -> float:
        return 100 * float(np.mean([self.precision(label, overlap) for label in self.classes]))


@pytest.mark.parametrize(("seed", "steps", "least"), [(0, 0, 100), (1, 3, 100), (2, 0, 40), (3, 2, 1), (4, 0, 100)])
def test_it_is_scannets_script(seed: int, steps: int, least: int) -> None:
    random = np.random.default_rng(seed)
    scans = [scene_data.room(random, 3000, 9, steps) for _ in range(8)]
    script = Script(scans, least)
    value, issues = scored(scans, min_points=least)
    assert issues == []
    assert value.value == pytest.approx(script.mean(0.5), rel=1e-12)
    assert value.companions["ap_25"] == pytest.approx(script.mean(0.25), rel=1e-12)
    assert value.companions["ap_50_90"] == pytest.approx(np.mean([script.mean(overlap) for overlap in OVERLAPS[:-1]]), rel=1e-12)
    assert {label: value.companions[f"ap_{label}"] for label in script.classes} == pytest.approx({label: 100 * script.precision(label, 0.5) for label in script.classes}, rel=1e-12)
    assert 20 < script.mean(0.25) < 95


def scan(*objects: tuple[int, int], void: int = 0) -> dict[str, Any]:
    labels = [label for label, size in objects for _ in range(size)] + [0] * void
    numbers = [number for number, (_, size) in enumerate(objects, start=1) for _ in range(size)] + [0] * void
    return {"labels": labels, "instances": numbers}


def found(label: Any, start: int, end: int, score: float = 0.9) -> dict[str, Any]:
    return {"label": label, "score": score, "points": list(range(start, end))}


def test_half_of_the_points_is_not_enough() -> None:
    truth = scan((5, 200), void=10)
    (half, _), (more, _) = scored([([found(5, 0, 100)], truth)]), scored([([found(5, 0, 101)], truth)])
    assert (half.value, more.value) == (0.0, 100.0)


def test_void_takes_false_alarms_away() -> None:
    truth = scan((5, 200), void=400)
    (onto_void, _), (onto_other, _) = (
        scored([([found(5, 0, 200, 0.5), found(5, start, start + 200, 0.9)], reference)]) for start, reference in ((300, truth), (200, scan((5, 200), (7, 400))))
    )
    assert onto_void.value == 100.0
    assert onto_other.companions["ap_5"] < 100.0


def test_small_objects_do_not_count() -> None:
    value, _ = scored([([found(5, 0, 200), found(5, 200, 299)], scan((5, 200), (5, 99)))])
    assert (value.value, value.companions["recall"]) == (100.0, 100.0)
    assert scored([([], scan((5, 99)))])[0].reason == "no_reference"
    lower, _ = scored([([found(5, 0, 200)], scan((5, 200), (5, 99)))], min_points=50)
    assert lower.value == 50.0


def test_names_of_scannet_and_numbers_are_one() -> None:
    truth = scan((5, 200))
    assert scored([([found("Chair", 0, 200)], truth)])[0].value == scored([([found("5", 0, 200)], truth)])[0].value == 100.0
    value, _ = scored([([found("spaceship", 0, 200)], truth)])
    assert (value.value, value.warnings) == (0.0, ("unknown_labels",))
    assert scored([([found(1, 0, 200)], scan((1, 200)))], classes="scannet")[0].reason == "no_reference"


def test_masks_and_labels_from_files() -> None:
    truth = scan((5, 200), (7, 150), void=50)

    def file(values: list[int], name: str) -> media.Blob:
        return media.from_bytes("\n".join(map(str, values)).encode(), name)

    prediction = [{"label": 5, "score": 0.9, "points": file([1] * 200 + [0] * 200, "a.txt")}, found(7, 200, 350)]
    reference = {"labels": file(truth["labels"], "l.txt"), "instances": file(truth["instances"], "i.txt")}
    assert scored([(prediction, reference)])[0].value == 100.0
    inline = [{"label": 5, "score": 0.9, "points": {"name": "a.txt", "base64": base64.b64encode(b"1\n" * 350).decode()}}]
    from genlevel_evaluator import score

    assert score("map_50", [{"id": "1", "prediction": inline, "reference": truth}], evaluator="three_d").issues[0].code == "LENGTH_MISMATCH"


BAD = {
    "beyond the scan": ([found(5, 150, 351)], "BAD_POINT"), "negative": ([{"label": 5, "score": 1, "points": [-1]}], "NOT_LABELS"), "half": ([{"label": 5, "score": 1, "points": [0.5]}], "NOT_LABELS"),
    "no points": ([{"label": 5, "score": 1}], "WRONG_TYPE"), "no label": ([{"score": 1, "points": [1]}], "WRONG_TYPE"), "infinite score": ([{"label": 5, "score": 1e300, "points": [1]}], "NOT_FINITE"),
    "not a list": ({}, "WRONG_TYPE"), "another key": ([{"label": 5, "score": 1, "points": [1], "mask": 3}], "UNKNOWN_KEY"), "many": ([found(5, 0, 1)] * 10_001, "TOO_MANY_INSTANCES"),
    "no mask": ([{"label": 5, "score": 1, "points": media.from_bytes(b"2\n" * 350, "m.txt")}], "NOT_A_MASK"), "short mask": ([{"label": 5, "score": 1, "points": media.from_bytes(b"1\n" * 200, "m.txt")}], "LENGTH_MISMATCH"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_an_issue_of_its_scan(name: str) -> None:
    given, code = BAD[name]
    truth = scan((5, 200), (7, 150))
    value, issues = scored([(given, truth), ([found(5, 0, 200)], truth)])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("0", code, "prediction")]
    assert issues[0].remedy
    assert (value.present, value.expected) == (1, 2)


@pytest.mark.parametrize("reference", [{"labels": [1], "instances": [1, 1]}, {"labels": [1]}, [1, 2], {"labels": [-1], "instances": [1]}])
def test_a_bad_reference_leaves_its_scan_out(reference: Any) -> None:
    value, issues = scored([([], reference)])
    assert [issue.severity for issue in issues] == ["reference"]
    assert value.excluded == 1
