"""The nine sheets of the public workbook and the words its cells use for nothing."""

from __future__ import annotations

from genlevel_orchestrator.catalogue.names import name_key

# Sheet name -> (modality, paradigm), in workbook order.
SHEETS: dict[str, tuple[str, str]] = {
    "NLP": ("language", "language"),
    "Image-Comprehension": ("image", "comprehension"),
    "Image-Generation": ("image", "generation"),
    "Video-Comprehension": ("video", "comprehension"),
    "Video-Generation": ("video", "generation"),
    "Audio-Comprehension": ("audio", "comprehension"),
    "Audio-Generation": ("audio", "generation"),
    "3D-Comprehension": ("three_d", "comprehension"),
    "3D-Generation": ("three_d", "generation"),
}

# A sheet some workbooks carry beside the nine; it holds results, not scores of tasks.
LEVEL_SHEET = "level-scores"
TASK_COLUMN = "Task Name"
SOTA_COLUMN = "SoTA Performance"
FIXED_COLUMNS = ("No", TASK_COLUMN, "Task Short Name", "Metrics", SOTA_COLUMN)

# How tables write "this model does not do this task". The infinity sign and "inf" mean that too: the paper prints
# an unsupported error metric so. A truly infinite PSNR is written "+inf".
UNSUPPORTED_WORDS = frozenset({"", "∞", "inf", "infinity", "-", "–", "—", "n/a", "na", "none", "null"})
INFINITE_WORDS = frozenset({"+inf", "+infinity", "+∞"})

_BY_KEY = {name_key(name): group for name, group in SHEETS.items()}


def sheet_group(name: str) -> tuple[str, str] | None:
    """Return the modality and paradigm of a sheet name, or None when it is none of the nine."""
    return _BY_KEY.get(name_key(name))
