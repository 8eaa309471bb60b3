"""Renews the generated part of docs/formats.md from the schema files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from genlevel_evaluator import formats

BEGIN = "<!-- kinds: begin (python -m genlevel_evaluator.formats docs/formats.md) -->"
END = "<!-- kinds: end -->"


def render() -> str:
    """All kinds as Markdown: a table, then a section a kind."""
    lines = ["| kind | group | a string is | metrics |", "|---|---|---|---|"]
    lines += [_table_row(name) for name in formats.names()]
    group = ""
    for name in formats.names():
        if formats.facts(name)["group"] != group:
            group = formats.facts(name)["group"]
            lines += ["", f"### {group}"]
        lines += ["", *_section(name)]
    return "\n".join(lines)


def _table_row(name: str) -> str:
    facts = formats.facts(name)
    return f"| [`{name}`](#{name}) | {facts['group']} | {_strings(name)} | {', '.join(facts['metrics'])} |"


def _strings(name: str) -> str:
    prediction, reference = (formats.strings_are_paths(name, side) for side in ("prediction", "reference"))
    if prediction == reference:
        return "a path" if prediction else "the answer"
    return "a path in predictions, the answer in references"


def _section(name: str) -> list[str]:
    document, facts = formats.document(name), formats.facts(name)
    lines = [f"#### {name}", "", f"{document['title']}. {document['description']}", ""]
    lines.append(f"- A string is {_strings(name)}. Units: {facts.get('units', 'none')}.")
    if formats.media_pointers(name):
        lines.append("- Files inside: " + ", ".join(f"`{pointer}`" for pointer in formats.media_pointers(name)) + ".")
    lines += [f"- {rule}" for rule in facts.get("rules", ())]
    lines += [f"- Attribute `{key}`: {text}." for key, text in facts.get("attributes", {}).items()]
    url = f"../services/common/genlevel_evaluator/formats/{name}.schema.json"
    lines += [f"- Schema: [`{name}.schema.json`]({url})", "", "```jsonl"]
    lines += [_example(index, example) for index, example in enumerate(facts["examples"], 1)]
    return [*lines, "```"]


def _example(index: int, example: dict[str, Any]) -> str:
    return json.dumps({"id": str(index), **example}, ensure_ascii=False)


def renew(text: str) -> str:
    """The document with its generated part renewed."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{render()}\n\n{END}{after}"


def main() -> None:
    """Rewrites the file named on the command line."""
    path = Path(sys.argv[1])
    path.write_text(renew(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
