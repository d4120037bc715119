"""What the commands share: options, and whom and what they are about."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from nbjudge.cli.terminal import console, stop

if TYPE_CHECKING:
    from nbjudge.course import Course

    from nbcertify.deciding import Decided
    from nbcertify.office import Office
    from nbcertify.policy import Policy

PolicyOption = Annotated[
    Path | None,
    typer.Option(help="What certificates take.", show_default="gradebook/policy.toml"),
]
StudentOption = Annotated[
    list[str] | None,
    typer.Option(help="Only this student; may be given several times.", show_default=False),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


def command(what: str) -> str:
    """How to call another command: by the name that this one was called by."""
    name = Path(sys.argv[0]).name
    return f"{name if name in ('dlcourse', 'nbcertify') else 'nbcertify'} {what}"


def say_next(sentence: str) -> None:
    """Print what to do next, the last thing that a command says."""
    console.print(f"Next: {sentence}", style="bold", highlight=False)


def require_known(students: list[str] | None, decided: Decided) -> None:
    """Stop if one of the students that were asked for is not known."""
    known = {decision.student for decision in decided.decisions}
    if unknown := sorted(set(students or ()) - known):
        stop(f"There is no student {', '.join(unknown)}.")


def office_of(
    course: Course, policy: Policy | None = None, policy_file: Path | None = None
) -> Office:
    """What the course issues certificates with; the policy is read if it is not given."""
    from nbcertify.issuer import read_issuer
    from nbcertify.keys import keys_folder
    from nbcertify.office import Office
    from nbcertify.places import Places
    from nbcertify.policy import read_policy
    from nbcertify.texts import read_languages

    places = Places(course.gradebook_folder)
    policy = policy or read_policy(policy_file or places.policy)
    texts = read_languages(places.texts)
    return Office(places, policy, read_issuer(places.issuer), keys_folder(), texts)
