"""What the installed evaluators declare agrees with the catalogue."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from genlevel_orchestrator.catalogue import Catalogue, installed, installed_metrics


def test_installed_metrics_are_in_the_catalogue() -> None:
    catalogue, found = Catalogue.load(), installed_metrics()
    assert found.broken == ()
    assert {evaluator for evaluator, _ in found.pairs} == {"language", "image", "video", "audio", "three_d"}
    for evaluator, metric_id in found.pairs:
        assert evaluator in catalogue.metric(metric_id).evaluators


def test_scorable_tasks() -> None:
    catalogue, found = Catalogue.load(), installed_metrics()
    scorable = [task for task in catalogue.tasks.values() if catalogue.scorable(task, found.pairs)]
    groups = {task.group for task in scorable}
    assert len(scorable) > 400
    assert len(groups) == 9


def test_a_broken_evaluator_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("smell", "no_such_package.app:EVALUATOR", installed.GROUP)
    language = EntryPoint("language", "genlevel_language.app:EVALUATOR", installed.GROUP)
    monkeypatch.setattr(installed, "entry_points", lambda group: [broken, language])
    found = installed.installed_metrics.__wrapped__()
    assert ("language", "accuracy") in found.pairs
    assert [name for name, _ in found.broken] == ["smell"]
    assert "no_such_package" in found.broken[0][1]
