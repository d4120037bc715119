"""Every check of `dlcourse.checks`: its arguments, an example, and the message that it gives."""

from __future__ import annotations

import contextlib
import inspect
import io
import textwrap
from collections.abc import Callable

from sphinx.util import logging

from dlcourse import checks
from dlcourse.checks.copies import CopiesCheck
from dlcourse.checks.functions import CallCheck
from dlcourse.checks.models import ModelCheck
from dlcourse.checks.outcome import Check, CheckFailed
from dlcourse.checks.splits import SplitCheck
from generate.check_examples import EXAMPLES

_HEAD = """\
# Checks

What a test may ask. A check that passes says nothing. A check that does not pass stops the test,
and the student sees its message.

```python
from dlcourse import checks as check
```

Every example below is a test of a wrong answer, with the message that a student gets. This page
was made by running them.
"""


# They ask nothing.
_WITHOUT_MESSAGE = (checks.columns, checks.part, checks.passed, checks.random)


def page() -> str:
    """The page of all checks, as Markdown. Warns of each check without an example."""
    subjects, functions = [], []
    for name in checks.__all__:
        found = getattr(checks, name)
        kind = ModelCheck if name == "model" else found
        if inspect.isclass(kind) and issubclass(kind, Check):
            subjects.append(_subject(f"## `check.{name}(name, …)`", kind))
        elif inspect.isfunction(found):
            functions.append(_entry(found, f"### check.{name}"))
        if kind is checks.function:
            subjects.append(_subject("## What `called_with(…)` gives", CallCheck))
            subjects.append(_subject("## What `gives_split_of(…)` gives", SplitCheck))
            heading = "## What `gives_shifted_copies_of(…)` gives"
            subjects.append(_subject(heading, CopiesCheck))
    return "\n\n".join([_HEAD, *subjects, "## Other functions", *functions]) + "\n"


def _subject(heading: str, kind: type) -> str:
    entries = [_entry(method, f"### .{method.__name__}") for method in questions(kind)]
    return "\n\n".join([heading, inspect.getdoc(kind) or "", *entries])


def questions(kind: type) -> list[Callable[..., object]]:
    """The checks of a class of checks, in the order in which they are written."""
    return [
        method
        for name, method in vars(kind).items()
        if not name.startswith("_") and inspect.isfunction(method)
    ]


def _entry(checked: Callable[..., object], heading: str) -> str:
    level, _, name = heading.partition(" ")
    text = f"{level} `{name}{_arguments(checked)}`\n\n{inspect.getdoc(checked) or ''}"
    if checked in _WITHOUT_MESSAGE:
        return text
    if checked not in EXAMPLES:
        logging.getLogger(__name__).warning(
            "%s has no example in docs/generate/check_examples.py", checked.__qualname__
        )
        return text
    example = EXAMPLES[checked]
    body = textwrap.dedent(inspect.getsource(example).partition(":\n")[2])
    body = body.replace("return check", "check").replace("  # noqa: F821", "")
    return f"{text}\n\n```python\n{body}```\n\n```text\n{message_of(example)}\n```"


def message_of(example: Callable[[], object]) -> str:
    """What a student sees of a check that does not pass.

    Raises `ValueError` for an example that passes.
    """
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            points = example()
    except CheckFailed as failed:
        return "\n".join(failed._render_traceback_())
    if printed.getvalue():
        return f"{printed.getvalue()}{points}"
    raise ValueError(f"the example passes: {inspect.getsource(example)}")


def _arguments(function: Callable[..., object]) -> str:
    signature = inspect.signature(function)
    shown = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    kept = [p for p in shown if p.name != "self"]
    return str(signature.replace(parameters=kept, return_annotation=signature.empty))
