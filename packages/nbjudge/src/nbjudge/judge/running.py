"""One test cell, run in the judge's own namespace, and the verdict on it."""

from __future__ import annotations

import ast
import asyncio
import inspect
import linecache
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from IPython.core.displayhook import DisplayHook
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from nbjudge.capture.errors import Damaged, NotHandedOut
from nbjudge.capture.folders import FILES, JudgeFolder
from nbjudge.capture.places import is_at
from nbjudge.capture.remote import claimed_place
from nbjudge.cells.parsing import bindings
from nbjudge.judge import failures
from nbjudge.judge.asserts import RECORD, TellValues
from nbjudge.judge.credit import NotPoints, is_credit, points_for
from nbjudge.judge.messages import Captured, Judged, TestCell
from nbjudge.judge.shell import Shell, outputs_of
from nbjudge.judge.showing import clipped
from nbjudge.judge.withheld import withhold

_ABSENT = object()
_NO_VALUE = object()
# What Python, pytest and unittest say of it.
_IS_NO_EXCEPTION = re.compile(
    "not inherit from BaseException|(?:must be|[Ee]xpected) a BaseException type"
    "|must be an exception type"
)
_NO_EXCEPTION = (
    "the test catches an exception by a name that stands for none outside of the notebook; an "
    "instructor can run the test in the student's kernel, by the line `### RUN IN STUDENT KERNEL`"
)


class Notebook(Protocol):
    """What a test gets of the notebook."""

    def decode(self, data: bytes, limit: int) -> Any:
        """A value of captured bytes, within so many bytes; ``Damaged`` for bytes that are none."""

    def use_files(self, files: bytes, limit: int) -> JudgeFolder | None:
        """Make the notebook's files, from bytes, those of the working folder.

        Without bytes, the cell has nothing to do with files.
        """

    def watch(self, namespace: dict[str, Any], places: Sequence[str]) -> None:
        """Tell the notebook's functions from now on what the test puts at ``places``."""


class NoVerdict(BaseException):
    """The cell cannot be judged, for a reason that is neither the test's nor the answer's.

    No ``Exception``, so that a test which catches those does not go on.
    """


class _ForInstructor(Exception):
    """What the instructor must fix; the message is for them alone."""


@dataclass
class _Unreadable(Exception):
    """A captured value that cannot be decoded."""

    name: str
    reason: str


