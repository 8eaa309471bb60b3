"""The frame of the command line: lazy loading, help, one path for errors, documented exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from genlevel_orchestrator.cli import main
from genlevel_orchestrator.cli.main import COMMANDS, run_command
from genlevel_orchestrator.errors import ExitCode, UserError


def failing(error: BaseException) -> typer.Typer:
    """An application whose command ``boom`` raises."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.callback()(lambda: None)

    @app.command()
    def boom(as_json: bool = typer.Option(False, "--json")) -> None:
        raise error

    return app


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--help"]) == 0
    text = capsys.readouterr().out
    for name in ("catalogue", "levels", "rank"):
        assert name in text


def test_no_arguments_print_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([]) == 0
    assert "Usage: genlevel" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--version"]) == 0
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_help_imports_no_heavy_library() -> None:
    program = (
        "import sys\n"
        "from genlevel_orchestrator.cli.main import run_command\n"
        "run_command(['--help'])\n"
        "heavy = {'torch', 'ray', 'grpc', 'numpy', 'sqlalchemy', 'openpyxl'} & set(sys.modules)\n"
        "commands = [n for n in sys.modules if n.startswith('genlevel_orchestrator.cli.') and n.endswith('.levels')]\n"
        "print('loaded:', sorted(heavy), commands)\n"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert output.stdout.splitlines()[-1] == "loaded: [] []"


def test_catalogue_and_levels_import_neither_torch_nor_ray() -> None:
    program = (
        "import sys\n"
        "from genlevel_orchestrator.cli.main import run_command\n"
        "run_command(['catalogue', 'tasks', '--json'])\n"
        "run_command(['rank', 'published', '--json'])\n"
        "print('loaded:', sorted({'torch', 'ray', 'grpc'} & set(sys.modules)), file=sys.stderr)\n"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert output.stderr.splitlines()[-1] == "loaded: []"


@pytest.mark.parametrize("name", [name for name, (module, _) in COMMANDS.items() if main._exists(module)])
def test_every_installed_command_loads_and_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([name, "--help"]) == 0
    assert f"genlevel {name}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["levels"], ["levels", "x.csv"], ["catalogue", "tasks", "--colour"], ["levels", "a", "b", "c"]],
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(arguments) == ExitCode.BAD_INPUT
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert "remedy: Run `genlevel" in captured.err
    assert run_command([*arguments, "--json"]) == ExitCode.BAD_INPUT
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["code"], error["exit_code"]) == ("BAD_INPUT", 2)


@pytest.mark.parametrize("code", list(ExitCode))
def test_user_errors_end_in_their_code(
    code: ExitCode, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = UserError("the file is odd", "mend it", exit_code=code, details={"row": 3})
    monkeypatch.setattr(main, "app", failing(error))
    assert run_command(["boom"]) == code
    captured = capsys.readouterr()
    assert captured.err == "error: the file is odd\nremedy: mend it\n"
    assert run_command(["boom", "--json"]) == code
    body = {"message": "the file is odd", "remedy": "mend it", "code": code.name, "exit_code": int(code)}
    assert json.loads(capsys.readouterr().out) == {"error": {**body, "details": {"row": 3}}}


def test_unforeseen_faults_keep_their_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "app", failing(ZeroDivisionError("oh")))
    assert run_command(["boom"]) == ExitCode.UNEXPECTED
    captured = capsys.readouterr()
    assert "Traceback" in captured.err
    assert "error: unexpected ZeroDivisionError: oh" in captured.err
    assert run_command(["boom", "--json"]) == ExitCode.UNEXPECTED
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]["code"] == "UNEXPECTED"
    assert captured.err == ""


def test_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(main, "app", failing(KeyboardInterrupt()))
    assert run_command(["boom"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_exit_status_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main, "app", failing(typer.Exit(4)))
    assert run_command(["boom"]) == 4


def test_a_closed_pipe_is_no_error() -> None:
    genlevel = Path(sys.executable).with_name("genlevel")
    command = f"{genlevel} catalogue tasks --json | head -1"
    output = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert output.stdout == "[\n"
    assert output.stderr == ""


def test_exit_codes_are_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    documented = {int(number): name for number, name in re.findall(r"^\| (\d+) \| (\w+) \|", text, re.MULTILINE)}
    assert documented == {int(code): code.name for code in ExitCode}
