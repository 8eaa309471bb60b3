"""Runs as a whole: made, executed, resumed, cancelled. What the command line and the gRPC server both use."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from genlevel_orchestrator.bundle.archive import open_bundle
from genlevel_orchestrator.bundle.layout import TaskSource, discover, select
from genlevel_orchestrator.bundle.violations import Violations
from genlevel_orchestrator.catalogue import Catalogue
from genlevel_orchestrator.errors import UserError
from genlevel_orchestrator.runs.database import DatabaseAway
from genlevel_orchestrator.runs.evaluators import Mode, open_evaluators
from genlevel_orchestrator.runs.journal import Journal, RunTaken
from genlevel_orchestrator.runs.patience import Patience
from genlevel_orchestrator.runs.records import RunRecord, RunSpec
from genlevel_orchestrator.runs.results import VIOLATIONS_KEPT, RunResult, RunState, to_plain
from genlevel_orchestrator.runs.runner import INTERRUPTED, Listener, Runner
from genlevel_orchestrator.settings import Settings


@dataclass(frozen=True)
class OpenedBundle:
    """A bundle ready to be read.

    Attributes:
        roots: folders its media lie in.
    """

    sources: tuple[TaskSource, ...]
    roots: tuple[Path, ...]
    violations: Violations


def open_sources(
    catalogue: Catalogue, bundle: Path, references: Path | None, tasks: Sequence[str], work: Path, keep: int | None = VIOLATIONS_KEPT
) -> OpenedBundle:
    """Open a bundle: unpack it below ``work`` where it is a zip, and find its tasks.

    Raises:
        UserError: it cannot be used as a bundle.
    """
    root = open_bundle(bundle, work)
    reference_root = open_bundle(references, work, "references") if references else None
    violations = Violations(root, keep)
    sources = discover(root, reference_root, catalogue, violations, tasks)
    return OpenedBundle(tuple(sources), tuple(path for path in (root, reference_root) if path), violations)


class RunService:
    """Makes and executes runs.

    Args:
        settings: where the journal lies and how work is handed out.
        catalogue: the tasks; the packaged ones by default.
        journal: an open one; that of the settings by default.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue | None = None, journal: Journal | None = None) -> None:
        self.settings = settings
        self.catalogue = catalogue or Catalogue.load()
        self.journal = journal or Journal(settings)

    def close(self) -> None:
        """Close the journal."""
        self.journal.close()

    def work_folder(self, name: str) -> Path:
        """The folder of a run's own files."""
        return self.settings.state / "runs" / name

    def report_folder(self, record: RunRecord) -> Path:
        """Where the report of a run lies."""
        return Path(record.spec.output) if record.spec.output else self.work_folder(record.name) / "report"

    def create(self, spec: RunSpec) -> RunRecord:
        """Make a run, or find the one of the same ``request_id``.

        Raises:
            UserError: a name in ``tasks`` is unknown, or there is no such bundle.
        """
        if not spec.model.strip():
            raise UserError("the model has no name", "Pass --model NAME.")
        select(self.catalogue, spec.tasks)
        for path in (spec.bundle, spec.references):
            if path is not None and not Path(path).exists():
                raise UserError(f"{path}: no such bundle", "Give a folder or a zip file.")
        return self.journal.create(spec)

    async def execute(self, name: str, mode: Mode, listener: Listener = lambda _: None) -> RunResult:
        """Execute a run, new or begun before: shards in the journal are not scored again.

        Raises:
            UserError: the bundle cannot be used, or another process is at work on the run.
            RunCancelled: someone asked it to stop.
            DatabaseAway: the journal's database stayed away for too long.
            RunTaken: another process goes on with the run.
        """
        patience = Patience(self.journal.retry_seconds)
        record = await patience(self.journal.claim, name)
        try:
            result = await self._execute(record, mode, listener)
        except (DatabaseAway, RunTaken):
            raise  # the run is not ours to end
        except UserError as error:
            await patience(self.journal.finish, name, RunState.FAILED, error.message, None)
            raise
        except BaseException:
            patience.hurry()
            await asyncio.shield(patience(self._interrupt, name))
            raise
        await asyncio.to_thread(self._tidy, name)
        return result

    def _interrupt(self, name: str) -> None:
        if not self.journal.run(name).state.ended:
            self.journal.finish(name, RunState.INTERRUPTED, INTERRUPTED, None)

    async def _execute(self, record: RunRecord, mode: Mode, listener: Listener) -> RunResult:
        spec, work = record.spec, self.work_folder(record.name)
        references = Path(spec.references) if spec.references else None
        opened = await asyncio.to_thread(
            open_sources, self.catalogue, Path(spec.bundle), references, spec.tasks, work
        )
        if not opened.sources:
            raise _nothing_to_score(spec, opened.violations)
        names = {source.task.evaluator for source in opened.sources}
        async with open_evaluators(self.settings, names, opened.roots, mode, work / "evaluators.log") as evaluators:
            runner = Runner(
                record, self.journal, self.catalogue, opened.sources, evaluators, opened.violations, listener
            )
            return await runner.run()

    def _tidy(self, name: str) -> None:
        """Remove what was unpacked; a run that can be resumed keeps it."""
        for folder in ("bundle", "references"):
            shutil.rmtree(self.work_folder(name) / folder, ignore_errors=True)


def _nothing_to_score(spec: RunSpec, violations: Violations) -> UserError:
    """No task is left: better an error that says why than an empty run."""
    lines = "".join(f"\n  {item.file}: {item.message}; {item.remedy}" for item in list(violations)[:10])
    chosen = f" that {', '.join(spec.tasks)} asks for" if spec.tasks else ""
    return UserError(
        f"{spec.bundle} holds no task with predictions{chosen}{lines}", "Check it with `genlevel validate`.",
        details=[to_plain(item) for item in violations],
    )  # fmt: skip


def temporary_work() -> tempfile.TemporaryDirectory[str]:
    """A private folder for work that leaves nothing behind."""
    return tempfile.TemporaryDirectory(prefix="genlevel-")