class Runner:
    """Runs the test cells of one notebook, in their order."""

    def __init__(self, notebook: Notebook) -> None:
        self._notebook = notebook
        InteractiveShell.clear_instance()
        self._shell = Shell.instance()
        self._tell_values = TellValues()
        self._shell.ast_transformers.append(self._tell_values)
        self._flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._verdict_lost: NoVerdict | None = None
        self._is_credit = True
        _draw_without_a_screen()

    def close(self) -> None:
        """Forget the notebook."""
        Shell.clear_instance()

    def lose_verdict(self, reason: str) -> NoVerdict:
        """The exception that ends the cell without a verdict, even where a test catches it."""
        self._verdict_lost = NoVerdict(reason)
        return self._verdict_lost

    def run(self, cell: TestCell, values: Mapping[str, Captured], limit: int) -> Judged:
        """The verdict on one cell; ``limit``, in bytes, is for each decoded value."""
        start = time.monotonic()
        outputs: list[dict[str, Any]] = []
        self._verdict_lost = None
        self._shell.shown_errors.clear()
        error: BaseException | None = None
        value: Any = _NO_VALUE
        self._is_credit = True
        folder = None
        with outputs_of(self._shell, outputs):
            try:
                folder = self._files(values.get(FILES), limit)
                values = {name: value for name, value in values.items() if name != FILES}
                value = self._value_of(cell, values, limit)
            except BaseException as caught:
                error = caught
            if error is None and self._shell.shown_errors:
                error = self._shell.shown_errors[0]
            if error is not None and folder is not None and (why := folder.why_not(cell.source)):
                error = NotHandedOut(why)
            if error is None:
                value = self._without_silent(value)
        judged = self._judge(cell, error, value)
        _close_figures()
        seconds = time.monotonic() - start
        return replace(judged, outputs=(*outputs, *judged.outputs), seconds=seconds)

    def _judge(self, cell: TestCell, error: BaseException | None, value: Any) -> Judged:
        if self._verdict_lost is not None:
            return _no_verdict("NoVerdict", str(self._verdict_lost), is_instructors=False)
        if isinstance(error, _ForInstructor):
            return _no_verdict("TestError", str(error))
        if isinstance(error, UsageError) and not failures.is_from_call(error):
            words = f"The test cell '{cell.grade_id}' uses a magic wrongly: {error}"
            return _no_verdict("TestError", words)
        if isinstance(error, _Unreadable):
            words = f"the test cannot read the value of {error.name}: {error.reason}"
            error = NotHandedOut(words)
        if isinstance(error, TypeError) and _IS_NO_EXCEPTION.search(str(error)):
            error = NotHandedOut(_NO_EXCEPTION)
        if error is not None:
            return Judged(
                outputs=(failures.error_output(error),),
                score=0.0,
                failure=failures.failure(error),
                not_attempted=failures.is_not_attempted(error),
                narrow=failures.is_narrow(error),
                measured=failures.measured(error),
            )
        if value is _NO_VALUE or value is None:
            return Judged(outputs=(), score=float(cell.points))
        try:
            score = points_for(value, cell.points, cell.grade_id, self._is_credit)
        except NotPoints as problem:
            return _no_verdict("NotPoints", str(problem))
        result = {
            "output_type": "execute_result",
            "execution_count": None,
            "metadata": {},
            "data": {"text/plain": repr(score)},
        }
        return Judged(outputs=(result,), score=score)

    def _value_of(self, cell: TestCell, values: Mapping[str, Captured], limit: int) -> Any:
        """The last value of the cell, run with ``values`` bound for as long as it runs."""
        self._tell_values.begin(values)
        body, last, source = self._read(cell)
        for name, value in values.items():
            if value.state == "refused":
                raise NotHandedOut(value.reason or f"the test cannot get the value of {name}")
        decoded: dict[str, Any] = {}
        for name, value in values.items():
            is_known = value.state == "same" and value.reason in decoded
            decoded[name] = decoded[value.reason] if is_known else self._decoded(name, value, limit)
        with self._shell.builtin_trap, self._shell.display_trap:
            from_stars = self._import(cell, set(values))
            for name in from_stars:
                decoded.pop(name, None)
            decoded |= self._imported_as_in_answer(cell, decoded)
            with self._bound(decoded, cell):
                self._notebook.watch(self._shell.user_ns, cell.replaces)
                return self._execute(cell, body, last, source)

    def _files(self, files: Captured | None, limit: int) -> JudgeFolder | None:
        if files is not None and files.state == "refused":
            raise NotHandedOut(files.reason or "the test cannot get the notebook's files")
        try:
            return self._notebook.use_files(b"" if files is None else files.data, limit)
        except (Damaged, MemoryError, OSError) as error:
            raise _Unreadable("its files", str(error) or type(error).__name__) from None

    def _decoded(self, name: str, value: Captured, limit: int) -> Any:
        if value.state == "missing":
            return _ABSENT
        try:
            return self._notebook.decode(value.data, limit)
        except (Damaged, MemoryError) as error:
            raise _Unreadable(name, str(error) or type(error).__name__) from None
        except Exception as error:
            raise _ForInstructor(
                f"The judge cannot read the value of {name}: {failures.failure(error)}"
            ) from error

    def _read(self, cell: TestCell) -> tuple[ast.Module, ast.Expression | None, str]:
        """The cell's statements, its last expression if it has one to show, and its text."""
        try:
            blank = len(cell.source) - len(cell.source.lstrip("\n"))
            # IPython drops empty lines at the top; line numbers are to stay.
            text = "\n" * blank + self._shell.transform_cell(cell.source)  # type: ignore[no-untyped-call]
            tree: ast.Module = compile(
                text, "<test>", "exec", self._flags | ast.PyCF_ONLY_AST, dont_inherit=True
            )
            compile(tree, "<test>", "exec", self._flags, dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise _ForInstructor(
                f"The test cell '{cell.grade_id}' is not valid Python: {failures.failure(error)}"
            ) from error
        last = tree.body[-1] if tree.body else None
        if isinstance(last, ast.Expr):
            self._is_credit = is_credit(last.value, tree.body[:-1])
        tree = self._shell.transform_ast(tree)  # type: ignore[no-untyped-call]
        last = tree.body[-1] if tree.body else None
        if not isinstance(last, ast.Expr) or DisplayHook.semicolon_at_end_of_expression(text):
            return tree, None, text
        return ast.Module(tree.body[:-1], []), ast.Expression(last.value), text

    def _execute(
        self, cell: TestCell, body: ast.Module, last: ast.Expression | None, source: str
    ) -> Any:
        file = f"test cell {cell.grade_id}"
        withhold(file, cell.withheld)
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        try:
            self._evaluate(body, file, "exec")
            return _NO_VALUE if last is None else self._evaluate(last, file, "eval")
        except ImportError as error:
            if _is_import_of(error, file, source) and not failures.is_from_call(error):
                raise _ForInstructor(
                    f"The test cell '{cell.grade_id}' cannot import what it needs: {error}"
                ) from error
            raise

    def _evaluate(self, tree: ast.Module | ast.Expression, file: str, mode: str) -> Any:
        code = compile(tree, file, mode, self._flags, dont_inherit=True)
        self._flags |= code.co_flags & _FUTURE_FLAGS
        value = eval(code, self._shell.user_ns)
        return asyncio.run(value) if code.co_flags & inspect.CO_COROUTINE else value

    def _import(self, cell: TestCell, names: set[str]) -> set[str]:
        """Run the cell's imports; those of ``names`` that a star import brought."""
        namespace = self._shell.user_ns
        brought: set[str] = set()
        for statement in cell.imports:
            tree = ast.parse(statement)
            is_star = any(
                isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
                for node in ast.walk(tree)
            )
            try:
                if not is_star:
                    self._evaluate(tree, "<import>", "exec")
                    continue
                found: dict[str, Any] = {}
                exec(statement, found)
            except Exception as error:
                raise _ForInstructor(
                    f"The test cell '{cell.grade_id}' needs `{statement}`, which the judge cannot "
                    f"run: {failures.failure(error)}"
                ) from error
            # A name that a cell of the notebook binds otherwise is not the star's.
            wanted = found.keys() - (names - set(cell.unbound)) - {"__builtins__"}
            namespace.update({name: found[name] for name in wanted})
            brought |= wanted & names
        return brought

    def _imported_as_in_answer(self, cell: TestCell, decoded: Mapping[str, Any]) -> dict[str, Any]:
        """What the reference answer imports, where the student's notebook has the same."""
        found: dict[str, Any] = {}
        for name, statements in cell.answer_imports:
            place = claimed_place(decoded.get(name))
            if place:
                namespace: dict[str, Any] = {}
                try:
                    exec(statements, namespace)
                except Exception:
                    continue  # the module cannot be had here: what stands for it is used
                # A module beside the notebook may remember what the notebook has done with it.
                if is_at(place, namespace.get(name)) and not _is_beside(place):
                    found[name] = namespace[name]
        return found

    @contextmanager
    def _bound(self, values: Mapping[str, Any], cell: TestCell) -> Iterator[None]:
        """Bind the values for the block; afterwards the judge's own names are as before.

        What the cell itself has bound anew under such a name is the judge's own from then on.
        """
        namespace = self._shell.user_ns
        before = {name: namespace.get(name, _ABSENT) for name in values}
        for name, value in values.items():
            _put(namespace, name, value)
        passed = False
        try:
            yield
            passed = True
        finally:
            namespace.pop(RECORD, None)
            binds = {binding.name for binding in bindings(cell.source)}
            for name, value in values.items():
                is_same = namespace.get(name, _ABSENT) is value
                if name not in binds or (is_same and not passed):
                    _put(namespace, name, before[name])

    def _without_silent(self, value: Any) -> Any:
        """``None`` for a last value that shows itself in a way of its own."""
        if value is _NO_VALUE or value is None:
            return value
        formatter = self._shell.display_formatter.ipython_display_formatter  # type: ignore[union-attr]
        with self._shell.builtin_trap:
            return None if formatter(value) else value


def _is_beside(place: str) -> bool:
    """Whether the module of a place lies in the working folder."""
    module = sys.modules.get(place.partition(":")[0])
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and Path(file).absolute().is_relative_to(Path.cwd())


def _no_verdict(name: str, words: str, is_instructors: bool = True) -> Judged:
    words = clipped(words, failures.MESSAGE_LIMIT)
    return Judged(
        # With an error among the outputs nbgrader takes no such cell for passed.
        outputs=(failures.made_error_output(name, words),),
        score=None,
        failure="" if is_instructors else words,
        instructor_error=words if is_instructors else "",
    )


def _put(namespace: dict[str, Any], name: str, value: Any) -> None:
    if value is _ABSENT:
        namespace.pop(name, None)
    else:
        namespace[name] = value


def _is_import_of(error: BaseException, file: str, source: str) -> bool:
    """Whether an import statement of the cell raised it, at top level or in its functions."""
    lines = set()
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            lines.add(trace.tb_lineno)
        trace = trace.tb_next
    imports = (ast.Import, ast.ImportFrom)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, imports)]
    return any(
        node.lineno <= line <= (node.end_lineno or node.lineno) for node in nodes for line in lines
    )


def _future_flags() -> int:
    import __future__

    names = __future__.all_feature_names
    return sum({getattr(__future__, name).compiler_flag for name in names})


_FUTURE_FLAGS = _future_flags()


def _draw_without_a_screen() -> None:
    import os

    os.environ["MPLBACKEND"] = "Agg"
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].use("Agg")


def _close_figures() -> None:
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
