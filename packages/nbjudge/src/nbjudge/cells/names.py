"""What a test cell needs from outside, read from the text of the instructor's notebook alone."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nbjudge.cells.flow import called_loads, free_names, surely_bound
from nbjudge.cells.parsing import Binding, bindings, future_imports, parse, star_imports
from nbjudge.cells.paths import path_statements

_KERNEL_MARKER = re.compile(r"^[ \t]*### RUN IN STUDENT KERNEL[ \t]*$", re.MULTILINE)
# IPython's memory of what was typed and shown, and what every module has.
_NEVER_NEEDED = re.compile(
    r"_{1,3}|_i{1,3}|_[ioOd]h|_\d+|_i\d+|_exit_code|In|Out|get_ipython"
    r"|__(?:name|doc|builtins?|package|loader|spec|annotations|debug)__"
)
# What a notebook has without binding it, unless it does.
_GIVEN = {*dir(builtins), "display", "exit", "quit"}
# What looks names up by their text.
_BY_TEXT = {"globals", "locals", "vars", "dir", "eval", "exec", "user_ns"}
_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class SourceCell:
    """A code cell of the instructor's notebook.

    ``stub`` is what students are given of a solution cell. ``forced_into_kernel``: the course's
    settings have this test run in the student's kernel, as a line in the cell itself may.
    """

    grade_id: str
    source: str
    is_test: bool
    is_solution: bool
    stub: str = ""
    forced_into_kernel: bool = False

    @property
    def in_kernel(self) -> bool:
        """Whether it is a test that runs in the student's kernel."""
        return self.forced_into_kernel or runs_in_kernel(self.source)

    @property
    def given(self) -> str:
        """The text that students have without writing anything."""
        return self.stub if self.is_solution else self.source


@dataclass(frozen=True)
class Needs:
    """What one test cell needs.

    ``values`` are the names to capture from the student's kernel; ``imports`` the statements that
    the judge runs first; ``from_tests`` the names that earlier test cells bound in the judge.
    ``unbound`` are those of ``values`` that no cell is seen to bind: a star import among
    ``imports`` may. ``answer_imports`` are those of ``values`` that only a solution imports, each
    with its statement: the judge has them where a student has imported the same.
    """

    values: tuple[str, ...]
    imports: tuple[str, ...]
    from_tests: tuple[str, ...]
    unbound: tuple[str, ...] = ()
    answer_imports: tuple[tuple[str, str], ...] = ()


def needs_of(cells: Sequence[SourceCell], grade_id: str) -> Needs:
    """What the test cell ``grade_id`` of a notebook needs; ``KeyError`` if there is no such cell.

    A name that the given cells import is imported by the judge: it takes no student's module.
    What only a solution imports is the student's to import.
    """
    place = next((i for i, cell in enumerate(cells) if cell.grade_id == grade_id), None)
    if place is None:
        raise KeyError(grade_id)
    before = cells[:place]
    values: list[str] = []
    imports: list[str] = []
    from_tests: list[str] = []
    unbound: list[str] = []
    answer_imports: list[tuple[str, str]] = []
    for name in sorted(_names_read(cells[place].source, before)):
        binder = _last_binder(before, name)
        if binder is None:
            if name not in _GIVEN:
                values.append(name)
                unbound.append(name)
        elif statements := _given_imports(name, before[: binder + 1]):
            imports += statements
        elif cells[binder].is_test and not cells[binder].in_kernel:
            from_tests.append(name)
        else:
            values.append(name)
            statements = _import_text(name, bindings(before[binder].source))
            answer_imports += [(name, "\n".join(statements))] if statements else []
    paths = path_statements([cell.given for cell in before])
    stars = [star for cell in before for star in star_imports(cell.given)] if unbound else []
    futures = [future for cell in before for future in future_imports(cell.given)]
    return Needs(
        values=tuple(values),
        imports=tuple(dict.fromkeys([*futures, *paths, *stars, *imports])),
        from_tests=tuple(from_tests),
        unbound=tuple(unbound),
        answer_imports=tuple(answer_imports),
    )


