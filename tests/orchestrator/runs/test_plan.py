"""The plan is pure: the same bundle gives the same shards, and an edit changes its own shard only."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from genlevel_orchestrator.bundle.fields import Form
from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.runs.plan import MetricFacts, cut, declared_parameters, plan_task, shard_key


@given(st.lists(st.integers(1, 2000), max_size=300), st.integers(500, 5000))
def test_ranges_cover_all_samples_once_in_order(sizes: list[int], most: int) -> None:
    ranges = cut(sizes, "video", most)
    assert [index for first, last in ranges for index in range(first, last)] == list(range(len(sizes)))
    for first, last in ranges:
        assert last - first <= 16
        assert sum(sizes[first:last]) <= most or last - first == 1


@given(st.lists(st.integers(1, 900), min_size=40, max_size=120), st.data())
def test_a_sample_that_grows_changes_its_own_block_only(sizes: list[int], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(sizes) - 1))
    edited = [*sizes[:index], 5000, *sizes[index + 1 :]]
    block = index // 16
    kept = [item for item in cut(sizes, "video", 4000) if item[0] // 16 != block]
    assert kept == [item for item in cut(edited, "video", 4000) if item[0] // 16 != block]


def test_keys_depend_on_everything_that_decides_the_state() -> None:
    samples = [b"1" * 32, b"2" * 32]
    keys = {
        shard_key("image", "s1", samples), shard_key("video", "s1", samples), shard_key("image", "s2", samples),
        shard_key("image", "s1", samples[::-1]), shard_key("image", "s1", samples[:1]),
    }  # fmt: skip
    assert len(keys) == 5
    assert shard_key("image", "s1", samples) == shard_key("image", "s1", iter(samples))


def test_parameters_of_the_annotation_go_before_the_catalogues() -> None:
    catalogue = Catalogue.load()
    task = next(task for task in catalogue.tasks.values() if task.parameters)
    name = next(iter(task.parameters))
    facts = MetricFacts(task.evaluator, task.metric_id, 1, Form("text"), frozenset({name}))
    metrics = {(task.evaluator, task.metric_id): facts}
    assert plan_task(task, metrics).parameters == task.parameters
    assert plan_task(task, metrics, {"parameters": {name: "mine"}}).parameters == {**task.parameters, name: "mine"}
    assert plan_task(task, {}).facts is None


def test_box_formats_in_general_benchs_words() -> None:
    facts = MetricFacts("image", "ap_50_box", 1, Form("boxes"), frozenset({"bbox_format"}))
    for words, expected in (("(x_min,y_min,width,height)", "xywh"), ("[x1, y1, x2, y2]", "xyxy"), ("(xmin, ymin, xmax, ymax)", "xyxy")):
        assert declared_parameters({"others": {"bbox_format": words}}, facts) == {"bbox_format": expected}
    assert declared_parameters({"others": {"bbox_format": "xywh"}}, MetricFacts("image", "x", 1, Form("boxes"))) == {}
