"""What the documentation names is there: commands with their options, settings, files, checks."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
import typer
from documentation.pages import ROOT, fences, pages
from markdown_it import MarkdownIt
from nbcertify.cli import app as nbcertify
from nbhandin.cli import app as nbhandin
from nbhandin.settings import HandIn
from nbjudge.cli.app import app as nbjudge
from nbjudge.course.settings import Grading
from traitlets.config import Config

from dlcourse.cli import app as dlcourse

COMMANDS = {
    "nbjudge": typer.main.get_command(nbjudge),
    "nbcertify": typer.main.get_command(nbcertify),
    "nbhandin": typer.main.get_command(nbhandin),
    "dlcourse": typer.main.get_command(dlcourse),
}
# Pages that are made from the code when the site is built.
GENERATED = {ROOT / line.lstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
PAGES = {str(page.relative_to(ROOT)): page for page in pages()}


def commands_of(page: Path) -> list[str]:
    """Every command of ours that a page names, in its text or in its blocks of code."""
    found = [
        child.content
        for token in MarkdownIt().parse(page.read_text())
        for child in [token, *(token.children or [])]
        if child.type in ("code_inline", "fence", "code_block")
    ]
    lines = [line for text in found for line in text.replace("\\\n", " ").splitlines()]
    stripped = (re.sub(r"^[\s$]*(\.venv/bin/)?", "", line) for line in lines)
    return [line for line in stripped if re.match(rf"({'|'.join(COMMANDS)}) \S", line)]


def problem_of(line: str) -> str:
    """What is wrong with a command, "" if nothing is: a command or an option that there is not."""
    line = re.split(r"\s+\|\|\s|\s#", line)[0]
    words = shlex.split(line)
    command, words = COMMANDS[words[0]], words[1:]
    while words and isinstance(command, click.Group | typer.core.TyperGroup):
        name, *words = words
        if name.startswith("-"):
            words = [name, *words]
            break
        if name not in command.commands:
            return f"there is no command {name}"
        command = command.commands[name]
    known = {option for p in command.params for option in [*p.opts, *p.secondary_opts]}
    asked = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    unknown = asked - known - {"--help"}
    return f"no option {', '.join(sorted(unknown))}" if unknown else ""


@pytest.mark.parametrize("name", PAGES)
def test_every_command_that_a_page_names_is_there(name):
    problems = {line: problem_of(line) for line in commands_of(PAGES[name])}
    assert not {line: problem for line, problem in problems.items() if problem}


def test_a_command_or_an_option_that_there_is_not_would_be_found():
    assert problem_of("dlcourse grade --student ada") == ""
    assert problem_of("nbjudge check-machine   # can it grade?") == ""
    assert "graed" in problem_of("dlcourse graed")
    assert "--studnet" in problem_of("dlcourse grade --studnet ada")
    assert "certify" in problem_of("nbjudge certify")


@pytest.mark.parametrize("name", PAGES)
def test_every_setting_that_a_page_names_is_there(name):
    for kind in (Grading, HandIn):
        named = set(re.findall(rf"c\.{kind.__name__}\.(\w+)", PAGES[name].read_text())) - {"xxx"}
        assert named <= set(kind.class_trait_names(config=True))


@pytest.mark.parametrize("name", PAGES)
def test_settings_on_a_page_can_be_set(name, tmp_path):
    """They have the types that they need; a cluster's security is not made here."""
    for fence in fences(PAGES[name]):
        if fence.language == "python" and re.search(r"^c\.\w+\.\w+ = ", fence.text, re.MULTILINE):
            c = Config()
            code = fence.text.replace("configure(c)", f"configure(c, {str(tmp_path)!r})")
            exec(code, {"c": c, "get_config": lambda c=c: c})
            Grading(config=Config({"Grading": c.Grading}))
            HandIn(config=Config({"HandIn": c.HandIn}))


@pytest.mark.parametrize("name", PAGES)
def test_every_link_to_a_file_leads_somewhere(name):
    """On a code hoster's pages; those of the site are checked when it is built."""
    page = PAGES[name]
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    files = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    missing = [
        file
        for file in files
        if not (page.parent / file).exists() and (page.parent / file).resolve() not in GENERATED
    ]
    assert not missing


def test_the_architecture_has_the_rooms_in_their_order():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (rooms,) = (c for c in contracts["contracts"] if c.get("containers") == ["nbjudge"])
    order = [room.strip() for layer in rooms["layers"] for room in layer.split("|")]
    page = (ROOT / "docs" / "explanation" / "architecture.md").read_text()
    table = page.partition("## The rooms of nbjudge")[2].partition("\n## ")[0]
    first_columns = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert re.findall(r"`(\w+)`", " ".join(first_columns)) == order
