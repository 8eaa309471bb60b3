"""Whether something moves in a clip, shown beside scores that a still clip gets for nothing.

Flow is DIS, at about eight frames a second: of the metric dynamic_degree. A clip it cannot look at, such as one without a frame rate, is not
counted here, and its score stands all the same.
"""

from __future__ import annotations

import math

import numpy as np

from genlevel_evaluator.metric import Sample
from genlevel_evaluator.states import Column, Rows
from genlevel_video.metrics.dynamic_degree import row_of

NETWORK = "dis"
COLUMNS = {"dynamic": Column("f8")}
MISSING = {"dynamic": math.nan}


def row(sample: Sample) -> dict[str, float]:
    """1 where the clip is dynamic, 0 where not, NaN where it is not known."""
    pairs = sample.features.get((NETWORK, "prediction"))
    return MISSING if pairs is None or not len(pairs) else {"dynamic": float(row_of(pairs)["dynamic"])}


def companions(rows: Rows) -> dict[str, float]:
    """Percent of dynamic clips among those that could be looked at."""
    known = rows.column("dynamic")
    known = known[~np.isnan(known)]
    return {"dynamic_degree": 100.0 * math.fsum(known) / len(known)} if len(known) else {}
