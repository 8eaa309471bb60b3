"""The folders of a bundle: which of them is which task of the catalogue."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genlevel_orchestrator.bundle import named_outputs, ratings
from genlevel_orchestrator.bundle.jsonstream import SampleFile, read_envelope
from genlevel_orchestrator.bundle.media import MediaBase
from genlevel_orchestrator.bundle.violations import Fault, Violations
from genlevel_orchestrator.catalogue import Catalogue, Task
from genlevel_orchestrator.catalogue.names import modality_name, name_key, paradigm_name
from genlevel_orchestrator.errors import UserError

PREDICTIONS = ("prediction.json", "predictions.json", "json/prediction.json")
ANNOTATIONS = ("annotation.json", "annotations.json", "json/annotation.json", "json/annotation_v2.json")
_STAMPED = re.compile(r"_[0-9]{12}\Z")


@dataclass(frozen=True)
class TaskSource:
    """A task as it lies in a bundle.

    Attributes:
        predictions: prediction.json; for a task that people judge, the file of their judgements, as soon as there is one.
        annotation: annotation.json, None when the references are not there.
        label: the folder below the bundle, for messages.
        judgements: the files of judgements there are; None for a task that needs none.
        submitted: prediction.json of a task that people judge, where it has one.
        named: whether there is none, and the annotation itself names the outputs.
    """

    task: Task
    label: str
    predictions: Path
    annotation: Path | None
    prediction_base: MediaBase
    reference_base: MediaBase
    judgements: tuple[Path, ...] | None = None
    submitted: Path | None = None
    named: bool = False


@dataclass(frozen=True)
class _Folder:
    """A task folder and what its place says about it."""

    path: Path
    modality: str
    paradigm: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.modality, self.paradigm, name_key(self.path.name)


def discover(
    root: Path, references: Path | None, catalogue: Catalogue, violations: Violations, tasks: Sequence[str] = ()
) -> list[TaskSource]:
    """The tasks of a bundle in catalogue order, as far as ``tasks`` (ids, names or globs) ask for them.

    Raises:
        UserError: the bundle holds no task folder, or a name in ``tasks`` fits no task of the catalogue.
    """
    wanted = select(catalogue, tasks)
    folders = {folder.key: folder for folder in _folders(top(root), violations)}
    annotated = {f.key: f for f in _folders(top(references), violations)} if references else {}
    if not folders:
        raise UserError(
            f"{root}: no task folder found",
            "Lay the bundle out as <modality>/<paradigm>/<task>/prediction.json, language as nlp/<task>/prediction.json.",
            details=[item.__dict__ for item in violations],
        )
    found: dict[str, TaskSource] = {}
    for key, folder in folders.items():
        source = _source(folder, annotated.get(key), root, references, catalogue, violations)
        if source is None or source.task.task_id not in wanted:
            continue
        if (first := found.get(source.task.task_id)) is not None:
            violations.add(
                folder.path, "DUPLICATE_TASK", f"is {source.task.task_id}, and so is {first.label}", "keep one folder",
                task_id=source.task.task_id,
            )  # fmt: skip
            continue
        found[source.task.task_id] = source
    return [found[task_id] for task_id in catalogue.tasks if task_id in found]


def select(catalogue: Catalogue, patterns: Sequence[str]) -> frozenset[str]:
    """Ids of the tasks that ids, names or globs mean; all of them without any.

    Raises:
        UserError: a pattern fits nothing.
    """
    if not patterns:
        return frozenset(catalogue.tasks)
    chosen: set[str] = set()
    for pattern in patterns:
        if any(character in pattern for character in "*?["):
            hits = {task_id for task_id in catalogue.tasks if fnmatch.fnmatchcase(task_id, pattern.lower())}
            if not hits:
                raise UserError(f"--tasks {pattern!r} fits no task", "List ids with `genlevel catalogue tasks`.")
            chosen |= hits
        else:
            chosen.add(catalogue.task(pattern).task_id)
    return frozenset(chosen)


def top(root: Path) -> Path:
    """The folder that holds the modality folders: the root, or the single folder an archive wrapped around them."""
    for _ in range(3):
        children = [child for child in _children(root) if child.is_dir()]
        if any(modality_name(child.name) for child in children) or len(children) != 1:
            return root
        root = children[0]
    return root


def _children(folder: Path) -> Iterator[Path]:
    for child in sorted(folder.iterdir()):
        if not child.name.startswith(".") and child.name != "__MACOSX":
            yield child


def _folders(root: Path, violations: Violations) -> Iterator[_Folder]:
    for child in _children(root):
        if not child.is_dir():
            continue
        modality = modality_name(child.name)
        if child.is_symlink():
            violations.add(child, "SYMLINK", "is a link", "put the folder itself into the bundle")
        elif modality is None:
            violations.add(
                child, "UNKNOWN_MODALITY", f"{child.name!r} is no modality", "use image, video, audio, 3D or nlp",
                severity="warning",
            )  # fmt: skip
        elif modality == "language":
            yield from _languages(child, violations)
        else:
            yield from _paradigms(child, modality, violations)


def _languages(folder: Path, violations: Violations) -> Iterator[_Folder]:
    """Language has no paradigms; a bundle that divides it as the others is read all the same."""
    parts = [child for child in _children(folder) if child.is_dir() and name_key(child.name) in ("comprehension", "generation")]
    for place in (folder, *parts):
        for task in _tasks(place, "language", "language", violations):
            if task.path not in parts:
                yield task


def _paradigms(folder: Path, modality: str, violations: Violations) -> Iterator[_Folder]:
    for child in _children(folder):
        if not child.is_dir():
            continue
        paradigm = paradigm_name(child.name, modality)
        if paradigm not in ("comprehension", "generation"):
            violations.add(
                child, "UNKNOWN_PARADIGM", f"{child.name!r} is neither comprehension nor generation",
                f"put task folders into {modality}/comprehension or {modality}/generation",
            )  # fmt: skip
            continue
        yield from _tasks(child, modality, paradigm, violations)


def _tasks(folder: Path, modality: str, paradigm: str, violations: Violations) -> Iterator[_Folder]:
    for child in _children(folder):
        if child.is_symlink():
            violations.add(child, "SYMLINK", "is a link", "put the folder itself into the bundle")
        elif child.is_dir():
            yield _Folder(child, modality, paradigm)


def _source(
    folder: _Folder,
    annotated: _Folder | None,
    root: Path,
    references: Path | None,
    catalogue: Catalogue,
    violations: Violations,
) -> TaskSource | None:
    predictions = _first(folder.path, PREDICTIONS) or _stamped(folder.path)
    holder = annotated.path if annotated is not None else folder.path
    annotation = _annotation(holder, violations) or _annotation(folder.path, violations)
    if predictions is None and annotation is None:
        violations.add(
            folder.path, "EMPTY_TASK", "neither prediction.json nor annotation.json", "add them, or remove the folder",
            severity="warning",
        )  # fmt: skip
        return None
    task = _resolve(folder, annotation or predictions, catalogue, violations)
    if task is None:
        return None
    judgements = ratings.files(task.metric_id, holder, folder.path)
    main = judgements[0] if judgements else predictions
    beside = MediaBase(root, annotation.parent if annotation is not None and annotation.is_relative_to(folder.path) else folder.path)
    named = main is None and annotation is not None and named_outputs.submitted(annotation, task.metric_id, beside)
    if named:
        main = annotation
    if main is None:
        violations.add(
            folder.path, "NO_PREDICTIONS", "there is no prediction.json; the task counts as not submitted", "add it, if the model does the task",
            severity="warning", task_id=task.task_id,
        )  # fmt: skip
        return None
    base = beside if named else MediaBase(root, (predictions or main).parent)
    own = annotation is None or annotation.is_relative_to(folder.path)
    reference_root = root if own or references is None else references
    reference_base = MediaBase(reference_root, annotation.parent if annotation else holder)
    submitted = predictions if judgements is not None else None
    return TaskSource(task, violations.shown(folder.path), main, annotation, base, reference_base, judgements, submitted, named)


def _first(folder: Path, names: Sequence[str]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _stamped(folder: Path) -> Path | None:
    """The last file named as the public audio predictor names its answers: ``<task>_<yymmddHHMMSS>.json``."""
    found = [path for path in sorted(folder.glob("*.json")) if _STAMPED.search(path.stem)]
    return found[-1] if found else None


def _annotation(folder: Path, violations: Violations) -> Path | None:
    """The annotation under any of the names public bundles use: a known one, the folder's, or the first other JSON file."""
    if (known := _first(folder, ANNOTATIONS)) is not None:
        return known
    others = [path for path in sorted(folder.glob("*.json")) if path.name not in PREDICTIONS and not _STAMPED.search(path.stem)]
    named = [path for path in others if name_key(path.stem) == name_key(folder.name)]
    if named or len(others) < 2:
        return next(iter(named or others), None)
    held = [path for path in others if _holds_samples(path)]
    if len(held) > 1:
        violations.add(
            held[0], "SEVERAL_ANNOTATIONS", f"{len(held)} files may be the annotation; the first by name counts",
            "name it annotation.json", severity="warning",
        )  # fmt: skip
    return next(iter(held), None)


