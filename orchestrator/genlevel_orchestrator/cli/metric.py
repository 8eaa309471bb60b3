"""``genlevel metric``: one metric on a file of samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from genlevel_orchestrator.cli.output import print_json, print_lines
from genlevel_orchestrator.errors import ExitCode, UserError
from genlevel_orchestrator.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add the command ``metric``."""
    app.command("metric")(metric)


def metric(
    name: Annotated[str, typer.Argument(metavar="ID", help="Metric id, such as rouge_l_f.")],
    samples: Annotated[Path, typer.Option(help="JSON lines of samples (docs/formats.md).")],
    evaluator: Annotated[str | None, typer.Option(help="Evaluator, where several have the metric.")] = None,
    param: Annotated[list[str] | None, typer.Option("--param", help="Parameter as name=value; may be repeated.")] = None,
    root: Annotated[Path | None, typer.Option(help="Folder that media may lie in; the file's own by default.")] = None,
    sample_scores: Annotated[
        Path | None, typer.Option("--sample-scores", help="Write the value of each sample to this file, as JSON lines of id and value.")
    ] = None,
    in_process: Annotated[bool, typer.Option("--in-process", help="A local evaluator, whatever the settings say.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score one metric on a file of samples."""
    from genlevel_orchestrator.cli.run import run_until_interrupted
    from genlevel_orchestrator.runs.single import MetricRequest, score_file

    settings = load_settings()
    canonical, owner = resolve(name, evaluator)
    request = MetricRequest(canonical, owner, parameters(param or []), samples, root, sample_scores)
    mode = "configured" if owner in settings.evaluators and not in_process else "bare"
    result = run_until_interrupted(score_file(settings, request, "configured" if mode == "configured" else "bare"))
    if as_json:
        print_json(result)
    else:
        _print(result)
    if result["value"] is None and any(issue["severity"] == "infrastructure" for issue in result["issues"]):
        raise typer.Exit(int(ExitCode.TASKS_FAILED))


def resolve(name: str, evaluator: str | None) -> tuple[str, str]:
    """Canonical id and evaluator of a metric.

    Raises:
        UserError: the catalogue has no such metric, or the evaluator does not own it.
    """
    from genlevel_orchestrator.catalogue import Catalogue

    found = Catalogue.load().metric(name)
    owners = found.evaluators
    if evaluator is None:
        return found.metric_id, owners[0]
    if evaluator not in owners:
        raise UserError(f"evaluator {evaluator!r} does not compute {found.metric_id}", f"Use one of: {', '.join(owners)}.")
    return found.metric_id, evaluator


def parameters(pairs: list[str]) -> dict[str, Any]:
    """Parameters given as ``name=value``; a value that is JSON is taken as such, anything else as text.

    >>> parameters(["tokenizer=coco", "beta=0.5", "strict=true"])
    {'tokenizer': 'coco', 'beta': 0.5, 'strict': True}

    Raises:
        UserError: one is not of that form.
    """
    from genlevel_orchestrator.bundle.strictjson import decode
    from genlevel_orchestrator.bundle.violations import Fault

    found: dict[str, Any] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise UserError(f"--param {pair!r} is not name=value", "Write, for example, --param tokenizer=coco.")
        try:
            found[name] = decode(value.encode())
        except Fault:
            found[name] = value
        except UnicodeEncodeError:
            raise UserError(f"--param {name}: the value is not UTF-8", "Write it in UTF-8.") from None
    return found


def _shown(value: float | str | None) -> str:
    return "undefined" if value is None else value if isinstance(value, str) else f"{value:.6g}"


def _print(result: dict[str, Any]) -> None:
    value = result["value"]
    print_lines([f"{result['metric']}: {_shown(value)} {result['unit'] if value is not None else '(' + result['reason'] + ')'}"])
    print_lines([f"samples: {result['n']}", f"signature: {result['signature']}"])
    if not result["comparable"]:
        print_lines(["not comparable with published values: computed by a stand-in network"])
    if result["warnings"]:
        print_lines(["warnings: " + ", ".join(result["warnings"])])
    if value is not None and any(issue["severity"] == "infrastructure" for issue in result["issues"]):
        print_lines(["provisional: samples below could not be scored for no fault of theirs; the value is that of the others"])
    if result["worst"]:
        print_lines(["worst: " + ", ".join(f"{item['id']} ({_shown(item['value'])})" for item in result["worst"])])
    for issue in result["issues"]:
        file = issue["file"] if issue["file"] not in issue["message"] else ""
        line = f"sample {issue['sample_id']}: {issue['severity']}: {issue['code']}: {file and file + ': '}{issue['message']}"
        print_lines([line + (f"; {issue['remedy']}" if issue["remedy"] else "")])