def _names_read(source: str, before: Sequence[SourceCell]) -> set[str]:
    """The names that a test cell reads, also by functions that a test cell before it defines.

    A text counts as a name where the cell looks names up by their text, as ``globals()`` does.
    """
    tree = parse(source)
    by_text = {name for name in _named_by_text(tree) if _last_binder(before, name) is not None}
    names = free_names(tree) | by_text
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        binder = _last_binder(before, name)
        if binder is None or not before[binder].is_test or before[binder].in_kernel:
            continue
        defined = _functions(before[binder].source).get(name)
        new = called_loads(defined) - names if defined is not None else set()
        names |= new
        waiting += new
    return {name for name in names if not _NEVER_NEEDED.fullmatch(name)}


def _named_by_text(tree: ast.Module) -> set[str]:
    """The names within texts of a cell that looks names up by their text."""
    nodes = list(ast.walk(tree))
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    used |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    if not used & _BY_TEXT:
        return set()
    texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
    found = {word for text in texts if type(text) is str for word in _WORD.findall(text)}
    return {word for word in found if not keyword.iskeyword(word)} - _GIVEN


def replaced_functions(cells: Sequence[SourceCell], grade_id: str) -> tuple[str, ...]:
    """What a test cell deletes or replaces that functions of the notebook may use, sorted.

    These are the notebook's own functions, the names that a function which the test calls reads
    from outside itself, and, with their module in front, what the test puts into modules, itself
    or by ``unittest.mock``. Functions of the student's run elsewhere: they have to be told.
    """
    values = set(needs_of(cells, grade_id).values)
    place = next(i for i, cell in enumerate(cells) if cell.grade_id == grade_id)
    functions: dict[str, ast.stmt] = {}
    for cell in cells[:place]:
        functions |= _functions(cell.source)
    source = cells[place].source
    found = bindings(source)
    bound = {binding.name for binding in found}
    nodes = [node for node in ast.walk(parse(source)) if isinstance(node, ast.Name)]
    deleted = {node.id for node in nodes if isinstance(node.ctx, ast.Del)}
    read = _read_by(values & functions.keys(), functions)
    given = read & {binding.name for binding in found} - {b.name for b in found if b.text}
    texts = [cell.source for cell in cells[: place + 1]]
    patched = {place.removeprefix("__main__.") for place in _patched(source, _modules(texts))}
    return tuple(sorted(values & functions.keys() & (bound | deleted) | given | patched))


def kernel_prelude(visible_source: str, later_sources: Sequence[str]) -> str:
    """What of a test cell's visible part to run in the student's kernel, for the cells after it.

    ``later_sources`` are the submission's later cells that run there. Empty if none of them
    loads a name that the visible part binds and that they have not surely bound themselves.
    """
    found = bindings(visible_source)
    offered = {binding.name for binding in found}
    needed: set[str] = set()
    own: set[str] = set()
    for source in later_sources if offered else ():
        tree = parse(source)
        needed |= (free_names(tree) & offered) - own
        own |= surely_bound(tree)
    if not needed:
        return ""
    statements: list[str] = []
    for name in sorted(needed):
        imported = _import_text(name, found)
        if not imported:
            return visible_source
        statements += imported
    return "\n".join(dict.fromkeys([*future_imports(visible_source), *statements]))


def runs_in_kernel(source: str) -> bool:
    """Whether a test cell asks to be run in the student's kernel, as in stock nbgrader."""
    return _KERNEL_MARKER.search(source) is not None


def _functions(source: str) -> dict[str, ast.stmt]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name: node for node in parse(source).body if isinstance(node, kinds)}


def _read_by(names: Iterable[str], functions: Mapping[str, ast.stmt]) -> set[str]:
    """The names that functions of these names, and those that they call, read when they run."""
    read: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        new = called_loads(functions[name]) - read if name in functions else set()
        read |= new
        waiting += new
    return read


def _modules(sources: Iterable[str]) -> dict[str, str]:
    """The modules that cells import, by the name that they have there."""
    found: dict[str, str] = {"builtins": "builtins"}
    for source in sources:
        for node in ast.walk(parse(source)):
            match node:
                case ast.Import(names=names):
                    for alias in names:
                        first = alias.name.partition(".")[0]
                        found[alias.asname or first] = alias.name if alias.asname else first
                case ast.ImportFrom(module=str(module), names=names, level=0):
                    for alias in names:
                        found[alias.asname or alias.name] = f"{module}.{alias.name}"
    return found


