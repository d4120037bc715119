"""A notebook while somebody works in it: no error stops the rest, and the last cell says how far.

The first cell of every notebook calls `begin`, the last one `show`. Both stand on IPython's own
events, so they work in every program that runs notebooks. When a notebook is graded they do
nothing.
"""

from __future__ import annotations

import ast
import logging
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from types import TracebackType
from typing import Any

from dlcourse.checks.outcome import CheckFailed, NotAttempted
from dlcourse.quiet import import_tensorflow_quietly

# The first line of a cell that checks a task, written by the release. Colab shows it as a title.
CHECK = re.compile(r"#\s*@title Check of (task \d+(?:, part \d+)?)")
_BINDS = re.compile(r"^(?:async )?(?:def|class)\s+(\w+)|^(\w+)\s*=[^=]", re.MULTILINE)
RIGHT, WRONG, OPEN, READ = "✓", "✗", "○", "✎"
_WAITS = (
    "this cell uses it. Write it in place of YOUR CODE HERE and `raise NotImplementedError()`, run "
    "that cell, then run this one again."
)
_WRITE_HERE = (
    "write your code in place of YOUR CODE HERE and `raise NotImplementedError()`, then run this "
    "cell again."
)
_PACKAGES = "It has NumPy, pandas, matplotlib and Keras."
_INSTEAD = {
    "seaborn": "Its pair plot: `pd.plotting.scatter_matrix(table, figsize=(9, 9))`. Its heat map: "
    "`plt.imshow(table)` and `plt.colorbar()`.",
    "sklearn": "What the tasks need of it, you write yourself, with NumPy.",
}
_MEANING = {
    RIGHT: "right, as far as it is checked here",
    WRONG: "something is wrong",
    OPEN: "not done, or not checked yet",
    READ: "read by a person",
}


@dataclass(frozen=True)
class Task:
    """A task: its name, its points by tests and by a person, how many cells check it."""

    number: str
    name: str
    points: float
    by_hand: float
    checks: int

    @property
    def total(self) -> float:
        """All its points."""
        return self.points + self.by_hand


@dataclass
class Progress:
    """What the cells of one notebook came to, as its kernel saw them run.

    `marks` has ✓, ✗ or ○ for each check, `words` what those without ✓ said. `broken` has for each
    name the syntax error of the cell that was to make it, `missing` the first line of the cell that
    stopped before it could.
    """

    marks: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    broken: dict[str, SyntaxError] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    running: str = ""

    def started(self, source: str, known: Callable[[str], bool]) -> str:
        """A cell begins. What is to be said before it runs: that it checks an old definition."""
        self.running = source
        stale = [name for name in self._broken_in(source) if known(name)]
        return "\n".join(_syntax_words(name, self.broken[name]) for name in stale)

    def explained(self, error: Exception) -> Exception:
        """The error that a learner is shown: for what another cell left undone, that one."""
        if type(error) is NotImplementedError and not error.args:
            function = _function_of(error)
            return NotAttempted(function or "this cell", hint=_WAITS if function else _WRITE_HERE)
        if isinstance(error, ModuleNotFoundError) and error.name:
            package = error.name.split(".")[0]
            return CheckFailed(
                f"the package `{package}` is not installed here.",
                hint="this course does without it, and may be graded without it. "
                + _INSTEAD.get(package, _PACKAGES),
            )
        name = error.name if isinstance(error, NameError) else self._missing_here(error)
        if name and name in self.broken:
            first, _, hint = _syntax_words(name, self.broken[name]).partition("\n")
            return CheckFailed(first.lstrip("✗ "), hint=hint.strip())
        if name and name in self.missing:
            return NotAttempted(
                f"`{name}` is missing",
                hint="the cell that makes it could not run to its end. It begins with "
                f"`{self.missing[name]}`. Look at what it says.",
            )
        if name and self._check():
            return NotAttempted(
                f"`{name}` is not there", hint="run the cells above from the first on, then this."
            )
        return error

    def ended(self, source: str, error: BaseException | None) -> None:
        """A cell came to its end, or raised `error`."""
        told = self.explained(error) if isinstance(error, Exception) else error
        check, is_stale = self._check(), bool(self._broken_in(source))
        names = _bound(source)
        for name in names:
            self.broken.pop(name, None)
            self.missing.pop(name, None)
        if isinstance(error, SyntaxError):
            self.broken |= dict.fromkeys(names, error)
        elif error is not None:
            self.missing |= dict.fromkeys(names, _first_line(source))
        if check:
            is_open = isinstance(told, NotAttempted) and not is_stale
            self.marks[check] = OPEN if is_open else WRONG if is_stale or told else RIGHT
            self.words[check] = "" if told is None else str(told)

    def mark_of(self, task: Task) -> str:
        """✓ if all its checks passed, ✗ if one failed, ○ otherwise; ✎ if a person reads it."""
        if not task.checks:
            return READ
        marks = [mark for check, mark in self.marks.items() if _task_of(check) == task.number]
        if WRONG in marks:
            return WRONG
        return RIGHT if marks.count(RIGHT) == task.checks else OPEN

    def words_of(self, task: Task) -> str:
        """The first line of what its checks said."""
        found = (text for check, text in self.words.items() if _task_of(check) == task.number)
        return next((text.split("\n")[0] for text in found if text), "")

    def _missing_here(self, error: Exception) -> str | None:
        """What stayed None, as a cell that was not done leaves it, where that is the error."""
        if not isinstance(error, (AttributeError, TypeError)) or "NoneType" not in str(error):
            return None
        used = (name for name in self.missing if re.search(rf"\b{name}\b", self.running))
        return next(used, None)

    def _check(self) -> str:
        found = CHECK.match(self.running)
        return found[1] if found else ""

    def _broken_in(self, source: str) -> list[str]:
        if not CHECK.match(source):
            return []
        return [name for name in self.broken if re.search(rf"\b{re.escape(name)}\b", source)]