def _holds_samples(path: Path) -> bool:
    """Whether a file is an object with a list ``data``, as annotations are."""
    file = SampleFile(path)
    try:
        return next(iter(file.scan()), None) is not None and file.prefix != ""
    except Fault:
        return False


def _resolve(folder: _Folder, file: Path | None, catalogue: Catalogue, violations: Violations) -> Task | None:
    """The task, by the annotation's own name for it where that is known, else by the folder's."""
    by_folder, problem = _lookup(catalogue, folder, folder.path.name)
    named: Task | None = None
    name = _declared(file)
    if isinstance(name, str) and name.strip():
        named = _lookup(catalogue, folder, name)[0] or _lookup(catalogue, folder, name.strip().removesuffix("id"))[0]
    if named is not None and by_folder is not None and named is not by_folder:
        violations.add(
            file or folder.path, "TASK_NAME_MISMATCH", f"says {named.name!r}, the folder {by_folder.name!r}; the file counts",
            "give both one name", pointer="/task", severity="warning", task_id=named.task_id,
        )  # fmt: skip
    task = named or by_folder
    if task is None and problem is not None:
        violations.add(folder.path, "UNKNOWN_TASK", problem.message, problem.remedy or "see `genlevel catalogue tasks`")
    return task


def _lookup(catalogue: Catalogue, folder: _Folder, name: str) -> tuple[Task | None, UserError | None]:
    try:
        return catalogue.resolve_task(folder.modality, folder.paradigm, name), None
    except UserError as error:
        return None, error


def _declared(file: Path | None) -> Any:
    if file is None:
        return None
    try:
        return read_envelope(file).get("task")
    except Fault:
        return None  # the reader of the samples will say what is wrong with the file
