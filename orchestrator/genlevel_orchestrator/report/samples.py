"""The file beside a report: scores of samples and bootstrap replicates of every task, so that reports alone can be compared.

It holds no ids and no content of samples; the ids of the worst ten are in the report.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs.details import SampleDetails
from genlevel_orchestrator.runs.results import RunResult

SCHEMA = "genlevel.samples"
SCHEMA_VERSION = 1
FILE_NAME = "samples.json.gz"
_REMEDY = "Write it again with `genlevel report`, or take it away to compare without it."


def write_samples(result: RunResult, details: Mapping[str, SampleDetails]) -> bytes:
    """Return the file; equal input gives equal bytes."""
    document = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "run": result.name,
        "ended": result.ended,
        "tasks": {task_id: _task(item) for task_id, item in sorted(details.items())},
    }
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return gzip.compress(text.encode("utf-8", "replace"), mtime=0)


def _task(details: SampleDetails) -> dict[str, Any]:
    return {
        "signature": details.signature,
        "samples": details.samples,
        "keys_digest": details.keys_digest,
        "scores": list(map(_number, details.scores)),
        "replicates": list(map(_number, details.replicates)),
    }


def _number(value: float) -> float | str | None:
    if math.isfinite(value):
        # Nine digits are far finer than any interval, and half the file.
        short = float(f"{value:.9g}")
        return int(short) if short.is_integer() and abs(short) < 1e9 else short
    return None if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def read_samples(path: Path, report: Mapping[str, Any]) -> dict[str, SampleDetails]:
    """Return what the file beside a report holds, by task id; nothing where there is no file.

    Raises:
        UserError: When it cannot be read, or belongs to another run.
    """
    if not path.exists():
        return {}
    try:
        document = json.loads(gzip.decompress(path.read_bytes()))
        tasks = {str(task_id): _details(item) for task_id, item in document["tasks"].items()}
    except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise UserError(f"{path} cannot be read ({type(error).__name__}: {error})", _REMEDY) from None
    if document.get("schema") != SCHEMA or document.get("schema_version") != SCHEMA_VERSION:
        raise UserError(f"{path} is no file of sample scores that this version reads", _REMEDY)
    if (document.get("run"), document.get("ended")) != (report["run"]["name"], report["run"]["ended"]):
        raise UserError(f"{path} belongs to another run than the report beside it", _REMEDY)
    return tasks


def _details(item: Mapping[str, Any]) -> SampleDetails:
    scores, replicates = (tuple(math.nan if value is None else float(value) for value in item[key]) for key in ("scores", "replicates"))
    return SampleDetails(str(item["signature"]), int(item["samples"]), str(item["keys_digest"]), scores, replicates)
