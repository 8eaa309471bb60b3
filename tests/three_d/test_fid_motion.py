"""The Fréchet motion distance: HumanML3D's network against PyTorch's packed sequences, the distance by its formula, motions good and bad."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence

from genlevel_evaluator import media
from genlevel_evaluator.engine import RawSample, Scorer, Value
from genlevel_evaluator.errors import EvaluatorError, Issue
from genlevel_evaluator.kinds import Content
from genlevel_evaluator.metric import Presence
from genlevel_three_d.app import EVALUATOR
from genlevel_three_d.backbones.motions import Evaluator, EvaluatorExtractor, load_state
from genlevel_three_d.forms.motion import Motion, decode_motion
from genlevel_three_d.scenes.kinematics import statistics

SIZES = (24, 20, 32, 16)


def checkpoint(seed: int = 0) -> dict[str, Any]:
    """Seeded weights under the names of the reference checkpoint, in a tiny form of the architecture."""
    torch.manual_seed(seed)
    inner, movement, hidden, outputs = SIZES
    convolutions = nn.Sequential(nn.Conv1d(259, inner, 4, 2, 1), nn.Dropout(0.2), nn.LeakyReLU(0.2), nn.Conv1d(inner, movement, 4, 2, 1))
    parts = {
        "main": convolutions, "out_net": nn.Linear(movement, movement), "input_emb": nn.Linear(movement, hidden),
        "gru": nn.GRU(hidden, hidden, batch_first=True, bidirectional=True),
        "output_net": nn.Sequential(nn.Linear(2 * hidden, hidden), nn.LayerNorm(hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, outputs)),
    }  # fmt: skip
    state = {name: {f"{name}.{key}": value for key, value in part.state_dict().items()} for name, part in parts.items()}
    motion = {**state["input_emb"], **state["gru"], **state["output_net"], "hidden": torch.randn(2, 1, hidden)}
    return {"movement_encoder": {**state["main"], **state["out_net"]}, "motion_encoder": motion, "text_encoder": {"unused": torch.zeros(1)}, "epoch": 3}


def judged(weights: dict[str, Any], motions: list[Any], mean: Any, deviation: Any) -> Any:
    """The batch as the reference evaluator goes through it: filled up to 196 frames, longest first, packed."""
    moves, encoder, hidden = weights["movement_encoder"], weights["motion_encoder"], SIZES[2]
    order = sorted(range(len(motions)), key=lambda place: -len(motions[place]))
    batch = torch.zeros(len(motions), 196, 263)
    for row, place in enumerate(order):
        batch[row, : len(motions[place])] = torch.from_numpy((motions[place] - mean) / deviation)
    x = batch[..., :-4].permute(0, 2, 1)
    for layer in (0, 3):
        x = functional.leaky_relu(functional.conv1d(x, moves[f"main.{layer}.weight"], moves[f"main.{layer}.bias"], stride=2, padding=1), 0.2)
    x = functional.linear(x.permute(0, 2, 1), moves["out_net.weight"], moves["out_net.bias"])
    x = functional.linear(x, encoder["input_emb.weight"], encoder["input_emb.bias"])
    gru = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)
    gru.load_state_dict({key.removeprefix("gru."): value for key, value in encoder.items() if key.startswith("gru.")})
    packed = pack_padded_sequence(x, [len(motions[place]) // 4 for place in order], batch_first=True)
    _, last = gru(packed, encoder["hidden"].repeat(1, len(motions), 1))
    x = functional.linear(torch.cat([last[0], last[1]], dim=-1), encoder["output_net.0.weight"], encoder["output_net.0.bias"])
    x = functional.leaky_relu(functional.layer_norm(x, (hidden,), encoder["output_net.1.weight"], encoder["output_net.1.bias"]), 0.2)
    x = functional.linear(x, encoder["output_net.3.weight"], encoder["output_net.3.bias"]).detach().numpy()
    return x[np.argsort(order)]


def test_the_network_is_the_evaluators() -> None:
    random = np.random.default_rng(0)
    motions = [random.normal(size=(frames, 263)).astype(np.float32) for frames in (196, 40, 64, 4, 120)]
    mean, deviation = random.normal(size=263), random.uniform(0.5, 2, 263)
    weights = checkpoint()
    network = Evaluator(SIZES)
    load_state(network, weights)
    extractor = EvaluatorExtractor(network, mean, deviation)
    found = extractor.extract([Motion(motion) for motion in motions])
    assert np.stack(found) == pytest.approx(judged(weights, motions, mean, deviation), abs=1e-6)
    (alone,) = extractor.extract([Motion(motions[2])])
    assert alone.tobytes() == found[2].tobytes()


def test_the_full_size_takes_the_checkpoints_shapes() -> None:
    with torch.device("meta"):
        shapes = {name: tuple(value.shape) for name, value in Evaluator().state_dict().items()}
    assert shapes["movement_encoder.main.0.weight"] == (512, 259, 4)
    assert shapes["movement_encoder.main.3.weight"] == (512, 512, 4)
    assert shapes["motion_encoder.gru.weight_ih_l0_reverse"] == (3072, 1024)
    assert shapes["motion_encoder.output_net.3.weight"] == (512, 1024)
    assert shapes["motion_encoder.hidden"] == (2, 1, 1024)


def test_another_checkpoint_is_refused_by_name() -> None:
    weights = checkpoint()
    del weights["motion_encoder"]["hidden"]
    with pytest.raises(EvaluatorError, match=r"motion_encoder\.hidden") as caught:
        load_state(Evaluator(SIZES), weights)
    assert caught.value.reason == "WRONG_WEIGHTS"


# The metric


def scored(samples: list[RawSample]) -> tuple[Value, list[Issue]]:
    scorer = Scorer.of(EVALUATOR, "fid_motion")
    rows, issues = scorer.observe(samples)
    return scorer.finalize(rows), issues


def sample(key: str, prediction: Any, reference: Any, **attributes: Any) -> RawSample:
    presence = Presence.BOTH if prediction is not None and reference is not None else Presence.PREDICTION_ONLY if reference is None else Presence.REFERENCE_ONLY
    return RawSample(key, None if prediction is None else Content(json=prediction), () if reference is None else (Content(json=reference),), presence, attributes)


def test_the_distance_is_that_of_the_statistics() -> None:
    random = np.random.default_rng(1)
    motions = random.normal(size=(2, 120, 4, 263)) * random.uniform(0.5, 1.5, (2, 120, 1, 1)) + np.array([0.0, 0.2])[:, None, None, None]
    value, issues = scored([sample(str(number), motions[0, number].tolist(), motions[1, number].tolist(), caption=str(number // 2)) for number in range(120)])
    assert issues == []
    one, other = (np.stack([statistics(Motion(motion.astype(np.float32))) for motion in side]).astype(np.float64) for side in motions)
    # tr (S1 S2)^(1/2) is the nuclear norm of the product of the centred rows.
    left, right = (side - side.mean(axis=0) for side in (one, other))
    root = np.linalg.norm(left @ right.T, "nuc") / 119
    spread = (np.sum(left**2) + np.sum(right**2)) / 119
    expected = np.sum((one.mean(axis=0) - other.mean(axis=0)) ** 2) + spread - 2 * root
    assert value.value == pytest.approx(expected, rel=1e-9)
    assert value.companions["diversity"] == pytest.approx(pdist(one).mean(), rel=1e-9)
    assert value.companions["diversity_reference"] == pytest.approx(pdist(other).mean(), rel=1e-9)
    pairs = np.linalg.norm(one[::2] - one[1::2], axis=1)
    assert value.companions["multimodality"] == pytest.approx(pairs.mean(), rel=1e-9)
    assert not value.signature.comparable
    assert "kinematics_not_t2m" in value.warnings


def test_equal_sets_are_at_distance_zero_and_small_ones_undefined() -> None:
    random = np.random.default_rng(2)
    rows = random.normal(size=(5, 12, 263)).tolist()
    value, _ = scored([sample(f"p{place}", row, None) for place, row in enumerate(rows)] + [sample(f"r{place}", None, row) for place, row in enumerate(rows)])
    assert value.value == pytest.approx(0.0, abs=1e-9)
    assert scored([sample("1", rows[0], rows[1])])[0].reason == "too_few_samples"


# Motions


def npy(values: Any) -> Content:
    file = io.BytesIO()
    np.save(file, values)
    return Content(media=media.from_bytes(file.getvalue(), "a.npy"))


@pytest.mark.parametrize(("frames", "kept"), [(4, 4), (7, 4), (64, 64), (196, 196), (199, 196), (1000, 196)])
def test_motions_are_cut(frames: int, kept: int) -> None:
    values = np.random.default_rng(3).normal(size=(frames, 263)).astype(np.float32)
    found = decode_motion(npy(values), {})
    assert (found.values == values[:kept]).all()
    assert found.values.shape == (kept, 263)
    assert found.sha256


GOOD = np.zeros((8, 263))
BAD = {
    "KIT": (npy(np.zeros((8, 251))), "WRONG_SHAPE"), "flat": (npy(np.zeros(263)), "WRONG_SHAPE"), "joints": (npy(np.zeros((8, 22, 3))), "WRONG_SHAPE"), "three frames": (npy(np.zeros((3, 263))), "BAD_LENGTH"),
    "none": (npy(np.zeros((0, 263))), "BAD_LENGTH"), "NaN": (npy(np.where(np.arange(263) == 7, np.nan, GOOD)), "NOT_FINITE"), "infinite": (npy(GOOD + np.inf), "NOT_FINITE"),
    "huge": (npy(GOOD + 1e7), "NOT_A_MOTION"), "objects": (npy(np.array([{}], dtype=object)), "NOT_AN_ARRAY"), "a picture": (Content(media=media.from_bytes(b"\x89PNG\r\n", "a.npy")), "NOT_AN_ARRAY"),
    "an object": (Content(json={}), "WRONG_TYPE"), "ragged": (Content(json=[[1.0], [1.0, 2.0]]), "WRONG_SHAPE"), "words": (Content(json=[["x"] * 263] * 8), "WRONG_SHAPE"), "text": (Content(text="a.npy"), "BAD_JSON"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_motions_are_issues_of_their_sample(name: str) -> None:
    content, code = BAD[name]
    good = [sample(str(number), (GOOD + number).tolist(), (GOOD + number).tolist()) for number in range(1, 3)]
    value, issues = scored([RawSample("0", content, (npy(GOOD),)), *good])
    assert [(issue.sample_id, issue.code, issue.severity) for issue in issues] == [("0", code, "prediction")]
    assert issues[0].remedy
    assert (value.present, value.expected, value.companions["references"]) == (2, 3, 3.0)
