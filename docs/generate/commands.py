"""One page for each command, from its own `--help`."""

from __future__ import annotations

import re

import typer
from nbcertify.cli import app as nbcertify
from nbhandin.cli import app as nbhandin
from nbjudge.cli.app import app as nbjudge
from typer.cli import get_docs_for_click

from dlcourse.cli import app as dlcourse

COMMANDS = {"nbjudge": nbjudge, "nbcertify": nbcertify, "nbhandin": nbhandin, "dlcourse": dlcourse}


def page(name: str) -> str:
    """The page of the command `name`, as Markdown."""
    command = typer.main.get_command(COMMANDS[name])
    context = command.context_class(command, info_name=name)
    text = get_docs_for_click(obj=command, ctx=context, name=name)
    text = re.sub(r"^(#+) `(.*)`$", r"\1 \2", text, flags=re.MULTILINE)
    lines = {
        # The list has the beginning of what a command does, cut off as in a terminal.
        f"* `{sub.name}`: ": f"* [`{sub.name}`](#{name}-{sub.name}): {_summary(sub.help)}"
        for sub in getattr(command, "commands", {}).values()
    }
    text = "\n".join(
        next((whole for start, whole in lines.items() if line.startswith(start)), line)
        for line in text.splitlines()
    )
    return f"<!-- Generated from `{name} --help`. -->\n\n{text}"


def _summary(help: str | None) -> str:
    return (help or "").partition("\n\n")[0].replace("\n", " ")
