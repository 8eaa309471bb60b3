"""Checking a bundle without scoring it: every violation at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genlevel_orchestrator.bundle.content import PRESENCES, Reader, Sample
from genlevel_orchestrator.bundle.fields import Form, fields, raw_id
from genlevel_orchestrator.bundle.jsonstream import SampleFile
from genlevel_orchestrator.bundle.layout import TaskSource
from genlevel_orchestrator.bundle.media import MediaBase, MediaFolder
from genlevel_orchestrator.bundle.mediacheck import check_whole
from genlevel_orchestrator.bundle.samples import FileFault, RawSample, TaskSamples
from genlevel_orchestrator.bundle.violations import Fault, Violations


def validate_task(source: TaskSource, form: Form | None, violations: Violations) -> int:
    """Note everything wrong with a task; returns the number of its samples.

    Args:
        form: how its metric reads samples; None when no evaluator for it is installed, then contents are not looked at.
    """
    task_id = source.task.task_id
    _submitted(source, violations)
    try:
        samples = TaskSamples(source).load(violations)
        if form is None:
            violations.add(
                source.label, "NOT_SCORABLE", f"no evaluator installed here computes {source.task.metric_id}; contents were not checked",
                "install the evaluator, or leave it to the run", severity="warning", task_id=task_id,
            )  # fmt: skip
            return len(samples.keys)
        _contents(source, samples, form, violations)
    except FileFault as error:
        file = source.predictions if error.side == "predictions" else source.annotation
        severity = "warning" if error.fault.code == "NO_RATINGS" else "error"
        violations.fault(file or source.label, error.fault, task_id=task_id, severity=severity)
        return 0
    return len(samples.keys)


def _contents(source: TaskSource, samples: TaskSamples, form: Form, violations: Violations) -> None:
    assert source.annotation is not None
    names = (violations.shown(source.predictions), violations.shown(source.annotation))
    reader = Reader(
        form, source.prediction_base.unhashed(), source.reference_base.unhashed(), str(samples.envelope.get("type", "")), names,
        envelope=samples.envelope,
    )  # fmt: skip
    without = 0
    for raw in samples.read(0, len(samples.keys)):
        _presence(raw, names[1], source.task.task_id, violations)
        sample, issues = reader.read(raw)
        for issue in issues:
            violations.add(
                issue.file, issue.code, issue.message, issue.remedy,
                pointer=issue.pointer, task_id=source.task.task_id, sample_id=raw.key,
            )  # fmt: skip
        if sample is None:
            continue
        without += not sample.references and not form.set_metric and not form.reference_free
        _files(sample, source, names, violations)
    if without:
        violations.add(
            names[1], "NO_REFERENCE", f"{without} of {len(samples.keys)} samples have no reference", "add them, or pass --references DIR",
            task_id=source.task.task_id,
        )  # fmt: skip


def _submitted(source: TaskSource, violations: Violations) -> None:
    """Look at the media of a task that people judge: they are what was judged, though no evaluator reads them."""
    if source.submitted is None:
        return
    base = source.prediction_base.unhashed()
    try:
        for element in SampleFile(source.submitted).scan():
            _output(element.value, source, base, violations)
    except Fault as fault:
        violations.fault(source.submitted, fault, task_id=source.task.task_id)


def _output(entry: Any, source: TaskSource, base: MediaBase, violations: Violations) -> None:
    value = next((entry[name] for name in fields().prediction if entry.get(name) is not None), None) if isinstance(entry, Mapping) else None
    if not isinstance(value, str):
        return
    try:
        found = base.open(value, folders=True)
        for file in found.files if isinstance(found, MediaFolder) else (found,):
            if file.path is not None:
                check_whole(file.path)
    except Fault as fault:
        assert source.submitted is not None
        violations.fault(source.submitted, fault, task_id=source.task.task_id, sample_id=str(raw_id(entry)[1]))


def _presence(raw: RawSample, name: str, task_id: str, violations: Violations) -> None:
    presence = raw.annotation.get("presence")
    if presence is not None and presence not in PRESENCES:
        violations.add(
            name, "BAD_PRESENCE", f"presence {presence!r} is unknown", f"write one of {', '.join(PRESENCES)}",
            pointer=raw.annotation_pointer + "/presence", task_id=task_id, sample_id=raw.key,
        )  # fmt: skip


def _files(sample: Sample, source: TaskSource, names: tuple[str, str], violations: Violations) -> None:
    sides = [(names[0], sample.prediction), *((names[1], reference) for reference in sample.references)]
    for name, content in sides:
        for file in content.files() if content is not None else ():
            if file.path is None:
                continue
            try:
                check_whole(file.path)
            except Fault as fault:
                violations.fault(file.path, fault, task_id=source.task.task_id, sample_id=sample.key)
            except OSError as error:
                violations.add(
                    name, "MEDIA_MISSING", f"{file.name}: {error.strerror}", "make the file readable",
                    task_id=source.task.task_id, sample_id=sample.key,
                )  # fmt: skip
