"""Input kinds of the language evaluator (docs/formats.md)."""

from __future__ import annotations

from genlevel_evaluator.kinds import TEXT

KINDS = {"text": TEXT}
