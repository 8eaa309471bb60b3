"""What the engine notes of each sample, as bits of the column `_flags`."""

EXPECTED = 1
"""A prediction was due."""
PRESENT = 2
"""There is one, and it could be used."""
OBSERVED = 4
"""The row carries data."""
EXCLUDED = 8
"""Left out: the reference or the evaluator is at fault."""
