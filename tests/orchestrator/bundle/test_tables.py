"""The bundle reader's tables agree with the schemas of the evaluators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from genlevel_evaluator import formats
from genlevel_orchestrator.bundle.fields import fields, form_of

SCRIPT = Path(__file__).parents[3] / "scripts" / "kinds_table.py"


def test_the_table_of_kinds_is_up_to_date(load_module: Callable[[Path], ModuleType]) -> None:
    module = load_module(SCRIPT)
    assert module.TABLE.read_text(encoding="utf-8") == module.text(), "run python scripts/kinds_table.py"


def test_the_lists_of_keys_name_known_kinds_only() -> None:
    assert set(fields().kinds) - {"any"} <= set(formats.names())


def test_an_unknown_kind_is_what_its_evaluator_says() -> None:
    assert form_of("scent", reference_paths=True).reference_paths
    assert not form_of("scent").prediction_paths
