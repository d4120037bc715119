"""Which names a cell takes from outside: definite assignment over its top-level statements."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from nbjudge.cells.lookup import Lookup, Scope
from nbjudge.cells.scopes import (
    annotations_of,
    bound_by,
    declared_in,
    defaults,
    globals_deleted_by,
    locals_of,
    type_parameters,
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


class _Flow(Lookup, ast.NodeVisitor):
    """Goes through a cell in the order in which Python runs it."""

    def __init__(self, annotations_are_postponed: bool, unsure: set[str]) -> None:
        super().__init__(unsure)
        self._postponed = annotations_are_postponed
        self._classes = 0

    def run(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def _branch(self, nodes: Iterable[ast.AST], start: set[str] | None) -> set[str] | None:
        self.bound = None if start is None else set(start)
        self.run(nodes)
        return self.bound

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.bind(node.id)
            return
        self.load(node.id)
        if isinstance(node.ctx, ast.Del) and self.bound is not None:
            self.bound.discard(self.scope.key(node.id))

    # Scopes of their own

    def _loads_of(self, node: ast.AST, parts: Iterable[ast.AST], hidden: set[str]) -> set[str]:
        """What ``parts`` load from outside when they run later, in a scope with ``hidden``."""
        parameters = type_parameters(node)
        hidden = {*self.scope.hidden, *hidden, *parameters}
        scope = Scope(hidden=frozenset(hidden), in_function=True)
        free, bound, self.free, self.bound = self.free, self.bound, set(), set()
        with self.within(scope):
            self.run([*parameters.values(), *parts])
        loads, self.free, self.bound = self.free, free, bound
        if not self.scope.in_function:
            self.called |= loads
        return loads

    def _loads_of_function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    ) -> set[str]:
        body = [node.body] if isinstance(node, ast.Lambda) else node.body
        outer = self.scope
        of_class = {"__class__"} if outer.prefix else set()
        without = outer.hidden - declared_in(body, ast.Global)
        with self.within(replace(outer, hidden=without)):
            return self._loads_of(node, body, locals_of(node) | of_class)

    def _define(self, name: str, loads: set[str], is_called: bool) -> None:
        """Bind a function or class that loads these names once it is called."""
        self.bind(name)
        if is_called or self.scope.in_function:
            self.load_outside(loads)
        else:
            self.loads_when_called.setdefault(self.scope.key(name), set()).update(loads)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.run(defaults(node.args))
        self.load_outside(self._loads_of_function(node))

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.run([*node.decorator_list, *defaults(node.args)])
        if not self._postponed:
            with self._hiding(type_parameters(node)):
                self.run(annotations_of(node))
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
                self.scope,
                prefix=prefix,
                elsewhere=frozenset(declared | declared_in(node.body, ast.Nonlocal)),
                hidden=self.scope.hidden - declared,
            )
            with self.within(scope):
                for name in _IN_A_CLASS:
                    self.bind(name)
                self.run(node.body)
        if self.bound is not None:
            self.bound = {name for name in self.bound if not name.startswith(prefix)}
        methods = [name for name in self.loads_when_called if name.startswith(prefix)]
        loads = set().union(*(self.loads_when_called.pop(name) for name in methods))
        is_called = not all(_last_name(item) in _CALL_LATER for item in node.decorator_list)
        self._define(node.name, loads, is_called)

    def visit_TypeAlias(self, node: ast.AST) -> None:
        # Python 3.12 has it; the value is evaluated when it is first asked for.
        match [*ast.iter_child_nodes(node)]:
            case [ast.Name(id=name), *_, value]:
                self._define(name, self._loads_of(node, [value], set()), False)

    @contextmanager
    def _hiding(self, names: Iterable[str]) -> Iterator[None]:
        with self.within(replace(self.scope, hidden=self.scope.hidden.union(names))):
            yield

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
    ) -> None:
        first, *others = node.generators
        self.visit(first.iter)
        after = self.bound_so_far()
        names = {name for name, _ in bound_by(g.target for g in node.generators)}
        # What a class has bound is not seen from here.
        hidden = self.scope.hidden | names
        with self.within(replace(self.scope, prefix="", hidden=hidden)):
            self.run([first.target, *first.ifs])
            for generator in others:
                self.run([generator.iter, generator.target, *generator.ifs])
            self.run([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self.bound = after

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    # Expressions that bind, or that are not run as a whole

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.visit(node.value)
        self.visit(node.target)

    def _perhaps(self, nodes: Iterable[ast.AST]) -> None:
        """Go through what may not be run, or not as a whole."""
        after = self.bound_so_far()
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
            self.load(node.target.id)
        self.visit(node.value)
        self.visit(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
        if node.value is not None or not isinstance(node.target, ast.Name):
            self.visit(node.target)
        if not self._postponed and not self.scope.in_function:
            self.visit(node.annotation)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.bind(alias.asname or alias.name.split(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                self.bind(alias.asname or alias.name)

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
        self.forget(self.unbound_by(*node.body))
        start = self.bound_so_far()
        self.visit(node.target)
        self._loop(node, start)

    visit_For = visit_AsyncFor = _for

    def visit_While(self, node: ast.While) -> None:
        self.forget(self.unbound_by(*node.body))
        self.visit(node.test)
        self._loop(node, self.bound_so_far())

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, start: set[str] | None) -> None:
        """The body may have run not once; only a ``break`` passes by the ``else``."""
        self.run(node.body)
        after = self._branch(node.orelse, start)
        breaks = any(isinstance(inner, ast.Break) for part in node.body for inner in ast.walk(part))
        self.bound = _join(after, start) if breaks else after

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        start = self.bound_so_far()
        after = self._branch([*node.body, *node.orelse], start)
        self.bound = start
        self.forget(self.unbound_by(*node.body))
        caught = self.bound_so_far()
        for handler in node.handlers:
            after = _join(after, self._branch([handler], caught))
        self.bound = start
        self.forget(self.unbound_by(*node.body, *node.handlers, *node.orelse))
        before_last = self._branch(node.finalbody, self.bound_so_far())
        if before_last is None or after is None:
            self.bound = None
        else:
            self.bound = after - self.unbound_by(*node.finalbody) | before_last

    visit_Try = visit_TryStar = _try

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        if node.name:
            self.bind(node.name)
        self.run(node.body)
        if node.name:
            self.forget({self.scope.key(node.name)})

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        self.run(node.items)
        start = self.bound_so_far()
        self.run(node.body)
        if self.bound is None or any(_last_name(i.context_expr) in _CATCH for i in node.items):
            self.bound = start
            self.forget(self.unbound_by(*node.body))

    visit_With = visit_AsyncWith = _with

    def visit_withitem(self, node: ast.withitem) -> None:
        self.visit(node.context_expr)
        if node.optional_vars is not None:
            self.visit(node.optional_vars)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        start = self.bound_so_far()
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
            self.bind(node.name)

    visit_MatchAs = visit_MatchStar = _pattern

    def visit_MatchOr(self, node: ast.MatchOr) -> None:
        # Every alternative binds the same names.
        start = self.bound_so_far()
        for pattern in node.patterns:
            self._branch([pattern], start)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.generic_visit(node)
        if node.rest:
            self.bind(node.rest)

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
