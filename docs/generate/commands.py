"""One page for each command, from its own `--help`."""

from __future__ import annotations

import re

import typer
from nbcertify.cli import app as nbcertify
from nbjudge.cli.app import app as nbjudge
from typer.cli import get_docs_for_click

from dlcourse.cli import app as dlcourse

COMMANDS = {"nbjudge": nbjudge, "nbcertify": nbcertify, "dlcourse": dlcourse}


def page(name: str) -> str:
    """The page of the command `name`, as Markdown."""
    command = typer.main.get_command(COMMANDS[name])
    context = command.context_class(command, info_name=name)
    text = get_docs_for_click(obj=command, ctx=context, name=name)
    text = re.sub(r"^(#+) `(.*)`$", r"\1 \2", text, flags=re.MULTILINE)
    for sub in getattr(command, "commands", {}).values():
        # The list has the beginning of what a command does, cut off as in a terminal.
        said = (sub.help or "").partition("\n\n")[0].replace("\n", " ")
        line = rf"^\* `{re.escape(sub.name)}`: .*$"
        linked = f"* [`{sub.name}`](#{name}-{sub.name}): {said}"
        text = re.sub(line, lambda _, linked=linked: linked, text, count=1, flags=re.MULTILINE)
    return f"<!-- Generated from `{name} --help`. -->\n\n{text}"