_progress = Progress()


def begin() -> None:
    """Let the rest of the notebook run after an error, and keep what the checks say.

    In Jupyter, VS Code and Colab alike. An error is shown where it happens. Only the reply to the
    program that sent the cell says that the cell is done, so that it sends the next one. Does
    nothing outside of IPython, or where nbgrader runs the notebook.
    """
    global _progress
    logging.getLogger("tensorflow").addFilter(_is_no_retracing)
    import_tensorflow_quietly()
    if "NBGRADER_EXECUTION" in os.environ:
        return
    try:
        from IPython.core.getipython import get_ipython
    except ModuleNotFoundError:
        return
    shell: Any = get_ipython()
    if shell is None:
        return
    fresh = _progress = Progress()
    for event, name in (("pre_run_cell", "_before"), ("post_run_cell", "_after")):
        for old in list(shell.events.callbacks[event]):
            if getattr(old, "__name__", "") == name and old.__module__ == __name__:
                shell.events.unregister(event, old)

    def _before(info: Any) -> None:
        words = fresh.started(info.raw_cell or "", lambda name: name in shell.user_ns)
        if words:
            print(words)

    def _after(result: Any) -> None:
        error = result.error_before_exec or result.error_in_exec
        fresh.ended(result.info.raw_cell or "", error)
        if isinstance(error, Exception):  # not an interrupt, which is to stop everything
            result.error_before_exec = result.error_in_exec = None

    def _show(
        shell: Any,
        kind: type[Exception],
        error: Exception,
        traceback: TracebackType,
        tb_offset: int | None = None,
    ) -> list[str] | None:
        told = fresh.explained(error)
        if told is error:
            shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
            return None
        lines = told._render_traceback_() if isinstance(told, CheckFailed) else []
        shell._showtraceback(type(told), told, lines)
        return lines

    shell.events.register("pre_run_cell", _before)
    shell.events.register("post_run_cell", _after)
    shell.set_custom_exc((Exception,), _show)


def show(notebook: str, table: str, hand_in: str = "") -> Overview | None:
    """The last cell: every task with ✓, ✗ or ○, its points, what to do next, how to hand in.

    Args:
        notebook: the name of the file, without its ending.
        table: a line for each task: number | points by tests | points by a person | checks | name.
        hand_in: what the course says about handing in.
    """
    if "NBGRADER_EXECUTION" in os.environ:
        return None
    return Overview(notebook, read_tasks(table), _progress, hand_in)


def read_tasks(table: str) -> tuple[Task, ...]:
    """The tasks of a table as the release writes it (see `show`)."""
    rows = [
        [part.strip() for part in line.split("|", 4)] for line in table.splitlines() if "|" in line
    ]
    return tuple(
        Task(number, name, float(points), float(by_hand), int(checks))
        for number, points, by_hand, checks, name in rows
    )


