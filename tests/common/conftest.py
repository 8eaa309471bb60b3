"""Fixtures of the tests of features."""

from __future__ import annotations

from tests.common.feature_fakes import evaluator as evaluator
from tests.common.feature_fakes import files as files
from tests.common.feature_fakes import mixed as mixed
from tests.common.feature_fakes import network as network