def _patched(source: str, modules: Mapping[str, str]) -> set[str]:
    """The places in modules at which a test cell puts something, itself or by ``mock.patch``."""
    found: set[str] = set()
    for node in ast.walk(parse(source)):
        match node:
            case ast.Call(
                ast.Name(id="patch") | ast.Attribute(attr="patch"),
                [ast.Constant(value=str(place)), *_],
            ):
                found.add(place)
            case ast.Call(
                ast.Name(id="setattr") | ast.Attribute(attr="object" | "setattr"),
                [owner, ast.Constant(value=str(name)), *_],
            ):
                found |= {f"{module}.{name}" for module in _dotted(owner, modules)}
            case ast.Attribute(value=owner, attr=name, ctx=ast.Store() | ast.Del()):
                found |= {f"{module}.{name}" for module in _dotted(owner, modules)}
    return found


def _dotted(node: ast.expr, modules: Mapping[str, str]) -> list[str]:
    """The module that an expression names; nothing for another expression."""
    match node:
        case ast.Name(id=name):
            return [modules[name]] if name in modules else []
        case ast.Attribute(value=owner, attr=name):
            return [f"{module}.{name}" for module in _dotted(owner, modules)]
        case _:
            return []


def _last_binder(cells: Sequence[SourceCell], name: str) -> int | None:
    for place in reversed(range(len(cells))):
        if any(binding.name == name for binding in bindings(cells[place].source)):
            return place
    return None


def _given_imports(name: str, cells: Sequence[SourceCell]) -> list[str]:
    """The given statements that import ``name`` as the last of ``cells`` does; empty for none.

    An answer may import again what is given.
    """
    *earlier, binder = cells
    last = _import_text(name, bindings(binder.source))
    texts = [b.text for cell in earlier for b in bindings(cell.given) if b.name == name]
    if not last or _import_text(name, bindings(binder.given)) == last:
        return [*filter(_is_submodule, texts), *last] if last else []
    again = [
        text for text in texts if text == last[-1] or _is_package(text) and _is_package(last[-1])
    ]
    return [*filter(_is_submodule, texts), again[-1]] if again else []


def _import_text(name: str, found: Iterable[Binding]) -> list[str]:
    """The statements that import ``name`` in one cell, if the last that binds it is an import."""
    of_name = [binding for binding in found if binding.name == name]
    last = [binding for binding in of_name if binding.statement == of_name[-1].statement]
    texts = [binding.text for binding in last if binding.text]
    if not texts:
        return []
    if len(texts) < len(last):
        texts.append(f"{name} = None")
    earlier = [b.text for b in of_name if b.statement < of_name[-1].statement]
    return [*filter(_is_submodule, earlier), _first_that_works(texts)]


def _is_submodule(text: str) -> bool:
    """``import a.b`` binds ``a``, and what another such import put into it stays."""
    return text.startswith("import ") and "." in text and " as " not in text


def _is_package(text: str) -> bool:
    """``import a`` and ``import a.b`` both bind ``a``."""
    return text.startswith("import ") and " as " not in text


def _first_that_works(texts: Sequence[str]) -> str:
    """One statement for the alternatives of a ``try`` or an ``if``."""
    text = texts[-1]
    for earlier in reversed(texts[:-1]):
        inner = "".join(f"    {line}\n" for line in text.splitlines())
        text = f"try:\n    {earlier}\nexcept ImportError:\n{inner}".rstrip()
    return text


def replaced(names: Sequence[str]) -> tuple[str, str]:
    """What is wrong with a test cell that replaces functions, and how to fix it."""
    return (
        f"it deletes or replaces {', '.join(names)}, and tests are run in another process than the "
        "student's functions, which do not notice",
        "To run it in the student's kernel, as stock nbgrader does, add the line "
        "'### RUN IN STUDENT KERNEL'",
    )
