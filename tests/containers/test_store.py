"""Media by reference in a bucket, and streamed: the same scores as from a shared volume."""

from __future__ import annotations

from typing import Any

from container_system.scores import assert_equal_scores
from container_system.single import execute
from container_system.system import QUICK, System

OBJECTS = "find /var/lib/genlevel/store/genlevel -type f | wc -l"


def test_media_through_a_bucket(extended: System, reference: dict[str, Any]) -> None:
    extended.forget()
    assert_equal_scores(extended.run("bucket", QUICK), reference, QUICK)
    stored = int(execute(extended.project.container("store"), "sh", "-c", OBJECTS))
    assert stored >= 40, f"{stored} objects: the media of the tasks with files go through the bucket"


def test_media_in_streams(extended: System, reference: dict[str, Any]) -> None:
    before = execute(extended.project.container("store"), "sh", "-c", OBJECTS)
    extended.without_media_store()
    extended.forget()
    assert_equal_scores(extended.run("streams", QUICK), reference, QUICK)
    assert execute(extended.project.container("store"), "sh", "-c", OBJECTS) == before
