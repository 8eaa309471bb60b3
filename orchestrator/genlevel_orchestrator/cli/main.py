"""Entry point of ``genlevel``: loads only the module of the command that was typed.

A command lives in a module of this package that defines ``register(app: typer.Typer) -> None``. Its line in
``COMMANDS`` gives the name, the module and the help shown by ``genlevel --help``, so that help needs no import.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import typer

# typer carries its own click; the exceptions it raises are those, not the ones of an installed click.
from typer._click import Command, Context
from typer._click.exceptions import ClickException, NoArgsIsHelpError, UsageError
from typer.core import TyperCommand, TyperGroup

from genlevel_orchestrator.errors import ExitCode, UserError

PACKAGE = "genlevel_orchestrator.cli"

# name -> (module of this package, one line of help); the order is the order of the help page.
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Score the predictions of a bundle and print the levels."),
    "runs": ("runs", "List, show, watch, cancel or resume runs."),
    "report": ("report", "Write the report of a run again."),
    "compare": ("compare", "Compare two runs task by task."),
    "metric": ("metric", "Score one metric on a file of samples."),
    "levels": ("levels", "Compute levels 2 to 5 from a file of scores."),
    "rank": ("rank", "Rank the published models from their published scores."),
    "validate": ("validate", "Check a bundle and list every violation."),
    "catalogue": ("catalogue", "Print the tasks and metrics of General-Bench."),
    "serve": ("serve", "Serve the evaluators and the orchestrator on this machine."),
    "probe": ("probe", "Ask a health port whether it is live or ready."),
    "weights": ("weights", "List, fetch or verify backbone weights."),
    "doctor": ("doctor", "Check that this machine has what GenLevel needs."),
}


class LazyGroup(TyperGroup):
    """Imports a command's module when the command is typed, never before."""

    def list_commands(self, ctx: Context) -> list[str]:
        """Return the commands whose modules are installed."""
        return [name for name, (module, _) in COMMANDS.items() if _exists(module)]

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """Return a light stand-in while help is being printed, else the real command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None or not _exists(entry[0]):
            return None
        if ctx.meta.get("genlevel.resolving"):
            return load_command(cmd_name)
        return TyperCommand(cmd_name, help=entry[1])

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Load the module of the command that was typed."""
        ctx.meta["genlevel.resolving"] = True
        return super().resolve_command(ctx, args)


def _exists(module: str) -> bool:
    return importlib.util.find_spec(f"{PACKAGE}.{module}") is not None


def load_command(name: str) -> Command:
    """Import the module of a command and return the command it registers under ``name``."""
    module_name, help_text = COMMANDS[name]
    module = importlib.import_module(f"{PACKAGE}.{module_name}")
    registry = typer.Typer(pretty_exceptions_enable=False)
    # A callback keeps typer from collapsing a registry with a single command into that command.
    registry.callback()(lambda: None)
    module.register(registry)
    group = typer.main.get_group(registry)
    command = group.commands[name]
    command.help = command.help or help_text
    return command


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Score multimodal generalists on General-Bench: predictions in, General-Level scores out.",
)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and leave."),
) -> None:
    if version:
        from genlevel_orchestrator import __version__

        typer.echo(__version__)
        raise typer.Exit()


def report_error(error: dict[str, Any], as_json: bool) -> None:
    """Print an error: one JSON object on standard output under ``--json``, else plain lines on standard error."""
    if as_json:
        print(json.dumps({"error": error}, ensure_ascii=False, default=str))
        return
    print(f"error: {error['message']}", file=sys.stderr)
    if error.get("remedy"):
        print(f"remedy: {error['remedy']}", file=sys.stderr)


def _click_error(error: ClickException) -> dict[str, Any]:
    context = error.ctx if isinstance(error, UsageError) else None
    remedy = f"Run `{context.command_path} --help`." if context is not None else None
    return UserError(error.format_message(), remedy=remedy).to_dict()


def _run(arguments: list[str]) -> int:
    """Run the command; return click's exit status (typer.Exit arrives here as a return value)."""
    status = app(args=arguments, prog_name="genlevel", standalone_mode=False)
    return int(status) if isinstance(status, int) else int(ExitCode.OK)


def run_command(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; every error passes through here."""
    words = list(arguments)
    as_json = "--json" in words
    try:
        return _run(words)
    except UserError as error:
        report_error(error.to_dict(), as_json)
        return int(error.exit_code)
    except NoArgsIsHelpError as error:
        text = error.ctx.get_help() if error.ctx is not None else ""
        print(text, end="")  # empty when rich has printed the page already
        return int(ExitCode.OK if not words else ExitCode.BAD_INPUT)
    except ClickException as error:
        report_error(_click_error(error), as_json)
        return int(ExitCode.BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        report_error(UserError("interrupted", exit_code=ExitCode.INTERRUPTED).to_dict(), as_json)
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe (head, less) left; that is no failure of ours.
        sys.stdout = None
        return int(ExitCode.OK)
    except Exception as error:
        if not as_json:
            traceback.print_exc()
        unexpected = UserError(
            f"unexpected {type(error).__name__}: {error}",
            remedy="This is a fault of GenLevel; report it with the command and the traceback.",
            exit_code=ExitCode.UNEXPECTED,
        )
        report_error(unexpected.to_dict(), as_json)
        return int(ExitCode.UNEXPECTED)


def main() -> None:
    """Console script."""
    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
