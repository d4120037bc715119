"""Which names a cell takes from outside: definite assignment over its top-level statements."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from nbjudge.cells.scopes import (
    annotations,
    bound_by,
    declared_in,
    defaults,
    globals_deleted_by,
    locals_of,
    type_parameters,
    unbound_by,
)

# Decorators that do not call what they decorate.
_CALL_LATER = {
    *("abstractmethod", "cache", "cached_property", "classmethod", "contextmanager", "deleter"),
    *("getter", "lru_cache", "njit", "jit", "overload", "property", "setter", "singledispatch"),
    *("staticmethod", "total_ordering", "vectorize", "wraps"),
}
# Context managers that catch what their block raises.
_CATCH = {"assertRaises", "assertRaisesRegex", "raises", "suppress"}
_IN_A_CLASS = ("__module__", "__qualname__", "__annotations__")


def free_names(tree: ast.Module) -> set[str]:
    """The names that running ``tree`` loads and that it has not surely bound itself before.

    What a function's body loads counts from where its name is first used, since it cannot be
    called before; a name bound only on some ways through the cell is not surely bound.
    """
    try:
        flow = _flow_through(tree.body)
        flow.finish()
    except RecursionError:  # an expression of hundreds of terms
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        return {node.id for node in names if not isinstance(node.ctx, ast.Store)}
    return flow.free


def surely_bound(tree: ast.Module) -> set[str]:
    """The names that ``tree`` has bound at top level once it has run to its end."""
    try:
        return _flow_through(tree.body).bound or set()
    except RecursionError:
        return set()


def called_loads(node: ast.stmt) -> set[str]:
    """The names that functions of a statement look up outside of themselves when called."""
    try:
        return _flow_through([node]).called
    except RecursionError:
        return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _flow_through(body: list[ast.stmt]) -> _Flow:
    flow = _Flow(
        annotations_are_postponed=any(map(_postpones_annotations, body)),
        unsure={name for node in body for name in globals_deleted_by(node)},
    )
    flow.run(body)
    return flow


def _postpones_annotations(node: ast.stmt) -> bool:
    match node:
        case ast.ImportFrom(module="__future__", names=names):
            return any(alias.name == "annotations" for alias in names)
        case _:
            return False


@dataclass(frozen=True)
class _Scope:
    """Where a name is looked up: the class's own names, functions' locals, then the cell's.

    A class's names are kept among the cell's with ``prefix``, which is empty outside of classes;
    ``elsewhere`` are those that the class declares ``global`` or ``nonlocal``.
    """

    prefix: str = ""
    elsewhere: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    in_function: bool = False

    def key(self, name: str) -> str:
        return name if name in self.elsewhere else self.prefix + name


class _Flow(ast.NodeVisitor):
    """``bound`` is ``None`` where no run can come to, as behind a ``raise``.

    ``unsure`` are names of the cell that its functions may delete.
    """

    def __init__(self, annotations_are_postponed: bool, unsure: set[str]) -> None:
        self.free: set[str] = set()
        self.called: set[str] = set()
        self.bound: set[str] | None = set()
        self._postponed = annotations_are_postponed
        self._unsure = unsure
        self._scope = _Scope()
        self._classes = 0
        self._loads_when_called: dict[str, set[str]] = {}

    def run(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def finish(self) -> None:
        """Functions that were not used may yet be, by a later cell."""
        if self.bound is None:
            self.bound = set()
        for name in self._loads_when_called:
            self._use(name)

    # Names

    def _load(self, name: str) -> None:
        key = self._scope.key(name)
        if key != name and (self.bound is None or key in self.bound):
            self._use(key)
        elif name not in self._scope.hidden:
            self._load_outside([name])

    def _load_outside(self, names: Iterable[str]) -> None:
        """Load names of the cell itself, or of those before it."""
        for name in sorted(names):
            if self.bound is not None and name not in self.bound:
                self.free.add(name)
            self._use(name)

    def _use(self, key: str) -> None:
        """Load what the function of this name, and those that it calls, load when called."""
        seen: set[str] = set()
        waiting = [key]
        while waiting and self.bound is not None:
            key = waiting.pop()
            if key not in seen:
                seen.add(key)
                needed = self._loads_when_called.get(key, set())
                self.free |= needed - self.bound
                waiting += needed

    def _bind(self, name: str) -> None:
        key = self._scope.key(name)
        is_local = key == name and name in self._scope.hidden
        if self.bound is not None and not is_local and key not in self._unsure:
            self.bound.add(key)

    def _start(self) -> set[str] | None:
        return None if self.bound is None else set(self.bound)

    def _branch(self, nodes: Iterable[ast.AST], start: set[str] | None) -> set[str] | None:
        self.bound = None if start is None else set(start)
        self.run(nodes)
        return self.bound

    def _unbound_by(self, *nodes: ast.AST) -> set[str]:
        """What may no longer be bound when these have run in part."""
        return {self._scope.key(name) for name in unbound_by(nodes)}

    @contextmanager
    def _within(self, scope: _Scope) -> Iterator[None]:
        before, self._scope = self._scope, scope
        try:
            yield
        finally:
            self._scope = before

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self._bind(node.id)
            return
        self._load(node.id)
        if isinstance(node.ctx, ast.Del) and self.bound is not None:
            self.bound.discard(self._scope.key(node.id))

    # Scopes of their own

    def _loads_of(self, node: ast.AST, parts: Iterable[ast.AST], hidden: set[str]) -> set[str]:
        """What ``parts`` load from outside when they run later, in a scope with ``hidden``."""
        parameters = type_parameters(node)
        hidden = {*self._scope.hidden, *hidden, *(p.name for p in parameters)}
        scope = _Scope(hidden=frozenset(hidden), in_function=True)
        free, bound, self.free, self.bound = self.free, self.bound, set(), set()
        with self._within(scope):
            self.run([*parameters, *parts])
        loads, self.free, self.bound = self.free, free, bound
        if not self._scope.in_function:
            self.called |= loads
        return loads

    def _loads_of_function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    ) -> set[str]:
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        outer = self._scope
        of_class = {"__class__"} if outer.prefix else set()
        without = outer.hidden - declared_in(body, ast.Global)
        with self._within(replace(outer, hidden=without)):
            return self._loads_of(node, body, locals_of(node) | of_class)

    def _define(self, name: str, loads: set[str], is_called: bool) -> None:
        """Bind a function or class that loads these names once it is called."""
        self._bind(name)
        if is_called or self._scope.in_function:
            self._load_outside(loads)
        else:
            self._loads_when_called.setdefault(self._scope.key(name), set()).update(loads)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.run(defaults(node.args))
        self._load_outside(self._loads_of_function(node))

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.run([*node.decorator_list, *defaults(node.args)])
        if not self._postponed:
            with self._hiding(type_parameters(node)):
                self.run(annotations(node))
        is_called = not all(_last_name(item) in _CALL_LATER for item in node.decorator_list)
        self._define(node.name, self._loads_of_function(node), is_called)

    visit_FunctionDef = visit_AsyncFunctionDef = _function

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.run(node.decorator_list)
        parameters = type_parameters(node)
        with self._hiding(parameters):
            self.run([*node.bases, *node.keywords])
            declared = declared_in(node.body, ast.Global)
            self._classes += 1
            prefix = f"{self._classes}."
            scope = replace(
                self._scope,
                prefix=prefix,
                elsewhere=frozenset(declared | declared_in(node.body, ast.Nonlocal)),
                hidden=self._scope.hidden - declared,
            )
            with self._within(scope):
                for name in _IN_A_CLASS:
                    self._bind(name)
                self.run(node.body)
        if self.bound is not None:
            self.bound = {name for name in self.bound if not name.startswith(prefix)}
        methods = [name for name in self._loads_when_called if name.startswith(prefix)]
        loads = set().union(*(self._loads_when_called.pop(name) for name in methods))
        is_called = not all(_last_name(item) in _CALL_LATER for item in node.decorator_list)
        self._define(node.name, loads, is_called)

    def visit_TypeAlias(self, node: ast.AST) -> None:
        # Python 3.12; evaluated when it is first asked for.
        name, value = node.name, node.value  # type: ignore[attr-defined]
        self._define(name.id, self._loads_of(node, [value], set()), False)

    @contextmanager
    def _hiding(self, parameters: list[ast.AST]) -> Iterator[None]:
        names = {parameter.name for parameter in parameters}  # type: ignore[attr-defined]
        with self._within(replace(self._scope, hidden=self._scope.hidden | names)):
            yield

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    ) -> None:
        first, *others = node.generators
        self.visit(first.iter)
        after = self._start()
        names = {name for name, _ in bound_by(g.target for g in node.generators)}
        # What a class has bound is not seen from here.
        hidden = self._scope.hidden | names
        with self._within(replace(self._scope, prefix="", hidden=hidden)):
            self.run([first.target, *first.ifs])
            for generator in others:
                self.run([generator.iter, generator.target, *generator.ifs])
            is_dict = isinstance(node, ast.DictComp)
            self.run([node.key, node.value] if is_dict else [node.elt])
        self.bound = after

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    # Expressions that bind, or that are not run as a whole

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.visit(node.target)

    def _perhaps(self, nodes: Iterable[ast.AST]) -> None:
        """Go through what may not be run, or not as a whole."""
        after = self._start()
        self.run(nodes)
        self.bound = after

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self.visit(node.values[0])
        self._perhaps(node.values[1:])

    def visit_Compare(self, node: ast.Compare) -> None:
        self.run([node.left, node.comparators[0]])
        self._perhaps(node.comparators[1:])

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.visit(node.test)
        start = self.bound
        self.bound = _join(self._branch([node.body], start), self._branch([node.orelse], start))

    # Statements

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        self.run(node.targets)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._load(node.target.id)
        self.visit(node.value)
        self.visit(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
        if node.value is not None or not isinstance(node.target, ast.Name):
            self.visit(node.target)
        if not self._postponed and not self._scope.in_function:
            self.visit(node.annotation)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._bind(alias.asname or alias.name.split(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                self._bind(alias.asname or alias.name)

    def visit_Assert(self, node: ast.Assert) -> None:
        self.visit(node.test)
        if node.msg is not None:
            self._perhaps([node.msg])

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        start = self.bound
        self.bound = _join(self._branch(node.body, start), self._branch(node.orelse, start))

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._forget(self._unbound_by(*node.body))
        start = self._start()
        self.visit(node.target)
        self._loop(node, start)

    visit_For = visit_AsyncFor = _for

    def visit_While(self, node: ast.While) -> None:
        self._forget(self._unbound_by(*node.body))
        self.visit(node.test)
        self._loop(node, self._start())

    def _forget(self, names: set[str]) -> None:
        if self.bound is not None:
            self.bound -= names

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, start: set[str] | None) -> None:
        """The body may have run not once; only a ``break`` passes by the ``else``."""
        self.run(node.body)
        after = self._branch(node.orelse, start)
        breaks = any(isinstance(inner, ast.Break) for part in node.body for inner in ast.walk(part))
        self.bound = _join(after, start) if breaks else after

    def _try(self, node: ast.Try) -> None:
        start = self._start()
        after = self._branch([*node.body, *node.orelse], start)
        self.bound = start
        self._forget(self._unbound_by(*node.body))
        caught = self._start()
        for handler in node.handlers:
            after = _join(after, self._branch([handler], caught))
        self.bound = start
        self._forget(self._unbound_by(*node.body, *node.handlers, *node.orelse))
        before_last = self._branch(node.finalbody, self._start())
        if before_last is None or after is None:
            self.bound = None
        else:
            self.bound = after - self._unbound_by(*node.finalbody) | before_last

    visit_Try = visit_TryStar = _try

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        if node.name:
            self._bind(node.name)
        self.run(node.body)
        if node.name:
            self._forget({self._scope.key(node.name)})

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        self.run(node.items)
        start = self._start()
        self.run(node.body)
        if self.bound is None or any(_last_name(i.context_expr) in _CATCH for i in node.items):
            self.bound = start
            self._forget(self._unbound_by(*node.body))

    visit_With = visit_AsyncWith = _with

    def visit_withitem(self, node: ast.withitem) -> None:
        self.visit(node.context_expr)
        if node.optional_vars is not None:
            self.visit(node.optional_vars)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        start = self._start()
        after = None if _takes_all(node.cases[-1]) else start
        for case in node.cases:
            after = _join(after, self._branch([case], start))
        self.bound = after

    def visit_match_case(self, node: ast.match_case) -> None:
        self.visit(node.pattern)
        if node.guard is not None:
            self.visit(node.guard)
        self.run(node.body)

    def _pattern(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self.generic_visit(node)
        if node.name:
            self._bind(node.name)

    visit_MatchAs = visit_MatchStar = _pattern

    def visit_MatchOr(self, node: ast.MatchOr) -> None:
        # Every alternative binds the same names.
        start = self._start()
        for pattern in node.patterns:
            self._branch([pattern], start)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest:
            self._bind(node.rest)

    def visit_Raise(self, node: ast.Raise) -> None:
        self.generic_visit(node)
        self.bound = None

    def _jump(self, node: ast.Break | ast.Continue | ast.Return) -> None:
        self.generic_visit(node)
        self.bound = None

    visit_Break = visit_Continue = visit_Return = _jump


def _join(one: set[str] | None, other: set[str] | None) -> set[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _takes_all(case: ast.match_case) -> bool:
    return case.guard is None and isinstance(case.pattern, ast.MatchAs) and not case.pattern.pattern


def _last_name(node: ast.expr) -> str:
    """``c`` of ``a.b.c`` or ``a.b.c(…)``; "" for another expression."""
    match node:
        case ast.Call(func=function):
            return _last_name(function)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""