def write_tasks(tasks: Iterable[Task]) -> str:
    """The table that `read_tasks` reads."""
    return "\n".join(
        f"{task.number} | {task.points:g} | {task.by_hand:g} | {task.checks} | {task.name}"
        for task in tasks
    )


@dataclass(frozen=True)
class Overview:
    """How far the work on a notebook is, as text and as a table."""

    notebook: str
    tasks: Sequence[Task]
    progress: Progress
    hand_in: str

    @property
    def lines(self) -> list[str]:
        """Points and next steps, below the table."""
        marks = {task.number: self.progress.mark_of(task) for task in self.tasks}
        by_tests = [task for task in self.tasks if task.checks]
        right = sum(task.points for task in by_tests if marks[task.number] == RIGHT)
        all_tests = sum(task.points for task in by_tests)
        by_hand = sum(task.by_hand for task in self.tasks)
        lines = [
            f"✓ stands at tasks of {right:g} out of {all_tests:g} points. When your notebook is "
            "graded, further tests try the same tasks with other values."
        ]
        if by_hand:
            lines.append(f"A person gives up to {by_hand:g} points for written answers (✎).")
        todo = [task for task in by_tests if marks[task.number] != RIGHT]
        if todo:
            first = todo[0]
            words = self.progress.words_of(first)
            lines.append(
                f"Next: task {first.number}, {first.name}."
                + (f" Its check says: {words}" if words else " Run the cell that checks it.")
            )
        else:
            lines.append(
                "Next: choose Restart Kernel and Run All Cells in the menu, and look whether all "
                "of this is still so."
            )
        lines.append(
            f"To hand in: save this notebook (Ctrl+S, on a Mac ⌘S) and keep its name, "
            f"{self.notebook}.ipynb. {self.hand_in} You may hand in again until the deadline; "
            "unfinished tasks cost only their own points."
        )
        return [" ".join(line.split()) for line in lines]

    def __repr__(self) -> str:
        rows = [
            f"{mark} task {task.number:3} {_points(task.total):10} {task.name}"
            for task in self.tasks
            for mark in [self.progress.mark_of(task)]
        ]
        return "\n".join([*rows, "", *self.lines])

    def _repr_html_(self) -> str:
        # No colours: the page's own are readable in a light and in a dark theme.
        rows = "".join(
            f'<tr><td title="{_MEANING[mark]}">{mark}</td><td>Task {escape(task.number)}</td>'
            f'<td style="text-align:left">{escape(task.name)}</td><td>{_points(task.total)}</td>'
            f'<td style="text-align:left">{escape(_MEANING[mark])}</td></tr>'
            for task in self.tasks
            for mark in [self.progress.mark_of(task)]
        )
        words = "".join(f"<p>{escape(line)}</p>" for line in self.lines)
        return (
            '<table><thead><tr><th></th><th>task</th><th style="text-align:left">what</th>'
            '<th>points</th><th style="text-align:left">state</th></tr></thead>'
            f"<tbody>{rows}</tbody></table>{words}"
        )


def _points(points: float) -> str:
    return f"{points:g} point" + ("" if points == 1 else "s")


def _task_of(check: str) -> str:
    return check.removeprefix("task ").partition(",")[0]


def _first_line(source: str) -> str:
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    line = next((line for line in lines if not line.startswith("#")), "")
    return line if len(line) <= 60 else line[:59] + "…"


def _bound(source: str) -> set[str]:
    """The names that a cell makes at its top level, as far as it can be told."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return {one or other for one, other in _BINDS.findall(source)}
    names: set[str] = set()
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(statement.name)
        else:
            stored = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            names |= {node.id for node in stored if isinstance(node.ctx, ast.Store)}
    return names


def _syntax_words(name: str, error: SyntaxError) -> str:
    where = f"line {error.lineno}" if error.lineno else "it"
    return (
        f"✗ Python could not read the cell that makes `{name}`: {error.msg} ({where}).\n"
        "  So that cell did not run, and what is checked is not what it says now. Look at the "
        "line, and at the one before it."
    )


def _function_of(error: BaseException) -> str:
    """The name of the function in which it was raised; "" for a cell."""
    traceback = error.__traceback__
    name = ""
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_name
        traceback = traceback.tb_next
    return "" if name.startswith("<") else name


def _is_no_retracing(record: logging.LogRecord) -> bool:
    # The checks call small models with several sizes, which is what this warning is about.
    return "triggered tf.function retracing" not in record.getMessage()
